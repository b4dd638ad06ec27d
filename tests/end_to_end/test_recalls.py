"""A version is taken back wherever it was delivered, and the one before it serves again where there is one.

`cards` has two versions everywhere, of which the second is recalled; `debts` has one, and `risks` one that is being deployed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.cloud import LocalCloud
from shared.states import DeliveryState
from tests.end_to_end.catalogue import Known, in_registry, in_workspace
from tests.end_to_end.endpoint_parts import (
    SAMPLE,
    Application,
    answering,
    batch,
    batch_endpoint,
    deliveries,
    deploy_by_hand,
    deployments,
    ended,
    online,
    set_traffic,
    told,
    traffic,
)
from tests.end_to_end.support import (
    OFTEN,
    QUICK,
    REGISTRY,
    endpoint,
    eventually,
    publication,
    register,
    rejected,
    rules_of,
    send,
    subscription,
    tenant,
)

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # azure-ai-ml itself calls what is deprecated
WHY = "it refuses customers for their age"


@dataclass(frozen=True, slots=True)
class Scene:
    cloud: LocalCloud
    client: "MLClient"
    folder: Path

    def arrive(self, name: str, version: str, *routes: str) -> None:
        self.register(name, version)
        eventually(f"{name}:{version} everywhere", lambda: ended(name, version, *routes))

    def register(self, name: str, version: str) -> None:
        register(self.client, name, version, answering(self.folder / f"{name}-{version}", int(version)))

    def recall(self, name: str, version: str) -> None:
        asset = {"kind": "model", "name": name, "version": version}
        send(self.cloud, f"recall-{name}-{version}", {"type": "recall", "asset": asset, "reason": WHY}, "case-7")

    def recalled(self, name: str, version: str) -> dict[str, Any]:
        """The provider's outcome event, the one that names all workspaces."""
        eventually(f"the recall of {name}:{version}", lambda: self._events(name, version))
        return max(self._events(name, version), key=lambda event: len(event["workspaces"]))

    def _events(self, name: str, version: str) -> list[dict[str, Any]]:
        found = told(self.cloud, "AssetRecalled")
        return [event for event in found if (event["asset"]["name"], event["asset"]["version"]) == (name, version)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with LocalCloud(
        tmp_path_factory.mktemp("cloud"), seconds=QUICK, settings=OFTEN, azure_ml={"retry_after_ms": 100}, outcomes="topic"
    ) as cloud:
        cloud.apply_rules(_rules(cloud, tmp_path_factory.mktemp("rules")))
        yield Scene(cloud, cloud.ml_client("workspace1"), tmp_path_factory.mktemp("models"))


def _rules(cloud: LocalCloud, folder: Path) -> Path:
    there = cloud.workspaces
    wishes: list[tuple[str, str, dict[str, list[Any]]]] = [
        (
            "fabrikam",
            "workspace2",
            {
                "cards": ["register", online("cards", (10, 100), sample_request=SAMPLE)],
                "debts": [online("debts")],
                "risks": [online("risks")],
            },
        ),
        ("tailwind", "workspace3", {"cards": [online("beside")]}),
        ("adventure", "workspace4", {"cards": [batch("nightly")]}),
    ]
    subscribers = [
        tenant(
            name,
            there[home],
            subscriptions=[subscription(model, there[home], ["model"], actions, model) for model, actions in models.items()],
        )
        for name, home, models in wishes
    ]
    return rules_of(folder, tenant("northwind", there["workspace1"], publications=[publication("all", ["model"])]), *subscribers)


# ---- of a version that serves


@dataclass(frozen=True, slots=True)
class Recall:
    """`event` tells of it; `application` asked endpoint `cards` all through it."""

    event: dict[str, Any]
    application: Application


@pytest.fixture(scope="module")
def recall(scene: Scene) -> Recall:
    scene.arrive("cards", "1", "register", "cards", "beside", "nightly")
    scene.arrive("cards", "2", "register", "cards", "beside", "nightly")
    tailwind = scene.cloud.ml_client("workspace3")
    deploy_by_hand(tailwind, "beside", "champion", f"azureml://registries/{REGISTRY}/models/cards/versions/1")
    ours = deployments(endpoint(scene.cloud, "workspace3", "beside"))["2"]["name"]
    set_traffic(tailwind, "beside", {"champion": 30, ours: 70})
    with Application(scene.cloud, "workspace2", "cards") as application:
        scene.recall("cards", "2")
        event = scene.recalled("cards", "2")
    return Recall(event, application)


def test_the_version_before_serves_again_and_nobody_is_refused_meanwhile(scene: Scene, recall: Recall) -> None:
    there = endpoint(scene.cloud, "workspace2", "cards")
    assert traffic(there) == {"1": 100}
    assert deployments(there).keys() == {"1"}
    assert recall.application.failed == []
    assert recall.application.numbers == [2, 1]


@pytest.mark.usefixtures("recall")
def test_a_tenants_own_share_stays_what_it_was(scene: Scene) -> None:
    assert traffic(endpoint(scene.cloud, "workspace3", "beside")) == {"champion": 30, "1": 70}


@pytest.mark.usefixtures("recall")
def test_the_version_before_is_the_batch_endpoints_default_again(scene: Scene) -> None:
    there = batch_endpoint(scene.cloud, "workspace4", "nightly")
    assert deployments(there).keys() == {"1"}
    assert there["default"] == deployments(there)["1"]["name"]


@pytest.mark.usefixtures("recall")
def test_it_is_archived_in_the_registry_and_where_it_was_registered_and_the_one_before_is_not(scene: Scene) -> None:
    for version, archived in (("1", False), ("2", True)):
        cards = Known("model", "cards", version)
        assert in_registry(scene.cloud, REGISTRY, cards)["isArchived"] is archived
        assert in_workspace(scene.cloud, "workspace2", cards)["isArchived"] is archived
    assert not in_workspace(scene.cloud, "workspace1", Known("model", "cards", "2"))["isArchived"]


def test_the_outcome_lists_every_workspace_with_what_was_done(scene: Scene, recall: Recall) -> None:
    done = {
        (each["workspace"].rpartition("/")[2], each["route"]): (each["state"], each["done"]) for each in recall.event["workspaces"]
    }
    assert done == {
        ("workspace2", "register"): ("recalled", "archived"),
        ("workspace2", "online_endpoint/cards"): ("recalled", "removed from endpoint cards; version 1 serves again"),
        ("workspace3", "online_endpoint/beside"): ("recalled", "removed from endpoint beside; version 1 serves again"),
        ("workspace4", "batch_endpoint/nightly"): ("recalled", "removed from endpoint nightly; version 1 serves again"),
    }
    assert recall.event["why"] == WHY


def test_each_tenant_is_told_of_its_own_workspaces_alone(scene: Scene, recall: Recall) -> None:
    events = [event for event in told(scene.cloud, "AssetRecalled") if event["asset"] == recall.event["asset"]]
    tenants = [sorted({each["tenant"] for each in event["workspaces"]}) for event in events]
    assert sorted(tenants) == [["adventure"], ["adventure", "fabrikam", "tailwind"], ["fabrikam"], ["tailwind"]]


# ---- of the only version


def test_where_there_was_no_other_version_the_endpoint_is_left_without_any(scene: Scene) -> None:
    scene.arrive("debts", "1", "debts")
    scene.recall("debts", "1")
    (undone,) = scene.recalled("debts", "1")["workspaces"]
    assert undone["done"] == "removed from endpoint debts; no other version of Fanout's serves there"
    there = endpoint(scene.cloud, "workspace2", "debts")
    assert (traffic(there), deployments(there), there["state"]) == ({}, {}, "Succeeded")


# ---- of a version on its way


def test_a_recall_wins_over_a_deployment_that_is_being_created(scene: Scene) -> None:
    scene.arrive("risks", "1", "risks")
    scene.cloud.azure_ml.seconds(deployment=4)
    scene.register("risks", "2")
    eventually("version 2 being deployed", lambda: _state(scene.cloud, "risks", "2") == "Creating")
    scene.recall("risks", "2")
    (undone,) = scene.recalled("risks", "2")["workspaces"]
    assert undone["done"] == "removed from endpoint risks; version 1 still serves"
    assert traffic(endpoint(scene.cloud, "workspace2", "risks")) == {"1": 100}
    assert deployments(endpoint(scene.cloud, "workspace2", "risks")).keys() == {"1"}
    assert deliveries("risks", "2")["2", "risks"].state is DeliveryState.RECALLED
    assert told(scene.cloud, "AssetDelivered", delivery=undone["delivery"]) == []
    assert rejected(scene.cloud) == []


def _state(cloud: LocalCloud, name: str, version: str) -> str | None:
    return deployments(endpoint(cloud, "workspace2", name)).get(version, {}).get("state")
