"""The HTTP surface: publishing events, managing event subscriptions, and control."""

import json
from typing import Any

from aiohttp import web

from infra.local.control import Control
from infra.local.event_grid.delivery import Deliveries
from infra.local.event_grid.schemas import EVENT_GRID, LARGEST_REQUEST, InvalidEvents, Schema, read_system_events
from infra.local.event_grid.store import Store
from infra.local.event_grid.subscriptions import EventSubscription, InvalidSubscription, read_subscription
from infra.local.event_grid.topic_routes import TopicRoutes
from infra.local.event_grid.topics import is_of_event_grid, topic_of


class Server:
    def __init__(self, store: Store, deliveries: Deliveries, topics: TopicRoutes) -> None:
        self._store = store
        self._deliveries = deliveries
        self._topics = topics
        self._states: dict[str, str] = {}

    def application(self) -> web.Application:
        control = Control()
        application = web.Application(middlewares=[control.middleware], client_max_size=LARGEST_REQUEST)
        application.add_routes(control.routes())
        application.add_routes(self._topics.routes())
        application.add_routes(
            [
                web.post("/events", self._publish),
                web.get("/eventSubscriptions", self._list),
                web.put("/eventSubscriptions/{name}", self._put),
                web.get("/eventSubscriptions/{name}", self._get),
                web.delete("/eventSubscriptions/{name}", self._delete),
                web.get("/_control/dropped", self._dropped),
                web.get("/_control/pending", self._pending),
                web.put("/_control/duplication", self._duplicate),
                web.put("/_control/pause", self._pause),
                web.put("/_control/provisioning", self._provision),
            ]
        )
        return application

    async def _publish(self, request: web.Request) -> web.Response:
        try:
            self._deliveries.accept(read_system_events(await request.read()))
        except InvalidEvents as invalid:
            return _error(400, "BadRequest", f"This resource is configured to receive Event Grid events: {invalid}")
        except web.HTTPRequestEntityTooLarge:
            return _error(413, "RequestEntityTooLarge", f"the events exceed {LARGEST_REQUEST} bytes")
        return web.Response()

    async def _put(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        existed = self._find(name) is not None
        body = await _json(request)
        try:
            subscription = read_subscription(name, body, self._input_schema(body))
            await self._deliveries.subscribe(subscription)
        except InvalidSubscription as invalid:
            return _error(invalid.status, invalid.code, str(invalid))
        return web.json_response(subscription.shown(), status=200 if existed else 201)

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"value": [self._shown(subscription) for subscription in self._store.subscriptions()]})

    async def _get(self, request: web.Request) -> web.Response:
        subscription = self._find(request.match_info["name"])
        if subscription is None:
            return _error(404, "ResourceNotFound", f"there is no event subscription {request.match_info['name']}")
        return web.json_response(self._shown(subscription))

    async def _delete(self, request: web.Request) -> web.Response:
        subscription = self._find(request.match_info["name"])
        if subscription is None:
            return web.Response(status=204)
        await self._deliveries.unsubscribe(subscription.name)
        return web.Response()

    async def _dropped(self, _: web.Request) -> web.Response:
        dropped = self._store.dropped()
        return web.json_response({"count": len(dropped), "value": dropped})

    async def _pending(self, _: web.Request) -> web.Response:
        pending = self._store.pending()
        return web.json_response({"count": len(pending), "value": pending})

    async def _duplicate(self, request: web.Request) -> web.Response:
        rate = _field(await _json(request), "rate", (int, float))
        if not 0 <= rate <= 1:
            raise web.HTTPBadRequest(text="rate must lie between 0 and 1")
        self._deliveries.duplication = float(rate)
        return web.Response(status=204)

    async def _pause(self, request: web.Request) -> web.Response:
        self._deliveries.pause(_field(await _json(request), "paused", (bool,)))
        return web.Response(status=204)

    async def _provision(self, request: web.Request) -> web.Response:
        """Show event subscriptions in another provisioning state than they are in: `{"fanout": "Failed"}`; `{}` as they are."""
        body = await _json(request)
        if not isinstance(body, dict):
            raise web.HTTPBadRequest(text='write {"<event subscription>": "<provisioning state>"}')
        self._states = {str(name).casefold(): str(state) for name, state in body.items()}
        return web.Response(status=204)

    def _shown(self, subscription: EventSubscription) -> dict[str, Any]:
        return subscription.shown(self._states.get(subscription.name.casefold(), "Succeeded"))

    def _input_schema(self, body: Any) -> Schema:
        """Of the source that an event subscription names. Raises InvalidSubscription for a topic that does not exist."""
        source = body.get("source") if isinstance(body, dict) else None
        if not isinstance(source, str) or not is_of_event_grid(source):
            return EVENT_GRID
        place = topic_of(source)
        topic = self._store.topic(*place) if place else None
        if topic is None:
            raise InvalidSubscription(f"The Resource '{source}' was not found.", "ResourceNotFound", 404)
        return topic.input_schema

    def _find(self, name: str) -> EventSubscription | None:
        return next((each for each in self._store.subscriptions() if each.name.casefold() == name.casefold()), None)


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError:
        raise web.HTTPBadRequest(text="the body is not JSON") from None


def _field(body: Any, name: str, types: tuple[type, ...]) -> Any:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, types):
        raise web.HTTPBadRequest(text=f"{name} is missing or of a wrong type")
    return value


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
