"""The broker's control interface, for tests and demos. Beside what every stand-in has (request log, latency, reset):

    GET    /_control/queues                    counts and totals of each queue
    GET    /_control/queues/{name}/messages    its messages, in any state ({name}/$deadletterqueue for the dead letters)
    PUT    /_control/duplication               {"queue": "wakeups", "rate": 0.2}: enqueue that share of the messages twice
    POST   /_control/faults                    a `Fault`, as JSON of its fields; GET and DELETE list and disarm them
    POST   /_control/clock                     {"advance_seconds": 60}

Faults here are AMQP's, not HTTP's, so that they are a type of their own.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from infra.local.control import Control
from infra.local.service_bus.faults import Fault, Faults
from infra.local.service_bus.queues.errors import EntityNotFoundError
from infra.local.service_bus.queues.message import Message, State
from infra.local.service_bus.queues.queue import Queue
from infra.local.service_bus.wire.container import Container
from infra.local.service_bus.wire.messages import readable

_SHARED = {"/_control/requests", "/_control/latency"}


class ServiceBusControl:
    """The routes. `shared` is every stand-in's control, of which log and latency are used."""

    def __init__(self, container: Container, faults: Faults, shared: Control) -> None:
        self._container = container
        self._faults = faults
        self._shared = shared

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes([route for route in self._shared.routes() if route.path in _SHARED])
        application.add_routes(
            [
                web.get("/_control/queues", self._queues),
                web.get("/_control/queues/{name:.+}/messages", self._messages),
                web.put("/_control/duplication", self._duplicate),
                web.post("/_control/faults", self._arm),
                web.get("/_control/faults", self._armed),
                web.delete("/_control/faults", self._disarm),
                web.post("/_control/clock", self._advance),
                web.post("/_control/reset", self._reset),
            ]
        )
        return application

    async def _queues(self, request: web.Request) -> web.Response:  # noqa: ARG002 -- aiohttp's signature
        queues = self._container.namespace.queues
        return web.json_response({queue.settings.name: _counts(queue) for queue in queues})

    async def _messages(self, request: web.Request) -> web.Response:
        queue = self._find(request.match_info["name"])
        return web.json_response([_shown(message) for message in queue.peek()])

    async def _duplicate(self, request: web.Request) -> web.Response:
        wish = await _json(request)
        rate = wish.get("rate")
        if not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise web.HTTPBadRequest(text="rate must be a number between 0 and 1")
        self._find(wish.get("queue")).copy_rate = float(rate)
        return web.Response(status=204)

    async def _arm(self, request: web.Request) -> web.Response:
        try:
            fault = Fault(**await _json(request))
        except (TypeError, ValueError) as wrong:
            raise web.HTTPBadRequest(text=f"not a fault: {wrong}; see infra/local/service_bus/faults.py") from wrong
        self._find(fault.queue)
        return web.json_response({"id": self._faults.arm(fault)}, status=201)

    async def _armed(self, request: web.Request) -> web.Response:  # noqa: ARG002 -- aiohttp's signature
        return web.json_response([asdict(fault) for fault in self._faults.armed])

    async def _disarm(self, request: web.Request) -> web.Response:  # noqa: ARG002 -- aiohttp's signature
        self._faults.armed.clear()
        return web.Response(status=204)

    async def _advance(self, request: web.Request) -> web.Response:
        seconds = (await _json(request)).get("advance_seconds")
        if not isinstance(seconds, int | float) or seconds < 0:
            raise web.HTTPBadRequest(text="advance_seconds must be a number, and time goes forward only")
        self._container.advance_clock(int(seconds * 1000))
        return web.Response(status=204)

    async def _reset(self, request: web.Request) -> web.Response:  # noqa: ARG002 -- aiohttp's signature
        """Forgets log, faults, latency and duplication; queues and clock stay as they are."""
        self._shared.log.clear()
        self._shared.latency = 0.0
        self._faults.armed.clear()
        for queue in self._container.namespace.queues:
            queue.copy_rate = 0.0
        return web.Response(status=204)

    def _find(self, name: Any) -> Queue:
        try:
            return self._container.namespace.find(str(name))
        except EntityNotFoundError as missing:
            raise web.HTTPNotFound(text=missing.description) from missing


async def _json(request: web.Request) -> Mapping[str, Any]:
    try:
        body = await request.json()
    except ValueError as wrong:
        raise web.HTTPBadRequest(text=f"the body is no JSON: {wrong}") from wrong
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return body


def _counts(queue: Queue) -> dict[str, Any]:
    states = Counter("locked" if message.lock else message.state.value for message in queue.peek())
    counts = {name: states[name] for name in (State.ACTIVE, State.SCHEDULED, "locked", State.DEFERRED)}
    dead_lettered = len(queue.dead_letters.peek()) if queue.dead_letters else 0
    return {**counts, "dead_lettered": dead_lettered, "totals": asdict(queue.totals)}


def _shown(message: Message) -> dict[str, Any]:
    content = readable(message)
    return {
        "message_id": message.message_id,
        "sequence_number": message.sequence_number,
        "state": "locked" if message.lock else message.state,
        "delivery_count": message.delivery_count,
        "body": content.body,
        "application_properties": json.loads(json.dumps(content.application_properties, default=_as_text)),
        "enqueued_at": _iso(message.enqueued_at),
        "scheduled_for": _iso(message.scheduled_for),
        "expires_at": _iso(message.expires_at),
        "locked_until": _iso(message.lock.until) if message.lock else None,
    }


def _as_text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _iso(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
