"""HTTP triggers: routes, authorization levels, and the worker's answer as an HTTP response.

As the real host: a path that no route takes, or that takes another verb, is 404; a missing or wrong key is 401. Unlike
`func start`, which asks for no keys on a developer's machine, so that a forgotten key shows here already.
"""

import hmac
import re
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from aiohttp import web

from infra.local.functions_host.bindings import Function, HttpTrigger
from infra.local.functions_host.errors import HostError
from infra.local.functions_host.invocations import Invocations
from infra.local.functions_host.protos import RpcHttp, TypedData
from infra.local.functions_host.routes import compile_route, specificity

ALL_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})


def holds_key(request: web.Request, key: str) -> bool:
    """As `code` in the query or in the header x-functions-key."""
    presented = request.query.get("code", "") or request.headers.get("x-functions-key", "")
    return hmac.compare_digest(presented.encode(), key.encode())


@dataclass(frozen=True, slots=True)
class _Route:
    pattern: re.Pattern[str]
    methods: frozenset[str]
    function: Function
    needs_key: bool


class HttpTriggers:
    """`key` stands for function key, host key and master key at once."""

    def __init__(self, functions: list[Function], prefix: str, key: str, invocations: Invocations) -> None:
        self._key = key
        self._invocations = invocations
        bound = [(function, function.trigger) for function in functions if isinstance(function.trigger, HttpTrigger)]
        bound.sort(key=lambda each: specificity(each[1].route or each[0].name))
        self._routes = [_route(function, trigger, prefix) for function, trigger in bound]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        for route in self._routes:
            match = route.pattern.fullmatch(request.path)
            if match and request.method in route.methods:
                if route.needs_key and not holds_key(request, self._key):
                    raise web.HTTPUnauthorized
                return await self._call(route.function, request, match)
        raise web.HTTPNotFound

    async def _call(self, function: Function, request: web.Request, match: re.Match[str]) -> web.StreamResponse:
        value = RpcHttp(
            method=request.method,
            url=str(request.url),
            headers={name.lower(): text for name, text in request.headers.items()},
            params={name: text for name, text in match.groupdict().items() if text is not None},
            query={name: ",".join(request.query.getall(name)) for name in request.query},
            body=TypedData(bytes=await request.read()),
        )
        result = await self._invocations.run(function, TypedData(http=value), traceparent=request.headers.get("traceparent", ""))
        if not result.ok:
            raise web.HTTPInternalServerError(text="")
        return _response(result.return_value)


def _route(function: Function, trigger: HttpTrigger, prefix: str) -> _Route:
    try:
        pattern = compile_route(prefix, trigger.route or function.name)
    except (ValueError, re.error) as wrong:
        raise HostError(f"function {function.name}: {wrong}") from None
    methods = frozenset(method.upper() for method in trigger.methods) or ALL_METHODS
    return _Route(pattern, methods, function, needs_key=trigger.auth_level != "ANONYMOUS")


def _response(value: TypedData | None) -> web.Response:
    if value is None:
        return web.Response(status=204)
    if value.WhichOneof("data") != "http":
        return web.Response(text=value.string)
    http = value.http
    # aiohttp computes the length itself and refuses a second one
    headers = {name: text for name, text in http.headers.items() if name.lower() != "content-length"}
    response = web.Response(status=int(http.status_code), headers=headers, body=http.body.bytes)
    for cookie in http.cookies or []:
        _set_cookie(response, cookie)
    return response


def _set_cookie(response: web.Response, cookie: Any) -> None:
    same_site = {"ExplicitNone": "None", "Lax": "Lax", "Strict": "Strict"}.get(cookie.same_site.name)
    response.set_cookie(
        cookie.name,
        cookie.value,
        domain=cookie.domain.value or None if cookie.domain else None,
        path=(cookie.path.value if cookie.path else "") or "/",
        expires=formatdate(cookie.expires.value.seconds, usegmt=True) if cookie.expires else None,
        max_age=int(cookie.max_age.value) if cookie.max_age else None,
        secure=bool(cookie.secure and cookie.secure.value),
        httponly=bool(cookie.http_only and cookie.http_only.value),
        samesite=same_site,
    )
