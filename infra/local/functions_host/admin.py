"""The host's own routes: /admin as on the real host, without its master key, and what ran under /_control."""

import asyncio
import time

from aiohttp import web

from infra.local.functions_host.bindings import EventGridTrigger, Function, HttpTrigger, ServiceBusTrigger, TimerTrigger
from infra.local.functions_host.invocations import Invocations
from infra.local.functions_host.protos import TypedData
from infra.local.functions_host.service_bus_message import manual_metadata
from infra.local.functions_host.timer_trigger import Timers


class Admin:
    def __init__(self, functions: list[Function], timers: Timers, invocations: Invocations) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._timers = timers
        self._invocations = invocations
        self._started = time.monotonic()
        self._manual: set[asyncio.Task[object]] = set()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/admin/host/status", self._status),
            web.get("/admin/functions", self._list),
            web.post("/admin/functions/{name}", self._run),
            web.get("/_control/invocations", self._ran),
        ]

    async def _status(self, _: web.Request) -> web.Response:
        uptime = round((time.monotonic() - self._started) * 1000)
        return web.json_response({"id": "local", "state": "Running", "version": "4", "processUptime": uptime})

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {"name": function.name, "config": {"bindings": function.bindings}, "language": "python"}
                for function in self._functions.values()
            ]
        )

    async def _run(self, request: web.Request) -> web.Response:
        """Start a function by hand: {"input": "…"} is the trigger's value. Answers 202 at once, as the real host."""
        function = self._functions.get(request.match_info["name"].lower())
        if function is None:
            raise web.HTTPNotFound(text=f"there is no function {request.match_info['name']}")
        if isinstance(function.trigger, HttpTrigger):
            raise web.HTTPBadRequest(text=f"{function.name} has an HTTP trigger: call its route")
        try:
            text = str((await request.json()).get("input") or "") if await request.read() else ""
        except (ValueError, AttributeError):
            raise web.HTTPBadRequest(text='the body must be JSON of the form {"input": "…"}') from None
        task: asyncio.Task[object] = asyncio.create_task(self._start(function, text))
        self._manual.add(task)
        task.add_done_callback(self._manual.discard)
        return web.Response(status=202)

    async def _start(self, function: Function, text: str) -> None:
        match function.trigger:
            case TimerTrigger():
                await self._timers.run_now(function)
            case ServiceBusTrigger():
                await self._invocations.run(function, TypedData(string=text), manual_metadata())
            case EventGridTrigger():
                await self._invocations.run(function, TypedData(json=text))

    async def _ran(self, _: web.Request) -> web.Response:
        return web.json_response(self._invocations.as_json())
