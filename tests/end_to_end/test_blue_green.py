"""A new version takes over an endpoint that is in use: nobody who asks it is refused, and what the tenant has there stays.

Version 2 of `cards` follows version 1 on five endpoints at a time, and further versions that fail follow on one of them;
`weights` is no MLflow model.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from azure.ai.ml.entities import Environment

from infra.local.cloud import LocalCloud
from shared.states import DeliveryState
from tests.end_to_end.catalogue import IMAGE
from tests.end_to_end.endpoint_parts import (
    SAMPLE,
    Answer,
    Application,
    answering,
    deliveries,
    deploy_by_hand,
    deployments,
    ended,
    make_endpoint,
    online,
    register_custom,
    scoring_of_registry,
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
    rules_of,
    subscription,
    tenant,
)

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # azure-ai-ml itself calls what is deprecated
STEPS = (10, 50, 100)
HOME = {"cards": "workspace2", "beside": "workspace2", "lean": "workspace2", "taken": "workspace3", "adopted": "workspace3"}
ASKED = ("cards", "lean")
CUSTOM = {"coded": "workspace4", "along": "workspace4"}
OUT_OF_QUOTA = "Not enough quota available for Standard_DS3_v2 in subscription 11111111."


@dataclass(frozen=True, slots=True)
class Scene:
    """`applications` asked their endpoints all through the upgrade from version 1 to 2, and `last` is what they heard afterwards.

    `there` is what it led to, by endpoint.
    """

    cloud: LocalCloud
    client: "MLClient"
    folder: Path
    applications: dict[str, Application]
    last: dict[str, list[Answer]]
    there: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("models")
    with LocalCloud(
        tmp_path_factory.mktemp("cloud"), seconds=QUICK, settings=OFTEN, azure_ml={"retry_after_ms": 100}, outcomes="topic"
    ) as cloud:
        scoring = scoring_of_registry(cloud.registry_client(REGISTRY), folder / "code")
        cloud.apply_rules(_rules(cloud, scoring, tmp_path_factory.mktemp("rules")))
        client = cloud.ml_client("workspace1")
        client.environments.create_or_update(Environment(name="along", version="1", image=IMAGE))
        _own_endpoints(cloud, folder)
        _arrive(client, folder, "1")
        _own_shares(cloud)
        applications = {name: Application(cloud, HOME[name], name) for name in ASKED}
        with applications["cards"], applications["lean"]:
            _arrive(client, folder, "2")
            last = {name: [application.ask() for _ in range(20)] for name, application in applications.items()}
        there = {name: endpoint(cloud, workspace, name) for name, workspace in (HOME | CUSTOM).items()}
        yield Scene(cloud, client, folder, applications, last, there)


def _arrive(client: "MLClient", folder: Path, version: str) -> None:
    register(client, "cards", version, answering(folder / version, int(version)))
    register_custom(client, "weights", version, folder / f"weights-{version}", int(version))
    eventually(f"version {version} of the cards everywhere", lambda: ended("cards", version, *HOME))
    eventually(f"version {version} of the weights everywhere", lambda: ended("weights", version, *CUSTOM))


def _rules(cloud: LocalCloud, scoring: dict[str, str], folder: Path) -> Path:
    there = cloud.workspaces
    code_alone = {name: value for name, value in scoring.items() if name != "environment"}
    adventure = [online("coded", scoring=scoring), online("along", scoring=code_alone)]
    fabrikam = [online("cards", STEPS, sample_request=SAMPLE), online("beside", STEPS), online("lean", keep=0)]
    tailwind = [online("taken"), online("adopted", STEPS, adopt=True)]
    publications = [publication("cards", ["model"], "cards"), publication("weights", ["model"], "weights", environment="along:1")]
    return rules_of(
        folder,
        tenant("northwind", there["workspace1"], publications=publications),
        *(
            tenant(name, there[home], subscriptions=[subscription(name, there[home], ["model"], actions, assets)])
            for name, home, actions, assets in (
                ("fabrikam", "workspace2", fabrikam, "cards"),
                ("tailwind", "workspace3", tailwind, "cards"),
                ("adventure", "workspace4", adventure, "weights"),
            )
        ),
    )


def _own_endpoints(cloud: LocalCloud, folder: Path) -> None:
    """Tailwind has two endpoints of its own, on each a model of its own."""
    client = cloud.ml_client("workspace3")
    register(client, "own", "1", answering(folder / "own", 0))
    for name in ("taken", "adopted"):
        make_endpoint(client, name)
        deploy_by_hand(client, name, "champion", "azureml:own:1")
        set_traffic(client, name, {"champion": 100})


def _own_shares(cloud: LocalCloud) -> None:
    """Fabrikam puts a deployment of its own beside Fanout's, and Tailwind gives Fanout's some of its endpoint's traffic."""
    fabrikam, tailwind = cloud.ml_client("workspace2"), cloud.ml_client("workspace3")
    deploy_by_hand(fabrikam, "beside", "champion", f"azureml://registries/{REGISTRY}/models/cards/versions/1")
    ours = deployments(endpoint(cloud, "workspace2", "beside"))["1"]["name"]
    set_traffic(fabrikam, "beside", {"champion": 30, ours: 70})
    ours = deployments(endpoint(cloud, "workspace3", "adopted"))["1"]["name"]
    set_traffic(tailwind, "adopted", {"champion": 60, ours: 40})


# ---- an upgrade


@pytest.mark.parametrize("name", ASKED)
def test_no_request_fails_all_through_an_upgrade(scene: Scene, name: str) -> None:
    assert scene.applications[name].failed == []
    assert len(scene.applications[name].answers) > 50


@pytest.mark.parametrize("name", ASKED)
def test_the_old_version_answers_first_and_the_new_one_alone_in_the_end(scene: Scene, name: str) -> None:
    numbers = scene.applications[name].numbers
    assert numbers[0] == 1
    assert set(numbers) == {1, 2}
    assert {answer.number for answer in scene.last[name]} == {2}


def test_the_traffic_moves_in_the_steps_that_the_subscription_names(scene: Scene) -> None:
    assert _steps(scene.cloud, "workspace2", "cards") == [{"1": 100}, {"1": 90, "2": 10}, {"1": 50, "2": 50}, {"2": 100}]


def test_the_one_before_is_kept_without_traffic(scene: Scene) -> None:
    assert traffic(scene.there["cards"]) == {"2": 100}
    assert deployments(scene.there["cards"]).keys() == {"1", "2"}


def test_none_is_kept_where_the_subscription_says_so(scene: Scene) -> None:
    assert traffic(scene.there["lean"]) == {"2": 100}
    assert deployments(scene.there["lean"]).keys() == {"2"}


def test_a_tenants_own_deployment_beside_ours_keeps_its_share(scene: Scene) -> None:
    assert traffic(scene.there["beside"]) == {"champion": 30, "2": 70}
    assert all(step["champion"] == 30 for step in _steps(scene.cloud, "workspace2", "beside")[2:])


def test_a_tenants_own_endpoint_is_left_alone(scene: Scene) -> None:
    assert traffic(scene.there["taken"]) == {"champion": 100}
    assert deployments(scene.there["taken"]).keys() == {"champion"}
    assert scene.there["taken"]["tags"] == {"team": "risk"}
    row = deliveries("cards", "1")["1", "taken"]
    assert row.state is DeliveryState.FAILED
    assert row.reason
    assert row.reason.code == "endpoint_taken"


def test_an_endpoint_that_may_be_adopted_gets_ours_and_keeps_the_tenants_traffic(scene: Scene) -> None:
    assert traffic(scene.there["adopted"]) == {"champion": 60, "2": 40}
    assert scene.there["adopted"]["tags"] == {"team": "risk"}
    rows = deliveries("cards", "1", "2")
    assert (rows["1", "adopted"].traffic, rows["2", "adopted"].traffic) == (0, 40)


@pytest.mark.parametrize(("name", "environment"), [("coded", "scoring"), ("along", "along")])
def test_a_model_that_is_no_mlflow_model_is_served_by_the_code_and_environment_named(
    scene: Scene, name: str, environment: str
) -> None:
    new = deployments(scene.there[name])["2"]
    answer = Application(scene.cloud, "workspace4", name).ask()
    assert (answer.status, answer.number, answer.deployment) == (200, 2, new["name"])
    assert new["environment"] == f"azureml://registries/{REGISTRY}/environments/{environment}/versions/1"
    assert new["code"]["codeId"].startswith(f"azureml://registries/{REGISTRY}/codes/")


def _steps(cloud: LocalCloud, workspace: str, name: str) -> list[dict[str, int]]:
    """The traffic that was set, one after the other, each once."""
    labels = {each["name"]: label for label, each in deployments(endpoint(cloud, workspace, name)).items()}
    asked = [
        request["body"]["properties"]["traffic"]
        for request in cloud.azure_ml.requests()
        if request["method"] == "PUT" and request["path"].endswith(f"/{workspace}/onlineEndpoints/{name}")
    ]
    steps = [{labels.get(deployment, deployment): percent for deployment, percent in each.items()} for each in asked if each]
    return [step for place, step in enumerate(steps) if place == 0 or step != steps[place - 1]]


# ---- an upgrade that fails


@dataclass(frozen=True, slots=True)
class Failure:
    """Version 2 served endpoint `cards`, and a version came that failed there. `event` is what was told of it."""

    version: str
    application: Application
    event: dict[str, Any]
    there: dict[str, Any]


@pytest.fixture(scope="module", params=[("3", 1), ("4", 2)], ids=["out of quota", "sample refused"])
def failure(scene: Scene, request: pytest.FixtureRequest) -> Failure:
    """Version 3 finds no quota, version 4 wants another column than the sample has."""
    version, columns = request.param
    if version == "3":
        quota = {"code": "OutOfQuota", "message": OUT_OF_QUOTA}
        scene.cloud.azure_ml.arm(f"PUT .*/cards/deployments/v{version}", operation=quota)
    with Application(scene.cloud, "workspace2", "cards") as application:
        register(scene.client, "cards", version, answering(scene.folder / version, int(version), columns))
        eventually("the version's end", lambda: ended("cards", version, *HOME))
    row = deliveries("cards", version)[version, "cards"]
    eventually("the event", lambda: told(scene.cloud, "DeliveryFailed", delivery=str(row.address)))
    (event,) = told(scene.cloud, "DeliveryFailed", delivery=str(row.address))
    return Failure(version, application, event, endpoint(scene.cloud, "workspace2", "cards"))


def test_no_request_fails_all_through_an_upgrade_that_fails(failure: Failure) -> None:
    assert failure.application.failed == []
    assert {answer.number for answer in failure.application.answers} == {2}


def test_what_failed_is_removed_and_the_one_before_serves_on(failure: Failure) -> None:
    assert traffic(failure.there) == {"2": 100}
    assert deployments(failure.there).keys() == {"1", "2"}


def test_the_row_and_the_event_say_why_in_azures_own_words(failure: Failure) -> None:
    row = deliveries("cards", failure.version)[failure.version, "cards"]
    code, text = {"3": ("out_of_quota", OUT_OF_QUOTA), "4": ("smoke_test_failed", "X has 1 features, but")}[failure.version]
    assert row.state is DeliveryState.FAILED
    assert row.reason
    assert row.reason.code == failure.event["reason"]["code"] == code
    assert text in row.reason.text
    assert failure.event["reason"]["text"] == row.reason.text


def test_other_endpoints_get_the_version_that_failed_at_one(scene: Scene, failure: Failure) -> None:
    assert traffic(endpoint(scene.cloud, "workspace2", "lean")) == {failure.version: 100}
