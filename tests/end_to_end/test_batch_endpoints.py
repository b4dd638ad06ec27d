"""Batch endpoints: the newest version is the default, unless the tenant has one of its own there, and what fails leaves nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.cloud import LocalCloud
from shared.rows import DeliveryRow
from shared.states import DeliveryState
from tests.end_to_end.endpoint_parts import batch, batch_endpoint, deliveries, deployments, ended
from tests.end_to_end.support import OFTEN, QUICK, REGISTRY, accepted, eventually, mlflow_folder, register, rules, twice

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # azure-ai-ml itself calls what is deprecated
HOME = {"nightly": "workspace2", "nightly-lean": "workspace2", "taken": "workspace3", "adopted": "workspace3", "open": "workspace3"}
OWN = ("taken", "adopted", "open")
REFUSED = "The compute cpu-cluster has no nodes left in westeurope."


@dataclass(frozen=True, slots=True)
class Scene:
    """`first` and `second` are the endpoints by name after versions 1 and 2 had come."""

    cloud: LocalCloud
    client: "MLClient"
    folder: Path
    first: dict[str, dict[str, Any]]
    second: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("models")
    with LocalCloud(
        tmp_path_factory.mktemp("cloud"), seconds=QUICK, settings=OFTEN, azure_ml={"retry_after_ms": 100}, outcomes="topic"
    ) as cloud:
        cloud.apply_rules(_rules(cloud, tmp_path_factory.mktemp("rules")))
        client = cloud.ml_client("workspace1")
        _own_endpoints(cloud.ml_client("workspace3"), folder)
        first, second = (_arrive(cloud, client, folder, version) for version in ("1", "2"))
        yield Scene(cloud, client, folder, first, second)


def _rules(cloud: LocalCloud, folder: Path) -> Path:
    there = cloud.workspaces
    subscribers: dict[str, Any] = {
        "fabrikam": (there["workspace2"], [batch("nightly"), batch("nightly-lean", keep=0)]),
        "tailwind": (there["workspace3"], [batch("taken"), batch("adopted", adopt=True), batch("open", adopt=True)]),
    }
    return rules(folder, there["workspace1"], subscribers)


def _own_endpoints(client: "MLClient", folder: Path) -> None:
    """Tailwind has three of its own; on all but `open` its own deployment is the default."""
    from azure.ai.ml.entities import BatchEndpoint, ModelBatchDeployment, ModelBatchDeploymentSettings

    register(client, "own", "1", mlflow_folder(folder / "own"))
    endpoints = client.batch_endpoints
    for name in OWN:
        endpoints.begin_create_or_update(BatchEndpoint(name=name, tags={"team": "risk"})).result()
        settings = ModelBatchDeploymentSettings(instance_count=1, mini_batch_size=5)
        own = ModelBatchDeployment(name="own", endpoint_name=name, model="azureml:own:1", compute="cpu-cluster", settings=settings)
        client.batch_deployments.begin_create_or_update(own).result()
        if name != "open":
            found = endpoints.get(name)
            found.defaults = {"deployment_name": "own"}
            endpoints.begin_create_or_update(found).result()


def _arrive(cloud: LocalCloud, client: "MLClient", folder: Path, version: str) -> dict[str, dict[str, Any]]:
    register(client, "cards", version, mlflow_folder(folder / version, version))
    eventually(f"version {version} everywhere", lambda: ended("cards", version, *HOME))
    return {name: batch_endpoint(cloud, workspace, name) for name, workspace in HOME.items()}


def default(there: dict[str, Any]) -> str | None:
    """The version that a job gets which names no deployment, or the name of the tenant's own."""
    return next((label for label, each in deployments(there).items() if each["name"] == there["default"]), None)


def test_the_endpoint_is_made_and_the_version_is_its_default(scene: Scene) -> None:
    made = scene.first["nightly"]
    assert default(made) == "1"
    deployed = deployments(made)["1"]
    assert deployed["model"] == f"azureml://registries/{REGISTRY}/models/cards/versions/1"
    assert deployed["compute"].endswith("/workspaces/workspace2/computes/cpu-cluster")
    assert made["tags"]["fanout_tenant"] == deployed["tags"]["fanout_tenant"] == "fabrikam"


def test_the_next_version_becomes_the_default_and_the_one_before_is_kept(scene: Scene) -> None:
    assert default(scene.second["nightly"]) == "2"
    assert deployments(scene.second["nightly"]).keys() == {"1", "2"}


def test_none_is_kept_where_the_subscription_says_so(scene: Scene) -> None:
    assert default(scene.second["nightly-lean"]) == "2"
    assert deployments(scene.second["nightly-lean"]).keys() == {"2"}


def test_a_tenants_own_endpoint_is_left_alone(scene: Scene) -> None:
    assert scene.second["taken"] == scene.first["taken"]
    assert deployments(scene.second["taken"]).keys() == {"own"}
    reason = _row("2", "taken").reason
    assert reason
    assert reason.code == "endpoint_taken"


def test_a_tenants_own_default_stays_where_the_endpoint_may_be_adopted(scene: Scene) -> None:
    for there in (scene.first["adopted"], scene.second["adopted"]):
        assert default(there) == "own"
        assert there["tags"] == {"team": "risk"}
    assert deployments(scene.second["adopted"]).keys() == {"own", "1", "2"}
    assert (_row("2", "adopted").state, _row("2", "adopted").traffic) == (DeliveryState.DELIVERED, 0)


def test_an_adopted_endpoint_without_a_default_gets_ours(scene: Scene) -> None:
    assert default(scene.first["open"]) == "1"
    assert default(scene.second["open"]) == "2"


def test_nothing_was_made_twice(scene: Scene) -> None:
    made = accepted(scene.cloud, "PUT", "/deployments/")
    assert len(made) >= 8
    assert twice(made) == {}


@pytest.mark.parametrize(
    ("version", "what"),
    [("3", "PUT .*/nightly/deployments/v3"), ("4", "PUT .*/batchEndpoints/nightly([?]|$)")],
    ids=["deployment", "switch"],
)
def test_what_fails_is_removed_and_the_default_stays(scene: Scene, version: str, what: str) -> None:
    scene.cloud.azure_ml.arm(what, operation={"code": "ComputeFailed", "message": REFUSED})
    there = _arrive(scene.cloud, scene.client, scene.folder, version)
    assert default(there["nightly"]) == "2"
    assert deployments(there["nightly"]).keys() == {"1", "2"}
    assert there["nightly"]["state"] == "Succeeded"
    row = _row(version, "nightly")
    assert row.state is DeliveryState.FAILED
    assert REFUSED in str(row.reason)
    assert default(there["nightly-lean"]) == version


def _row(version: str, name: str) -> DeliveryRow:
    return deliveries("cards", version)[version, name]
