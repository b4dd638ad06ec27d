"""Many tenants that are well, and one workspace that can be made sick: the cloud in which fairness is measured."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from azure.data.tables import TableServiceClient

from infra.local.cloud import LocalCloud
from infra.local.topology import Registry, Workspace
from tests.bench.scene import INSTANCE_TYPE, LATENCY_MS, PUBLISHER, REGISTRY, SECONDS

SICK = Workspace("sick", "99999999-0000-0000-0000-000000000000")
SICK_SECONDS = 30.0
SICK_MODEL = "credit-card-sick"
WELL_MODELS = "credit-card-well-*"


@dataclass(frozen=True)
class FairnessScene:
    """`tenants` have each well model registered in their workspaces; the sick one has `waiting` deliveries of one model."""

    tenants: int
    waiting: int

    @cached_property
    def workspaces(self) -> list[Workspace]:
        return [Workspace(f"tenant-{n:02}") for n in range(self.tenants)]

    @contextmanager
    def cloud(self, directory: Path, settings: Mapping[str, str]) -> Iterator[LocalCloud]:
        everyone = [PUBLISHER, SICK, *self.workspaces]
        with LocalCloud(
            directory / "cloud", workspaces=everyone, registries=[Registry(REGISTRY)], seconds=SECONDS, settings=settings
        ) as cloud:
            cloud.apply_rules(self._rules(directory / "rules"))
            cloud.azure_ml.latency(LATENCY_MS)
            yield cloud
            cloud.host.kill()  # else it waits for the sick one

    def _rules(self, folder: Path) -> Path:
        (folder / "tenants").mkdir(parents=True)
        limits = {"instance_types": [INSTANCE_TYPE], "max_instances": 1}
        _write(folder / "provider.yaml", {"registries": [{"name": REGISTRY, "readers": "*"}], "limits": limits})
        publication = {"name": "cards", "registry": REGISTRY, "assets": [_models("credit-card-*")], "to": ["*"]}
        _tenant(folder, PUBLISHER, publications=[publication])
        for workspace in self.workspaces:
            _tenant(folder, workspace, subscriptions=[_subscription(WELL_MODELS, workspace, ["register"])])
        endpoints = [_endpoint(f"cards-{n:02}") for n in range(self.waiting)]
        _tenant(folder, SICK, subscriptions=[_subscription(SICK_MODEL, SICK, endpoints)])
        return folder


def make_sick(cloud: LocalCloud) -> None:
    """From now on that workspace answers after 30 s, whatever it is asked."""
    cloud.azure_ml.arm(f"/workspaces/{SICK.name}(/|$)", delay=SICK_SECONDS, times=None)


def open_deliveries(cloud: LocalCloud) -> int:
    """How many are waiting, by their rows."""
    with TableServiceClient.from_connection_string(cloud.environment["Tables"]) as service:
        found = service.get_table_client("deliveries").query_entities("RowKey ge 'o|' and RowKey lt 'o}'", select=["RowKey"])
        return sum(1 for _ in found)


def _subscription(model: str, workspace: Workspace, actions: list[Any]) -> dict[str, Any]:
    return {"name": "cards", "from": [PUBLISHER.name], "assets": [_models(model)], "into": workspace.id, "actions": actions}


def _models(name: str) -> dict[str, str]:
    return {"kind": "model", "name": name}


def _endpoint(name: str) -> dict[str, Any]:
    return {"online_endpoint": {"name": name, "instance_type": INSTANCE_TYPE, "instance_count": 1, "traffic": [100]}}


def _tenant(folder: Path, workspace: Workspace, **rules: list[dict[str, Any]]) -> None:
    document = {"id": workspace.name, "state": "active", "workspaces": [workspace.id], **rules}
    _write(folder / "tenants" / f"{workspace.name}.yaml", document)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(document), sort_keys=False))
