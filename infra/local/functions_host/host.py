"""Puts the parts together: the worker, the triggers of its functions, and one HTTP server in front."""

import asyncio
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from azure.servicebus.aio import ServiceBusClient

from infra.local.control import Control
from infra.local.functions_host.admin import Admin
from infra.local.functions_host.bindings import Function, ServiceBusTrigger
from infra.local.functions_host.errors import EXIT_FUNCTION_TIMEOUT
from infra.local.functions_host.event_grid_trigger import EventGridWebhook
from infra.local.functions_host.host_json import HostJson
from infra.local.functions_host.http_trigger import HttpTriggers
from infra.local.functions_host.invocations import Invocations
from infra.local.functions_host.service_bus_client import open_namespace
from infra.local.functions_host.service_bus_trigger import QueueListener
from infra.local.functions_host.settings import Connection, Settings
from infra.local.functions_host.timer_trigger import Timers
from infra.local.functions_host.worker import Worker

GRACE = 5.0
LARGEST_BODY = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Keys:
    """`host` is function, host and master key at once; `event_grid` the system key `eventgrid_extension`."""

    host: str
    event_grid: str


class Host:
    """One function app, running from `start` to `stop`."""

    def __init__(self, app: Path, config: HostJson, settings: Settings, keys: Keys) -> None:
        self._config = config
        self._settings = settings
        self._keys = keys
        self._worker = Worker(app)
        self._invocations = Invocations(self._worker, config.function_timeout, _end_process)
        self._clients: dict[Connection, ServiceBusClient] = {}
        self._listeners: list[QueueListener] = []
        self.functions: list[Function] = []

    async def start(self, listening: socket.socket) -> None:
        """Load the app, open its queues, then serve and start the timers. Raises HostError; see errors.py."""
        self.functions = await self._worker.load()
        self._timers = Timers(self.functions, self._settings, self._invocations)
        self._listeners = [
            self._listener(function, function.trigger)
            for function in self.functions
            if isinstance(function.trigger, ServiceBusTrigger)
        ]
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=GRACE)
        await self._runner.setup()
        await asyncio.gather(*(listener.start() for listener in self._listeners))
        await web.SockSite(self._runner, listening).start()
        self._timers.start()

    async def stop(self) -> None:
        """Take nothing new, and give what runs up to GRACE seconds."""
        self._timers.stop()
        await asyncio.gather(
            self._runner.cleanup(),
            self._invocations.drain(GRACE),
            *(listener.stop(GRACE) for listener in self._listeners),
        )

    def _application(self) -> web.Application:
        control = Control()
        http = HttpTriggers(self.functions, self._config.extensions.http.route_prefix, self._keys.host, self._invocations)
        webhook = EventGridWebhook(self.functions, self._keys.event_grid, self._invocations)
        application = web.Application(middlewares=[control.middleware], client_max_size=LARGEST_BODY)
        application.add_routes(control.routes())
        application.add_routes(Admin(self.functions, self._timers, self._invocations).routes())
        application.router.add_route("*", "/runtime/webhooks/{extension}", webhook.handle)
        application.router.add_route("*", "/{path:.*}", http.handle)
        return application

    def _listener(self, function: Function, trigger: ServiceBusTrigger) -> QueueListener:
        connection = self._settings.connection(trigger.connection, function.name)
        queue = self._settings.expand(trigger.queue_name, function.name)
        if connection not in self._clients:
            self._clients[connection] = open_namespace(connection, function.name)
        return QueueListener(
            function,
            queue,
            self._clients[connection],
            self._config.extensions.service_bus,
            trigger.data_type,
            self._invocations,
        )


def _end_process() -> None:
    """End it all, as the real host ends its worker: a thread by itself cannot be ended."""
    os._exit(EXIT_FUNCTION_TIMEOUT)
