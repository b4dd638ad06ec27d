"""The Event Grid extension's webhook: POST /runtime/webhooks/EventGrid?functionName=NAME&code=KEY.

Answers as the extension does: the validation handshakes of both schemas, one invocation per event in parallel, 202, or
500 when any failed, whereupon Event Grid sends the whole request again.
"""

import asyncio
import json
from typing import Any

from aiohttp import web

from infra.local.functions_host.bindings import EventGridTrigger, Function
from infra.local.functions_host.http_trigger import holds_key
from infra.local.functions_host.invocations import Invocations
from infra.local.functions_host.protos import TypedData

EVENT_GRID_ORIGINS = {"eventgrid.azure.net", "eventgrid.azure.us", "eventgrid.azure.cn"}


class EventGridWebhook:
    """`key` is the system key `eventgrid_extension`; without it every request is 401."""

    def __init__(self, functions: list[Function], key: str, invocations: Invocations) -> None:
        self._key = key
        self._invocations = invocations
        self._functions = {f.name.lower(): f for f in functions if isinstance(f.trigger, EventGridTrigger)}

    async def handle(self, request: web.Request) -> web.Response:
        if request.match_info["extension"].lower() != "eventgrid":
            raise web.HTTPNotFound
        if not holds_key(request, self._key):
            raise web.HTTPUnauthorized
        name = request.query.get("functionName", "")
        function = self._functions.get(name.lower())
        if function is None:
            raise web.HTTPNotFound(text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            return _allow_origin(request)
        if request.method != "POST":
            raise web.HTTPNotFound
        return await self._post(function, request)

    async def _post(self, function: Function, request: web.Request) -> web.Response:
        match request.headers.get("aeg-event-type", "").lower():
            case "subscriptionvalidation":
                return web.json_response({"validationResponse": _validation_code(await _body(request))})
            case "notification":
                return await self._notify(function, await _body(request))
            case "unsubscribe":
                return web.Response(status=202)
            case _:
                raise web.HTTPBadRequest(text="the header aeg-event-type is missing or unknown")

    async def _notify(self, function: Function, body: Any) -> web.Response:
        """`body` is a list of events, or one event by itself, as CloudEvents come."""
        events = body if isinstance(body, list) else [body]
        if not all(isinstance(event, dict) for event in events):
            raise web.HTTPBadRequest(text="the body must be an event or a list of events")
        results = await asyncio.gather(*(self.invoke(function, event) for event in events))
        failures = [result.error for result in results if not result.ok]
        if failures:
            raise web.HTTPInternalServerError(text=failures[0])
        return web.Response(status=202)

    async def invoke(self, function: Function, event: dict[str, Any]) -> Any:
        metadata = {"data": TypedData(json=json.dumps(event.get("data")))}
        return await self._invocations.run(function, TypedData(json=json.dumps(event)), metadata)


def _allow_origin(request: web.Request) -> web.Response:
    """CloudEvents' abuse protection: say that this origin may send."""
    origin = request.headers.get("WebHook-Request-Origin", "")
    allowed = origin if origin in EVENT_GRID_ORIGINS else "eventgrid.azure.net"
    return web.Response(headers={"Webhook-Allowed-Origin": allowed})


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError:
        raise web.HTTPBadRequest(text="the body is not JSON") from None


def _validation_code(body: Any) -> str:
    try:
        event = body[0] if isinstance(body, list) else body
        return str(event["data"]["validationCode"])
    except (LookupError, TypeError):
        raise web.HTTPBadRequest(text="the event has no data.validationCode") from None
