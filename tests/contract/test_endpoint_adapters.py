"""Endpoints through the real SDK against the local Azure ML: what is sent, what comes of it, and how many calls a delivery costs.

The rows and queues of the deliveries are in memory; their endpoints are not.
"""

import json
import pickle
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import yaml
from sklearn.linear_model import LogisticRegression

from infra.local.cloud import LocalCloud
from infra.local.topology import Registry, Workspace
from shared.actions import AuthMode, BatchEndpoint, OnlineEndpoint, Scoring
from shared.actions import Endpoint as Action
from shared.assets import WorkspaceId
from shared.azure_ml_ports import OperationState
from shared.bootstrap import AzureFanout
from shared.endpoints import Endpoint, NewDeployment
from shared.errors import Permanent, Transient
from shared.states import DeliveryState
from tests.end_to_end.support import eventually, register
from tests.fakes import World
from tests.unit.endpoint_world import FABRIKAM, a_subscriber_of, deliveries, publish, recall, states
from tests.unit.world import CARDS, credit_card

# azure-ai-ml itself calls what is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
AT_ONCE = {"import": 0.05, "endpoint": 0.0, "deployment": 0.0}
ROWS = [[0.1, 0.2], [2.9, 3.2]]
SAMPLE, NONSENSE = json.dumps({"input_data": ROWS}), json.dumps({"input_data": [["x", "y"]]})
NIGHTLY = BatchEndpoint("nightly", "cpu-cluster")
VERSIONS = ("1", "2", "3")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    workspaces = [Workspace("publisher", "s", "g"), Workspace("fabrikam", "s", "g")]
    with LocalCloud(
        tmp_path_factory.mktemp("cloud"),
        workspaces=workspaces,
        registries=[Registry("hub")],
        seconds=AT_ONCE,
        with_host=False,
        azure_ml={"retry_after_ms": 20},
    ) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def azure(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureFanout]:
    """With the versions of a model that really scores in the registry."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in cloud.app_settings.items():
            environment.setenv(name, value)
        azure = AzureFanout()
        publisher = WorkspaceId.parse(cloud.workspaces["publisher"].id)
        for version in VERSIONS:
            asset = credit_card(version)
            register(cloud.ml_client("publisher"), asset.name, version, a_regression(tmp_path_factory.mktemp("model")))
            azure.registries.begin_import("hub", asset, publisher, asset)
            eventually("the copy", lambda asset=asset: azure.registries.asset("hub", asset))  # type: ignore[misc]
        yield azure


def a_regression(folder: Path) -> Path:
    model = LogisticRegression().fit(numpy.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), [0, 0, 1, 1])
    flavors = {"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {"pickled_model": "model.pkl"}}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    return folder


# ---- step by step


def through(azure: AzureFanout, operation: str | None) -> None:
    assert operation
    eventually("its end", lambda: azure.endpoints.operation(operation) is OperationState.SUCCEEDED)


def make(azure: AzureFanout, action: Action, *deployments: str) -> Endpoint:
    if azure.endpoints.endpoint(FABRIKAM, action) is None:
        through(azure, azure.endpoints.begin_endpoint(FABRIKAM, action, {"team": "risk"}))
    for name in deployments:
        through(azure, azure.endpoints.begin_deployment(FABRIKAM, action, new(azure, name)))
    return look(azure, action)


def new(azure: AzureFanout, name: str) -> NewDeployment:
    model = azure.registries.asset("hub", credit_card("1"))
    assert model
    return NewDeployment(name, model, None, {"fanout_tenant": "fabrikam"})


def look(azure: AzureFanout, action: Action) -> Endpoint:
    found = azure.endpoints.endpoint(FABRIKAM, action)
    assert found
    return found


@pytest.mark.parametrize("action", [replace(CARDS, name="steps"), replace(NIGHTLY, name="steps-by-night")], ids=["online", "batch"])
def test_an_endpoint_is_made_changed_and_emptied_without_a_poller(azure: AzureFanout, action: Action) -> None:
    assert azure.endpoints.endpoint(FABRIKAM, action) is None  # whatever threads a client starts are there now
    through(azure, azure.endpoints.begin_endpoint(FABRIKAM, action, {"team": "risk"}))
    threads = threading.active_count()

    there = make(azure, action, "blue", "green")
    assert (there.state, there.traffic, there.tags) == ("succeeded", {}, {"team": "risk"})
    assert [(each.name, each.state, each.tags) for each in there.deployments] == [
        ("blue", "succeeded", {"fanout_tenant": "fabrikam"}),
        ("green", "succeeded", {"fanout_tenant": "fabrikam"}),
    ]
    through(azure, azure.endpoints.begin_traffic(FABRIKAM, action, there, {"blue": 100}))
    assert look(azure, action).traffic == {"blue": 100}
    with pytest.raises(Permanent):
        azure.endpoints.begin_delete_deployment(FABRIKAM, action, "blue")
    through(azure, azure.endpoints.begin_traffic(FABRIKAM, action, look(azure, action), {}))
    assert look(azure, action).traffic == {}
    through(azure, azure.endpoints.begin_delete_deployment(FABRIKAM, action, "blue"))
    assert [each.name for each in look(azure, action).deployments] == ["green"]
    assert threading.active_count() == threads


def requests_of(cloud: LocalCloud, since: int, method: str) -> list[dict[str, Any]]:
    found = [each for each in cloud.azure_ml.requests(since) if each["method"] == method]
    return [{field: each[field] for field in ("path", "query", "body")} for each in found]


def last(cloud: LocalCloud) -> int:
    return max((int(request["n"]) for request in cloud.azure_ml.requests()), default=0)


def test_fanout_and_the_sdk_send_the_same_to_change_the_traffic(cloud: LocalCloud, azure: AzureFanout) -> None:
    action = replace(CARDS, name="same-traffic")
    there = make(azure, action, "blue")
    before = last(cloud)
    through(azure, azure.endpoints.begin_traffic(FABRIKAM, action, there, {"blue": 100}))
    (ours,) = requests_of(cloud, before, "PUT")

    through(azure, azure.endpoints.begin_traffic(FABRIKAM, action, look(azure, action), {}))
    client = cloud.ml_client("fabrikam").online_endpoints
    found = client.get(action.name)
    found.traffic = {"blue": 100}
    before = last(cloud)
    client.begin_create_or_update(found).result()
    (theirs,) = requests_of(cloud, before, "PUT")
    assert without_defaults(ours) == without_defaults(theirs)


def test_fanout_and_the_sdk_send_the_same_to_change_the_default(cloud: LocalCloud, azure: AzureFanout) -> None:
    action = replace(NIGHTLY, name="same-default")
    there = make(azure, action, "blue")
    before = last(cloud)
    through(azure, azure.endpoints.begin_traffic(FABRIKAM, action, there, {"blue": 100}))
    (ours,) = requests_of(cloud, before, "PUT")

    through(azure, azure.endpoints.begin_traffic(FABRIKAM, action, look(azure, action), {}))
    client = cloud.ml_client("fabrikam").batch_endpoints
    found = client.get(action.name)
    found.defaults = {"deployment_name": "blue"}
    before = last(cloud)
    client.begin_create_or_update(found).result()
    (theirs,) = requests_of(cloud, before, "PUT")
    theirs["body"]["identity"] = ours["body"]["identity"]  # the SDK forgets it
    assert without_defaults(ours) == without_defaults(theirs)


def without_defaults(request: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing: an empty value, the access that every endpoint has, and who made it, which the SDK sends along."""
    ignored = ("publicNetworkAccess", "properties")
    properties = {name: value for name, value in request["body"]["properties"].items() if value and name not in ignored}
    properties["authMode"] = properties["authMode"].lower()
    return request | {"body": request["body"] | {"properties": properties}}


def test_what_a_tenant_set_on_its_endpoint_stays_when_the_traffic_changes(cloud: LocalCloud, azure: AzureFanout) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    action = replace(CARDS, name="their-own")
    client = cloud.ml_client("fabrikam").online_endpoints
    own = ManagedOnlineEndpoint(name=action.name, auth_mode="aml_token", description="ours since 2024", tags={"team": "risk"})
    client.begin_create_or_update(own).result()
    there = make(azure, action, "blue")
    through(azure, azure.endpoints.begin_traffic(FABRIKAM, action, there, {"blue": 100}))
    found = client.get(action.name)
    assert (found.auth_mode, found.description, found.tags) == ("aml_token", "ours since 2024", {"team": "risk"})
    assert found.traffic == {"blue": 100}


def test_a_deployment_that_fails_says_why(cloud: LocalCloud, azure: AzureFanout) -> None:
    action = replace(CARDS, name="too-small")
    make(azure, action)
    cloud.azure_ml.arm("PUT .*/deployments/", operation={"code": "OutOfQuota", "message": "Not enough quota"})
    operation = azure.endpoints.begin_deployment(FABRIKAM, action, new(azure, "blue"))
    assert operation

    def failed() -> bool:
        try:
            azure.endpoints.operation(operation)
        except Permanent as failure:
            return failure.reason.code == "out_of_quota" and "Not enough quota" in failure.reason.text
        return False

    eventually("the failure", failed)
    (left,) = look(azure, action).deployments
    assert left.state == "failed"


# ---- the sample request


@pytest.mark.parametrize("mode", AuthMode)
def test_a_deployment_is_tried_out_whatever_opens_its_endpoint(azure: AzureFanout, mode: AuthMode) -> None:
    action = replace(CARDS, name=f"tried-{mode}".replace("_", "-"), auth_mode=mode)
    there = make(azure, action, "blue")
    azure.endpoints.smoke_test(FABRIKAM, there, "blue", SAMPLE)
    with pytest.raises(Permanent) as refused:
        azure.endpoints.smoke_test(FABRIKAM, there, "blue", NONSENSE)
    assert refused.value.reason.code == "smoke_test_failed"
    assert "424" in refused.value.reason.text


@pytest.mark.parametrize("status", [404, 408, 429, 502, 504])
def test_an_answer_of_the_way_there_says_nothing_about_the_deployment(cloud: LocalCloud, azure: AzureFanout, status: int) -> None:
    action = replace(CARDS, name="unreachable")
    there = look(azure, action) if azure.endpoints.endpoint(FABRIKAM, action) else make(azure, action, "blue")
    cloud.azure_ml.arm("POST .*/score", status=status)
    with pytest.raises(Transient):
        azure.endpoints.smoke_test(FABRIKAM, there, "blue", SAMPLE)


# ---- models that are no MLflow models

SCORE = "def init():\n    pass\n\n\ndef run(body):\n    return {'heard': body}\n"


@pytest.mark.parametrize("action", [replace(CARDS, name="coded"), replace(NIGHTLY, name="coded-by-night")], ids=["online", "batch"])
def test_scoring_code_and_environment_are_deployed_along(
    cloud: LocalCloud, azure: AzureFanout, action: Action, tmp_path: Path
) -> None:
    environment = "azureml:scoring:1"
    code = uploaded_code(cloud, tmp_path)
    make(azure, replace(action, scoring=None))
    wanted = replace(new(azure, "blue"), environment=environment)
    coded = replace(action, scoring=Scoring(code, "score.py", environment))
    through(azure, azure.endpoints.begin_deployment(FABRIKAM, coded, wanted))
    client = cloud.ml_client("fabrikam")
    operations = client.online_deployments if isinstance(action, OnlineEndpoint) else client.batch_deployments
    found = operations.get("blue", action.name)
    assert found.code_configuration.code.endswith(code.partition("/codes/")[2])
    assert found.code_configuration.scoring_script == "score.py"
    assert "environments/scoring/versions/1" in str(found.environment)


def uploaded_code(cloud: LocalCloud, folder: Path) -> str:
    """The id of code that a tenant brought along with a deployment of its own."""
    from azure.ai.ml.entities import CodeConfiguration, Environment, ManagedOnlineDeployment, ManagedOnlineEndpoint

    (folder / "score.py").write_text(SCORE)
    client = cloud.ml_client("fabrikam")
    client.environments.create_or_update(Environment(name="scoring", version="1", image="mcr.microsoft.com/scoring:1"))
    name = f"by-hand-{folder.name[-8:]}".replace("_", "-").rstrip("-")
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    by_hand = ManagedOnlineDeployment(
        name="blue",
        endpoint_name=name,
        model="azureml://registries/hub/models/credit-card/versions/1",
        environment="azureml:scoring:1",
        code_configuration=CodeConfiguration(code=str(folder), scoring_script="score.py"),
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    return str(client.online_deployments.begin_create_or_update(by_hand).result().code_configuration.code)


# ---- whole deliveries


def a_world(azure: AzureFanout, action: Action) -> World:
    world = a_subscriber_of(action)
    world.endpoints = azure.endpoints  # type: ignore[assignment]  # the one port that is no fake
    return world


def served(azure: AzureFanout, action: Action) -> dict[str, int]:
    there = look(azure, action)
    return {each.version: there.share_of(each.name) for each in there.deployments if there.share_of(each.name)}


def test_a_version_that_refuses_its_sample_is_removed_and_the_old_one_serves_on(azure: AzureFanout) -> None:
    action = replace(CARDS, name="refusing")
    publish(a_world(azure, action), "1")
    world = a_world(azure, replace(action, sample_request=NONSENSE))
    publish(world, "2")
    assert states(world) == {"2": DeliveryState.FAILED}
    assert served(azure, action) == {"1": 100}
    assert [each.version for each in look(azure, action).deployments] == ["1"]


@pytest.mark.parametrize(
    "action", [replace(CARDS, name="taken-back"), replace(NIGHTLY, name="taken-back-by-night")], ids=["online", "batch"]
)
def test_a_version_that_is_recalled_gives_way_to_the_one_before(azure: AzureFanout, action: Action) -> None:
    world = a_world(azure, action)
    publish(world, "1", "2")
    assert served(azure, action) == {"2": 100}
    recall(world, "2")
    world.run()
    assert deliveries(world)["2"].done == f"removed from endpoint {action.name}; version 1 serves again"
    assert served(azure, action) == {"1": 100}


# ---- what it costs


def calls_of(cloud: LocalCloud, world: World, version: str) -> dict[str, int]:
    """The calls of a delivery, by what they are for; each operation counts once, however often it was asked for its end."""
    before = last(cloud)
    publish(world, version)
    assert states(world)[version] is DeliveryState.DELIVERED
    requests = cloud.azure_ml.requests(before)
    operations = {request["path"] for request in requests if purpose(request) == "operations"}
    return {**Counter(purpose(request) for request in requests), "operations": len(operations)}


def purpose(request: dict[str, Any]) -> str:
    if "mfeOperationsStatus" in request["path"]:
        return "operations"
    if request["method"] == "POST":
        return "sample"
    by_sdk = "azsdk" in str(request["user_agent"])
    if request["method"] == "GET":
        return "reads by the SDK" if by_sdk else "reads"
    return "writes"


def test_the_calls_of_each_delivery(cloud: LocalCloud, azure: AzureFanout) -> None:
    """The first, which makes the endpoint; an upgrade in two steps; and one that removes an old deployment as well.

    The SDK reads the workspace before each thing that it makes; before a deployment also its endpoint.
    Fanout lists the deployments before it adds one; before each change of the traffic it reads the endpoint and them, but for a
    new endpoint, which nobody serves yet. What else it does follows from what it has read.
    """
    online = replace(CARDS, name="counted", traffic=(10, 100), sample_request=SAMPLE)
    world = a_world(azure, online)
    assert [calls_of(cloud, world, version) for version in VERSIONS] == [
        {"writes": 3, "operations": 3, "sample": 2, "reads by the SDK": 3, "reads": 2},
        {"writes": 3, "operations": 3, "sample": 2, "reads by the SDK": 2, "reads": 5},
        {"writes": 4, "operations": 4, "sample": 2, "reads by the SDK": 2, "reads": 5},
    ]


def test_the_calls_of_each_delivery_to_a_batch_endpoint(cloud: LocalCloud, azure: AzureFanout) -> None:
    world = a_world(azure, replace(NIGHTLY, name="counted-by-night"))
    assert [calls_of(cloud, world, version) for version in VERSIONS] == [
        {"writes": 3, "operations": 3, "reads by the SDK": 3, "reads": 2},
        {"writes": 2, "operations": 2, "reads by the SDK": 2, "reads": 3},
        {"writes": 3, "operations": 3, "reads by the SDK": 2, "reads": 3},
    ]
