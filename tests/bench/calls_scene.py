"""A publisher, three subscribers, and shares and deliveries between them: one after the other, each alone in the request log."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure.servicebus import ServiceBusMessage, ServiceBusSender

from infra.local.cloud import LocalCloud
from infra.local.topology import Registry, Workspace
from tests.bench.calls_needed import COPYING, REFERRING, SERVING, Route
from tests.bench.outcome import Request
from tests.bench.scene import PUBLISHER
from tests.end_to_end.catalogue import Author, Known, in_registry
from tests.end_to_end.support import REGISTRY, eventually, idle, publication, rules_of, tenant

AT_ONCE = {"import": 0.05, "asset": 0.05, "endpoint": 0.05, "deployment": 0.05}
KINDS = ("model", "data", "environment", "component")


class CallsScene:
    """The app is warm: what it asks once in a process it has asked."""

    def __init__(self, cloud: LocalCloud, commands: ServiceBusSender, folder: Path) -> None:
        self._cloud = cloud
        self._commands = commands
        self._author = Author(cloud, PUBLISHER.name, folder)
        self._assets: dict[tuple[str, str], Known] = {}
        self._numbers = itertools.count()
        first = self._author.model("first")
        self._await_share(first)
        self._pull(first, REFERRING, "register")
        eventually("the first delivery", lambda: idle(cloud))

    def requests(self, route: Route) -> list[Request]:
        """All that Azure ML got for one share or delivery, until nothing was left to do."""
        since = self._deliver(route, route.into) if route.into else self._share(route.kind)
        wanted = [need.why for need in route.needs]
        eventually(f"{route.name}: {wanted}", lambda: not route.missing(self._cloud.azure_ml.requests(since)))
        eventually(f"{route.name}: no work left", lambda: idle(self._cloud))
        return self._cloud.azure_ml.requests(since)

    def _share(self, kind: str) -> int:
        """The number of the last request before it."""
        asset = self._assets[kind, "1"] = self._registered(kind)
        if kind == "model":  # whose registration is an event
            return self._last("PUT", f"{PUBLISHER.name}/models/{asset.name}/versions/1")
        last = self._last()
        self._command("share", workspace=PUBLISHER.id, asset=asset.command)
        return last

    def _deliver(self, route: Route, into: Workspace) -> int:
        """The number of the last request before it."""
        which = (route.kind, route.version)
        if which not in self._assets:
            self._assets[which] = self._author.model("cards", route.version)
            self._await_share(self._assets[which])
        last = self._last()
        self._pull(self._assets[which], into, route.action)
        return last

    def _registered(self, kind: str) -> Known:
        match kind:
            case "model":
                return self._author.model("cards")
            case "data":
                return self._author.data("rows", "uri_folder")
            case "environment":
                return self._author.environment("conda")
            case _:
                return self._author.component("train", self._assets["environment", "1"])

    def _await_share(self, asset: Known) -> None:
        eventually(f"{asset} in the registry", lambda: in_registry(self._cloud, REGISTRY, asset))
        eventually("no work left", lambda: idle(self._cloud))

    def _pull(self, asset: Known, into: Workspace, action: object) -> None:
        """Pulled, so that no delivery follows a share at once; one handler does all deliveries, whoever asked for them."""
        self._command("pull", tenant=into.name, workspace=into.id, asset=asset.command, actions=[action])

    def _command(self, command: str, **fields: Any) -> None:
        body = json.dumps({"type": command, **fields})
        self._commands.send_messages(ServiceBusMessage(body, message_id=f"{command}-{next(self._numbers)}"))

    def _last(self, method: str = "", path: str = "") -> int:
        found: list[int] = [
            each["n"] for each in self._cloud.azure_ml.requests() if method in each["method"] and each["path"].endswith(path)
        ]
        return max(found)


@contextmanager
def calls_scene(directory: Path) -> Iterator[CallsScene]:
    subscribers = (REFERRING, COPYING, SERVING)
    workspaces, registries = (PUBLISHER, *subscribers), [Registry(REGISTRY)]
    timer = {"FANOUT_RECONCILE_SCHEDULE": "0 0 0 1 1 *"}  # not meanwhile: its reads are nobody's delivery
    with LocalCloud(directory / "cloud", workspaces=workspaces, registries=registries, seconds=AT_ONCE, settings=timer) as cloud:
        published = tenant(PUBLISHER.name, PUBLISHER, publications=[publication("all", KINDS)])
        cloud.apply_rules(rules_of(directory / "rules", published, *(tenant(each.name, each) for each in subscribers)))
        with cloud.service_bus_client() as client, client.get_queue_sender("commands") as commands:
            yield CallsScene(cloud, commands, directory / "files")
