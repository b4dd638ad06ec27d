"""Five versions of a model at once, their events shuffled and repeated: the newest serves, and nothing else is left behind.

Version 2 comes first, and its deployment is being created when the others arrive.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from shared.rows import DeliveryRow
from shared.states import DeliveryState
from tests.end_to_end.endpoint_parts import answering, deliveries, deployments, ended, online, traffic
from tests.end_to_end.support import (
    OFTEN,
    QUICK,
    accepted,
    endpoint,
    eventually,
    idle,
    register,
    registry_models,
    rejected,
    rules,
    send,
    twice,
    unreconciled,
)

VERSIONS = ("1", "2", "3", "4", "5")
HOME = {"cards": "workspace2", "lean": "workspace3"}
KEPT = {"cards": 1, "lean": 0}


@dataclass(frozen=True, slots=True)
class Scene:
    """What it came to: the rows by version and endpoint, the endpoints by name."""

    cloud: LocalCloud
    rows: Mapping[tuple[str, str], DeliveryRow]
    there: Mapping[str, dict[str, Any]]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with LocalCloud(tmp_path_factory.mktemp("cloud"), seconds=QUICK | {"deployment": 4}, settings=OFTEN) as cloud:
        cloud.apply_rules(_rules(cloud, tmp_path_factory.mktemp("rules")))
        cloud.event_grid.duplication(0.5)
        cloud.service_bus.duplication("wakeups", 0.2)
        cloud.event_grid.pause(True)
        with unreconciled(cloud):  # it would find version 5 first
            _register_all(cloud, tmp_path_factory.mktemp("models"))
            _share(cloud, "2")
            eventually("version 2 being deployed", lambda: _state(cloud, "2") == "Creating")
        cloud.event_grid.pause(False)
        eventually("all versions everywhere", lambda: all(ended("cards", version, *HOME) for version in VERSIONS), 90)
        eventually("quiet", lambda: idle(cloud))
        there = {name: endpoint(cloud, workspace, name) for name, workspace in HOME.items()}
        yield Scene(cloud, deliveries("cards", *VERSIONS), there)


def _rules(cloud: LocalCloud, folder: Path) -> Path:
    there = cloud.workspaces
    subscribers: dict[str, Any] = {
        "fabrikam": (there["workspace2"], [online("cards", (10, 100))]),
        "tailwind": (there["workspace3"], [online("lean", keep=0)]),
    }
    return rules(folder, there["workspace1"], subscribers)


def _register_all(cloud: LocalCloud, folder: Path) -> None:
    """In order, so that 5 is the newest. Their events, and more of them in another order, wait in Event Grid."""
    client = cloud.ml_client("workspace1")
    again = [_event(cloud, version) for version in VERSIONS] * 3
    random.shuffle(again)
    cloud.event_grid.publish(again[:8])
    for version in VERSIONS:
        register(client, "cards", version, answering(folder / version, int(version)))
    cloud.event_grid.publish(again[8:])


def _event(cloud: LocalCloud, version: str) -> dict[str, Any]:
    return {
        "id": f"again-{random.randrange(10**9)}",
        "topic": cloud.workspaces["workspace1"].id,
        "subject": f"models/cards:{version}",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2026-01-01T00:00:00.0000000Z",
        "data": {"ModelName": "cards", "ModelVersion": version, "ModelTags": {}, "ModelProperties": {}},
        "dataVersion": "",
        "metadataVersion": "1",
    }


def _share(cloud: LocalCloud, version: str) -> None:
    asset = {"kind": "model", "name": "cards", "version": version}
    send(cloud, f"share-{version}", {"type": "share", "workspace": cloud.workspaces["workspace1"].id, "asset": asset})


def _state(cloud: LocalCloud, version: str) -> str | None:
    return deployments(endpoint(cloud, "workspace2", "cards")).get(version, {}).get("state")


def test_the_others_arrived_while_version_2_was_being_deployed(scene: Scene) -> None:
    deployed = next(attempt.at for attempt in scene.rows["2", "cards"].attempts if attempt.step.startswith("traffic"))
    arrived = {version: scene.rows[version, "cards"].created_at for version in "1345"}
    assert all(at < deployed for at in arrived.values()), arrived


@pytest.mark.parametrize("name", HOME)
def test_the_newest_serves_all(scene: Scene, name: str) -> None:
    assert traffic(scene.there[name]) == {"5": 100}


@pytest.mark.parametrize("name", HOME)
def test_nothing_is_left_but_the_newest_and_what_the_subscription_keeps(scene: Scene, name: str) -> None:
    there = deployments(scene.there[name])
    assert len(there) <= 1 + KEPT[name]
    assert {each["state"] for each in there.values()} == {"Succeeded"}
    assert scene.cloud.azure_ml.state()["operations"] == []


@pytest.mark.parametrize("name", HOME)
def test_the_rows_say_delivered_or_superseded(scene: Scene, name: str) -> None:
    states = {version: scene.rows[version, name].state for version in VERSIONS}
    assert set(states.values()) <= {DeliveryState.DELIVERED, DeliveryState.SUPERSEDED}
    assert (states["2"], states["5"]) == (DeliveryState.DELIVERED, DeliveryState.DELIVERED)


def test_each_version_is_in_the_registry_and_nothing_was_made_twice(scene: Scene) -> None:
    assert registry_models(scene.cloud) == {f"cards:{version}" for version in VERSIONS}
    for method, path in (("POST", "/import"), ("PUT", "/deployments/")):
        assert twice(accepted(scene.cloud, method, path)) == {}
    assert rejected(scene.cloud) == []
