"""The whole cloud on one machine, as a context manager: what `make cloud`, the demo and the tests run on."""

import fcntl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

from infra.local import clients, environment, event_subscriptions
from infra.local.controls import AzureMlControl, EventGridControl, ServiceBusControl
from infra.local.host import FunctionsHost
from infra.local.outcomes import QUEUE, OutcomesKind, OutcomesTopic
from infra.local.ports import Ports
from infra.local.processes import REPOSITORY, THIS_PYTHON, CannotStart, Undertaker
from infra.local.stand_ins import StandIns
from infra.local.tls import make_certificates
from infra.local.topology import (
    ARTICLE_REGISTRIES,
    ARTICLE_WORKSPACES,
    TABLES,
    Registry,
    Workspace,
    azure_ml_config,
    least_roles,
    service_bus_config,
)

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.servicebus import ServiceBusClient

EVENTS_FUNCTION = "model_registered"


class LocalCloud:
    """Everything runs while the context is open; then no process is left.

    Its settings stand in this process's environment meanwhile, since azure-identity and requests look there: a process uses
    one cloud at a time. `directory` holds all state, and a cloud opened there again finds it. `azure_ml` are further
    settings of its cloud.json, such as `seconds` and `limits`; `settings` are app settings beyond the usual ones. `outcomes`
    gives the app a custom topic or a domain to publish its outcome events to. `app` is another folder of the app, and `python`
    what runs it there.
    """

    def __init__(
        self,
        directory: Path,
        *,
        workspaces: Sequence[Workspace] = ARTICLE_WORKSPACES,
        registries: Sequence[Registry] = ARTICLE_REGISTRIES,
        seconds: Mapping[str, float] | None = None,
        azure_ml: Mapping[str, Any] | None = None,
        lock_duration: str = "PT1M",
        settings: Mapping[str, str] | None = None,
        event_grid_time_scale: float = 1.0,
        event_schema: Literal["EventGridSchema", "CloudEventSchemaV1_0"] = "EventGridSchema",
        events_by: Literal["webhook", "queue"] = "webhook",
        outcomes: OutcomesKind | None = None,
        with_host: bool = True,
        app: Path = REPOSITORY,
        python: Path = THIS_PYTHON,
        ports: Ports | None = None,
    ) -> None:
        self.directory = directory.resolve()
        self.workspaces = {workspace.name: workspace for workspace in workspaces}
        self.registries = {registry.name: registry for registry in registries}
        roles = {"role_assignments": least_roles(workspaces, registries, environment.FANOUT_CLIENT_ID)}
        more = {"seconds": dict(seconds or {}), "surroundings": roles, **(azure_ml or {})}
        self._azure_ml_config = azure_ml_config(workspaces, registries, more)
        self._service_bus_config = service_bus_config(lock_duration, [QUEUE] if outcomes else [])
        self._settings = dict(settings or {})
        self._time_scale = event_grid_time_scale
        self._event_schema = event_schema
        self._events_by = events_by
        self._outcomes_kind = outcomes
        self._with_host = with_host
        self._app = app
        self._python = python
        self._ports = ports or Ports()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Raises PartDied where a part ended by itself, unless another exception is on its way already."""
        try:
            if error is None:
                self.require_running()
        finally:
            self._open.close()

    def require_running(self) -> None:
        """Raises PartDied, with its own last words, for a part that ended by itself."""
        self.stand_ins.require_running()
        self.host.require_running()

    def addresses(self) -> dict[str, str]:
        """Where each part is reached, and its control interface under `/_control`, by the name of a setting."""
        azurite, service_bus = self.stand_ins.ready("azurite"), self.stand_ins.ready("service_bus")
        addresses = {
            "LOCAL_AZURE_ML": self.azure_ml.url,
            "LOCAL_EVENT_GRID": self.event_grid.url,
            "LOCAL_SERVICE_BUS": service_bus["url"],
            "LOCAL_SERVICE_BUS_CONTROL": self.service_bus.url,
            "LOCAL_BLOBS": azurite["Blob"],
            "LOCAL_TABLES": azurite["Table"],
        }
        return addresses | ({"LOCAL_HOST": self.host.url} if self.host.url else {})

    def start_host(self, settings: Mapping[str, str] | None = None) -> None:
        """Start the app where the cloud was opened without it, and subscribe it to the workspaces' events."""
        self.host.start(settings)
        self._set({"FANOUT_HOSTNAME": urlsplit(self.host.url).netloc})
        if self._events_by == "webhook":
            self._subscribe(event_subscriptions.webhook(self.host.webhook(EVENTS_FUNCTION)))

    def apply_rules(self, folder: Path) -> str:
        """Put the rules of a folder in force, by the command that the provider uses; its output."""
        command = [sys.executable, "-m", "handlers.cli", "apply", str(folder.resolve())]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotStart(f"The rules in {folder} were not applied: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def ml_client(self, workspace: str, principal: str | None = None) -> "MLClient":
        """A fresh, unmodified MLClient of the workspace of this name. `principal` is the client id of who acts."""
        return clients.ml_client(self.environment, self.workspaces[workspace], principal)

    def registry_client(self, name: str, principal: str | None = None) -> "MLClient":
        return clients.registry_client(self.environment, self.registries[name].name, principal)

    def service_bus_client(self) -> "ServiceBusClient":
        return clients.service_bus_client(self.environment)

    def outcomes(self) -> list[dict[str, Any]]:
        """The app's outcome events so far, as CloudEvents; on a domain, `source` is the topic that each went to."""
        return self.outcomes_topic.received(self.service_bus)

    def _start(self) -> None:
        self._ports.require_free()
        self._prepare_directory()
        undertaker = Undertaker()
        self._open.callback(undertaker.close)
        self.stand_ins = StandIns(self.directory, undertaker, self._ports, self._time_scale)
        self._open.callback(self.stand_ins.stop)
        self.stand_ins.start(self._azure_ml_config, self._service_bus_config)
        self._create_tables()
        self.stand_ins.finish()
        self._connect()
        self.host = FunctionsHost(self.directory / "logs", undertaker, self.app_settings, self._ports.host, self._app, self._python)
        self._open.callback(self.host.stop)
        if self._events_by == "queue":
            self._subscribe(event_subscriptions.queue(self.environment["ServiceBus"]))
        if self._with_host:
            self.start_host()

    def _prepare_directory(self) -> None:
        try:
            for folder in ("logs", "azurite", "azure_ml", "tls"):
                (self.directory / folder).mkdir(parents=True, exist_ok=True)
        except OSError as refused:
            reason = f"{self.directory} cannot hold the local cloud's state ({refused.strerror})"
            raise CannotStart(f"{reason}: choose another folder with --directory.") from refused
        lock = self._open.enter_context((self.directory / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"A local cloud runs in {self.directory} already: stop it, or choose another folder with --directory."
            ) from None
        make_certificates(self.directory / "tls")

    def _create_tables(self) -> None:
        """As infrastructure as code does in Azure. Here, while Azure ML starts."""
        from azure.data.tables import TableServiceClient

        connection = environment.storage(self.stand_ins.ready("azurite"))
        with TableServiceClient.from_connection_string(connection) as service:
            for name in TABLES:
                service.create_table_if_not_exists(name)

    def _connect(self) -> None:
        azurite, service_bus, azure_ml = (self.stand_ins.ready(name) for name in ("azurite", "service_bus", "azure_ml"))
        self.environment: dict[str, str] = {}
        self._set(environment.client_settings(azurite, service_bus, azure_ml), environment.SET_BY_THE_SDK)
        self.azure_ml = AzureMlControl(azure_ml["url"], Path(azure_ml["ca"]))
        self.service_bus = ServiceBusControl(service_bus["control_url"])
        self.event_grid = EventGridControl(self.stand_ins.ready("event_grid")["url"])
        published: dict[str, str] = {}
        if self._outcomes_kind:
            self.outcomes_topic = OutcomesTopic(self._outcomes_kind, self.event_grid, self.environment["ServiceBus"])
            published = self.outcomes_topic.app_settings()
        self.app_settings = environment.app_settings(self.environment, published | self._settings)

    def _set(self, settings: Mapping[str, str], *without: str) -> None:
        self.environment |= settings
        self._open.enter_context(environment.in_environment(settings, *without))

    def _subscribe(self, destination: Mapping[str, str]) -> None:
        """One event subscription for each workspace's system topic."""
        for workspace in self.workspaces.values():
            wanted = event_subscriptions.event_subscription(workspace, destination, self._event_schema, self.environment["Tables"])
            self.event_grid.subscribe(event_subscriptions.name_of(workspace), wanted)
