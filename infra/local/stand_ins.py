"""The parts that stand in for Azure's services: how each is started, in which order, and again at the same address."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.local import azurite
from infra.local.ports import Ports
from infra.local.processes import Part, Ready, Undertaker, module_command


class StandIns:
    """Azurite, Service Bus, Event Grid and Azure ML. Their state lies in `directory` and survives kill -9 of each."""

    def __init__(self, directory: Path, undertaker: Undertaker, ports: Ports, event_grid_time_scale: float) -> None:
        self._directory = directory
        self._logs = directory / "logs"
        self._undertaker = undertaker
        self._ports = ports
        self._time_scale = event_grid_time_scale
        self._parts: dict[str, Part] = {}
        self._recipes: Mapping[str, Callable[[], Part]] = {
            "azurite": self._azurite,
            "service_bus": self._service_bus,
            "event_grid": self._event_grid,
            "azure_ml": self._azure_ml,
        }

    def start(self, azure_ml: Mapping[str, Any], service_bus: Mapping[str, Any]) -> None:
        """Side by side, but for Azure ML, which has to know where the others are."""
        _write_json(self._directory / "azure_ml.json", azure_ml)
        _write_json(self._directory / "queues.json", service_bus)
        for name in ("azurite", "service_bus", "event_grid"):
            self._begin(name)
        self._finish("event_grid")
        self._finish("azurite")
        self._begin("azure_ml")

    def finish(self) -> None:
        for name in ("service_bus", "azure_ml"):
            self._finish(name)

    def ready(self, name: str) -> Ready:
        """What the part said of itself when it was ready."""
        return self._parts[name].ready

    def kill(self, name: str) -> None:
        """kill -9."""
        self._parts[name].kill()

    def restart(self, name: str) -> None:
        """Kill it where it runs, and start it again at the same address."""
        self._parts[name].kill()
        self._begin(name)
        self._finish(name)

    def require_running(self) -> None:
        for part in self._parts.values():
            part.require_running()

    def stop(self) -> None:
        for part in self._parts.values():
            part.ask_to_stop()
        for part in self._parts.values():
            part.stop()

    def _begin(self, name: str) -> None:
        part = self._recipes[name]()
        self._parts[name] = part
        part.start()

    def _finish(self, name: str) -> None:
        ready = self._parts[name].wait_until_ready()
        match name:
            case "azurite":
                self._ports.blob, self._ports.queue, self._ports.table = (_port(ready[each]) for each in azurite.SERVICES)
            case "service_bus":
                self._ports.service_bus, self._ports.service_bus_control = ready["port"], _port(ready["control_url"])
            case "event_grid":
                self._ports.event_grid, self._ports.event_grid_tls = ready["port"], ready["tls_port"]
            case _:
                setattr(self._ports, name, ready["port"])

    def _azurite(self) -> Part:
        ports = {"Blob": self._ports.blob, "Queue": self._ports.queue, "Table": self._ports.table}
        command = azurite.command(self._directory / "azurite", ports)
        return Part("azurite", command, self._logs, self._undertaker, read_ready=azurite.read_ready)

    def _service_bus(self) -> Part:
        return self._part(
            "service_bus",
            config=self._directory / "queues.json",
            database=self._directory / "service_bus.sqlite3",
            port=self._ports.service_bus,
            control_port=self._ports.service_bus_control,
        )

    def _event_grid(self) -> Part:
        return self._part(
            "event_grid",
            state=self._directory / "event_grid.sqlite3",
            port=self._ports.event_grid,
            tls=self._directory / "tls",
            tls_port=self._ports.event_grid_tls,
            time_scale=self._time_scale,
        )

    def _azure_ml(self) -> Part:
        return self._part(
            "azure_ml",
            config=self._directory / "azure_ml.json",
            state=self._directory / "azure_ml",
            tls=self._directory / "tls",
            blob_endpoint=self.ready("azurite")["Blob"],
            event_grid=self.ready("event_grid")["url"],
            port=self._ports.azure_ml,
        )

    def _part(self, name: str, **options: object) -> Part:
        return Part(name, module_command(f"infra.local.{name}", **options), self._logs, self._undertaker)


def _write_json(file: Path, document: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(document, indent=2) + "\n")


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port, f"{url} names no port"
    return port
