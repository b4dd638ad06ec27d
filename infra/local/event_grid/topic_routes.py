"""The HTTP surface of custom topics and domains: creating them, and publishing to them."""

import json
import uuid
from typing import Any, cast

from aiohttp import web

from infra.local.event_grid.authorization import Gate
from infra.local.event_grid.delivery import Deliveries
from infra.local.event_grid.publishing import read_published
from infra.local.event_grid.refusals import Refused, too_large
from infra.local.event_grid.schemas import LARGEST_REQUEST
from infra.local.event_grid.store import Store
from infra.local.event_grid.topics import InvalidTopic, Kind, Topic, read_topic

API_VERSION = "2018-01-01"
_KIND = "{kind:topics|domains}"


class TopicRoutes:
    """`base_url` is where clients reach the part."""

    def __init__(self, store: Store, deliveries: Deliveries, gate: Gate, base_url: str) -> None:
        self._store = store
        self._deliveries = deliveries
        self._gate = gate
        self._base_url = base_url

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"/{_KIND}", self._list),
            web.put(f"/{_KIND}/{{name}}", self._put),
            web.get(f"/{_KIND}/{{name}}", self._get),
            web.delete(f"/{_KIND}/{{name}}", self._delete),
            web.post(f"/{_KIND}/{{name}}/api/events", self._publish),
        ]

    async def _publish(self, request: web.Request) -> web.Response:
        try:
            topic = self._find(request)
            self._gate.admit(request.headers, topic, topic.endpoint(self._base_url))
            _require_version(request)
            self._deliveries.accept(read_published(topic, request.content_type, await request.read()))
        except Refused as refused:
            answer = refused.response()
        except web.HTTPRequestEntityTooLarge:
            answer = too_large(LARGEST_REQUEST).response()
        else:
            answer = web.Response()
        answer.headers["api-supported-versions"] = API_VERSION
        answer.headers["x-ms-request-id"] = str(uuid.uuid4())
        return answer

    async def _put(self, request: web.Request) -> web.Response:
        kind, name = _kind(request), request.match_info["name"]
        existing = self._store.topic(kind, name)
        try:
            topic = read_topic(kind, name, json.loads(await request.read() or b"{}"), existing)
        except (InvalidTopic, ValueError) as invalid:
            return _error(400, "InvalidRequest", str(invalid))
        self._store.put_topic(topic)
        return web.json_response(topic.shown(self._base_url), status=200 if existing else 201)

    async def _get(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(self._find(request).shown(self._base_url))
        except Refused as missing:
            return missing.response()

    async def _list(self, request: web.Request) -> web.Response:
        topics = self._store.topics(_kind(request))
        return web.json_response({"value": [topic.shown(self._base_url) for topic in topics]})

    async def _delete(self, request: web.Request) -> web.Response:
        """With its event subscriptions."""
        topic = self._store.topic(_kind(request), request.match_info["name"])
        if topic is None:
            return web.Response(status=204)
        for subscription in self._store.subscriptions():
            source = subscription.source.casefold()
            if source == topic.id.casefold() or source.startswith(topic.domain_topic("").casefold()):
                await self._deliveries.unsubscribe(subscription.name)
        self._store.remove_topic(topic)
        return web.Response()

    def _find(self, request: web.Request) -> Topic:
        topic = self._store.topic(_kind(request), request.match_info["name"])
        if topic is None:
            message = f"No HTTP resource was found that matches the request URI '{request.path}'."
            raise Refused(404, "ResourceNotFound", message)
        return topic


def _kind(request: web.Request) -> Kind:
    return cast(Kind, request.match_info["kind"])


def _require_version(request: web.Request) -> None:
    version = request.query.get("api-version")
    if version is None:
        raise Refused(400, "ApiVersionUnspecified", "An API version is required, but was not specified.")
    if version != API_VERSION:
        message = f"The HTTP resource that matches the request URI does not support the API version '{version}'."
        raise Refused(400, "UnsupportedApiVersion", message)


def _error(status: int, code: str, message: str) -> web.Response:
    body: dict[str, Any] = {"error": {"code": code, "message": message}}
    return web.json_response(body, status=status)
