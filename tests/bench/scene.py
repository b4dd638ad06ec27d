"""What both contestants meet: the workspaces, the tenants' rules, and an Azure ML that is equally slow to both."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml

from infra.local.cloud import LocalCloud
from infra.local.topology import Registry, Workspace

type Action = Literal["register", "online_endpoint"]

REGISTRY = "contoso-hub"
PUBLISHER = Workspace("publisher")
INSTANCE_TYPE = "Standard_DS3_v2"
AZURE_SUBSCRIPTIONS = 5
LATENCY_MS = 50
SECONDS = {"import": 2.0, "endpoint": 1.0, "deployment": 2.0}

# Two registrations: the first finds each contestant's process cold, the second warm. The script's are others, since
# what one contestant delivered the other would find there.
FIRST, SECOND = "credit-card-first", "credit-card-second"


@dataclass(frozen=True)
class Scene:
    """`poll_ms` is what Azure ML tells the SDK to wait between two looks at an operation.

    None: it does not say, and the SDK looks every 5 s or 30 s. Fanout has a rhythm of its own.
    """

    action: Action
    tenants: int
    poll_ms: int | None

    @cached_property
    def workspaces(self) -> list[Workspace]:
        return [Workspace(f"tenant-{n:02}", _azure_subscription(n)) for n in range(self.tenants)]

    @contextmanager
    def cloud(self, directory: Path) -> Iterator[LocalCloud]:
        """The local cloud without the app, whose rules are in force already."""
        azure_ml = {"retry_after_ms": self.poll_ms}
        everyone = [PUBLISHER, *self.workspaces]
        registries = [Registry(REGISTRY)]
        with LocalCloud(
            directory / "cloud", workspaces=everyone, registries=registries, seconds=SECONDS, azure_ml=azure_ml, with_host=False
        ) as cloud:
            cloud.apply_rules(self._rules(directory / "rules"))
            cloud.azure_ml.latency(LATENCY_MS)
            yield cloud

    def endpoint(self, model: str, workspace: Workspace) -> str:
        """A name that is free in the whole region."""
        return f"{model.removeprefix('credit-card-')}-{workspace.name}"

    def _rules(self, folder: Path) -> Path:
        tenants = folder / "tenants"
        tenants.mkdir(parents=True)
        limits = {"instance_types": [INSTANCE_TYPE], "max_instances": 1}
        _write(folder / "provider.yaml", {"registries": [{"name": REGISTRY, "readers": "*"}], "limits": limits})
        publication = {"name": "cards", "registry": REGISTRY, "assets": [{"kind": "model", "name": "credit-card-*"}], "to": ["*"]}
        _write(tenants / "publisher.yaml", _tenant(PUBLISHER) | {"publications": [publication]})
        for workspace in self.workspaces:
            subscriptions = [self._subscription(model, workspace) for model in (FIRST, SECOND)]
            _write(tenants / f"{workspace.name}.yaml", _tenant(workspace) | {"subscriptions": subscriptions})
        return folder

    def _subscription(self, model: str, workspace: Workspace) -> dict[str, Any]:
        wanted = {"from": [PUBLISHER.name], "assets": [{"kind": "model", "name": model}], "into": workspace.id}
        return {"name": model, **wanted, "actions": [self._action(model, workspace)]}

    def _action(self, model: str, workspace: Workspace) -> object:
        if self.action == "register":
            return "register"
        name = self.endpoint(model, workspace)
        return {"online_endpoint": {"name": name, "instance_type": INSTANCE_TYPE, "instance_count": 1, "traffic": [100]}}


def _azure_subscription(number: int) -> str:
    return f"{number % AZURE_SUBSCRIPTIONS:08}-0000-0000-0000-000000000000"


def _tenant(workspace: Workspace) -> dict[str, Any]:
    return {"id": workspace.name, "state": "active", "workspaces": [workspace.id]}


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False))
