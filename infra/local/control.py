"""What every HTTP stand-in offers to tests and demos: a request log, faults, latency, reset.

The routes live under `/_control`, beside the service's own, and never appear in the log:

    GET    /_control/requests[?since=N]   the last 100,000 requests served, oldest first, each with its number `n`
    POST   /_control/faults               add a `Fault`, as JSON of its fields; answers its id
    GET    /_control/faults               the faults still armed
    DELETE /_control/faults               disarm all
    PUT    /_control/latency              {"milliseconds": 50} added to each request
    POST   /_control/reset                forget log, faults and latency; the service's own state stays
"""

import asyncio
import itertools
import json
import random
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

LOG_KEPT = 100_000  # requests

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ERROR_CODES = {400: "UserError", 401: "InvalidAuthenticationToken", 403: "AuthorizationFailed", 404: "ResourceNotFound"}
ERROR_CODES |= {408: "RequestTimeout", 409: "Conflict", 429: "TooManyRequests", 503: "ServiceUnavailable"}


@dataclass
class Fault:
    """A wrong answer, armed for the next `times` requests that match (None: until disarmed), or for a `rate` of them.

    `match` is a regular expression searched in "METHOD /path". `drop` closes the connection, "before" the service acted or
    "after" it (the lost answer). `operation` ({"code", "message"}) makes the long-running operation that the matching
    request begins fail; the service reads it through `Control.operation_failure`. `delay` is in seconds, before the service
    acts; `linger` likewise, after it acted and before its answer leaves.
    """

    match: str
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    message: str = "injected by the local cloud"
    delay: float = 0.0
    linger: float = 0.0
    drop: str | None = None
    operation: dict[str, str] | None = None
    times: int | None = 1
    rate: float = 1.0
    id: int = 0


class Control:
    """One service's request log and its armed faults. `middleware` wraps the service, `routes` are added to it."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._ids = itertools.count(1)
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_KEPT)
        self.faults: list[Fault] = []
        self.latency = 0.0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_control/requests", self._requests),
            web.get("/_control/faults", self._armed),
            web.post("/_control/faults", self._arm),
            web.delete("/_control/faults", self._disarm),
            web.put("/_control/latency", self._slow_down),
            web.post("/_control/reset", self._reset),
        ]

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_control/"):
            return await handler(request)
        started, number, arrived = time.perf_counter(), next(self._numbers), time.time()
        fault = self._strike(f"{request.method} {request.path}")
        await asyncio.sleep(self.latency + (fault.delay if fault else 0))
        status: int | None = None
        try:
            response = await self._answer(request, handler, fault)
            status = response.status
            return response
        except web.HTTPException as stopped:
            status = stopped.status
            raise
        finally:
            self.log.append(
                {
                    "n": number,
                    "time": arrived,
                    "method": request.method,
                    "path": request.path,
                    "query": request.query_string,
                    "status": status,
                    "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                    "body": await _small_json(request),
                    "user_agent": request.headers.get("User-Agent", ""),
                }
            )

    async def _answer(self, request: web.Request, handler: Handler, fault: Fault | None) -> web.StreamResponse:
        if fault and fault.drop == "before":
            raise _hang_up(request)
        if fault and fault.status:
            code = fault.code or ERROR_CODES.get(fault.status, "InternalServerError")
            body = {"error": {"code": code, "message": fault.message}}
            return web.json_response(body, status=fault.status, headers=fault.headers)
        if fault and fault.operation:
            request["operation_failure"] = fault.operation
        response = await handler(request)
        await asyncio.sleep(fault.linger if fault else 0)
        if fault and fault.drop == "after":
            raise _hang_up(request)
        return response

    @staticmethod
    def operation_failure(request: web.Request) -> dict[str, str] | None:
        """{"code", "message"} with which the operation begun by this request must end, if a fault says so."""
        failure: dict[str, str] | None = request.get("operation_failure")
        return failure

    def _strike(self, line: str) -> Fault | None:
        for fault in self.faults:
            if re.search(fault.match, line) and random.random() < fault.rate:
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                return fault
        return None

    async def _requests(self, request: web.Request) -> web.Response:
        since = int(request.query.get("since", 0))
        return web.json_response([entry for entry in self.log if entry["n"] > since])

    async def _armed(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(fault) for fault in self.faults])

    async def _arm(self, request: web.Request) -> web.Response:
        try:
            fault = Fault(**await request.json())
            re.compile(fault.match)
        except (TypeError, ValueError, re.error) as wrong:
            raise web.HTTPBadRequest(text=f"not a fault: {wrong}; see infra/local/control.py") from wrong
        fault.id = next(self._ids)
        self.faults.append(fault)
        return web.json_response({"id": fault.id}, status=201)

    async def _disarm(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return web.Response(status=204)

    async def _slow_down(self, request: web.Request) -> web.Response:
        self.latency = float((await request.json())["milliseconds"]) / 1000
        return web.Response(status=204)

    async def _reset(self, _: web.Request) -> web.Response:
        self.log.clear()
        self.faults.clear()
        self.latency = 0.0
        return web.Response(status=204)


def _hang_up(request: web.Request) -> Exception:
    if request.transport:
        request.transport.abort()
    return ConnectionResetError("the connection was dropped by a fault")


async def _small_json(request: web.Request) -> Any:
    """The request's JSON body where it has one of a size worth keeping; None for blobs and the like."""
    if "json" not in request.content_type or (request.content_length or 0) > 20_000:
        return None
    try:
        return json.loads(await request.read())
    except (ValueError, ConnectionError):
        return None
