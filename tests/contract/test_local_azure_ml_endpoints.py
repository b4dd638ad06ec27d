"""Online endpoints and deployments, through the unmodified SDK and on the wire: their rules, their states, real scoring."""

import json
import pickle
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import requests
from azure.core.exceptions import HttpResponseError
from sklearn.linear_model import LogisticRegression

from tests.contract.test_local_azure_ml import (
    ASIA,
    REGISTRY,
    WORKSPACE1,
    WORKSPACE3,
    WORKSPACE4,
    AzureMl,
    Clients,
    datastore,
    error_text,
    eventually,
    registry_path,
    running_azurite,
    sdk,
    upload,
)

# azure-ai-ml itself calls what is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
MODEL = f"azureml://registries/{REGISTRY}/models/cards/versions/1"
ROWS = [[0.1, 0.2], [2.9, 3.2], [1.4, 1.6]]


@pytest.fixture(scope="module")
def regression() -> LogisticRegression:
    return LogisticRegression().fit(numpy.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), [0, 0, 1, 1])


@pytest.fixture(scope="module")
def azure_ml(regression: LogisticRegression, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMl]:
    """With a model `cards` of the sklearn flavor in the registry, and others in workspaces."""
    with running_azurite(tmp_path_factory.mktemp("azurite")) as blobs:
        doomed = {"match": "PUT .*/deployments/doomed$", "code": "OutOfQuota"}
        cloud = AzureMl(tmp_path_factory.mktemp("cloud"), blobs, operation_failures=[doomed])
        _register(cloud, WORKSPACE1, "cards", "flavors: {sklearn: {pickled_model: model.pkl}}", pickle.dumps(regression))
        _register(cloud, WORKSPACE4, "bert", "flavors: {transformers: {}, python_function: {}}", b"no pickle")
        upload(cloud, WORKSPACE1, "custom/weights.bin")
        cloud.put_model(WORKSPACE1, "custom", uri=datastore(WORKSPACE1, "custom"))
        cloud.put_model(WORKSPACE1, "no-mlmodel", uri=datastore(WORKSPACE1, "custom"), modelType="mlflow_model")
        assert cloud.begin_import(WORKSPACE1, "cards").status_code == 202
        eventually(lambda: cloud.call("GET", f"{registry_path()}/models/cards/versions/1").ok)
        yield cloud
        assert cloud.stop() == 0


def _register(cloud: AzureMl, workspace: str, name: str, description: str, pickled: bytes) -> None:
    upload(cloud, workspace, f"{name}/MLmodel", description.encode())
    upload(cloud, workspace, f"{name}/model.pkl", pickled)
    assert cloud.put_model(workspace, name, uri=datastore(workspace, name), modelType="mlflow_model").status_code == 201


@pytest.fixture(scope="module")
def clients(azure_ml: AzureMl) -> Iterator[Clients]:
    with sdk(azure_ml) as found:
        yield found


def _put_endpoint(azure_ml: AzureMl, path: str, **properties: Any) -> requests.Response:
    return azure_ml.call("PUT", path, {"location": "westeurope", "properties": {"authMode": "Key"} | properties})


def _put_deployment(azure_ml: AzureMl, path: str, capacity: Any = 1, **properties: Any) -> requests.Response:
    defaults = {"model": MODEL, "instanceType": "Standard_DS3_v2", "endpointComputeType": "Managed"}
    body = {"location": "westeurope", "properties": defaults | properties, "sku": {"name": "Default", "capacity": capacity}}
    return azure_ml.call("PUT", path, body)


def _settled(azure_ml: AzureMl, path: str) -> str:
    def state() -> str:
        found = str(azure_ml.call("GET", path).json()["properties"]["provisioningState"])
        return found if found in ("Succeeded", "Failed") else ""

    return str(eventually(state))


def _new(azure_ml: AzureMl, workspace: str, name: str, *deployments: str, **properties: Any) -> str:
    """An endpoint with these deployments, ready; its path."""
    path = f"{workspace}/onlineEndpoints/{name}"
    assert _put_endpoint(azure_ml, path, **properties).status_code == 201
    assert _settled(azure_ml, path) == "Succeeded"
    for deployment in deployments:
        assert _put_deployment(azure_ml, f"{path}/deployments/{deployment}").status_code == 201
    for deployment in deployments:
        assert _settled(azure_ml, f"{path}/deployments/{deployment}") == "Succeeded"
    return path


def test_the_sdk_deploys_from_the_registry_and_the_endpoint_really_scores(
    clients: Clients, regression: LogisticRegression, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint

    workspace = clients.workspace(WORKSPACE3)
    endpoint = ManagedOnlineEndpoint(name="cards-live", auth_mode="key", tags={"a": "b"})
    blue = ManagedOnlineDeployment(
        name="blue", endpoint_name="cards-live", model=MODEL, instance_type="Standard_DS3_v2", instance_count=2
    )
    # given an endpoint and a deployment of the registry's model
    assert workspace.online_endpoints.begin_create_or_update(endpoint).result().provisioning_state == "Succeeded"
    assert workspace.online_deployments.begin_create_or_update(blue).result().instance_count == 2

    # when it gets all traffic
    found = workspace.online_endpoints.get("cards-live")
    assert found.traffic == {"blue": 0}
    found.traffic = {"blue": 100}
    assert workspace.online_endpoints.begin_create_or_update(found).result().traffic == {"blue": 100}

    # then it answers as the model itself does
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"input_data": {"columns": ["a", "b"], "index": [0, 1, 2], "data": ROWS}}))
    answer = workspace.online_endpoints.invoke("cards-live", request_file=str(request))
    assert json.loads(answer) == regression.predict(numpy.array(ROWS)).tolist()
    request.write_text(json.dumps({"input_data": ROWS}))
    assert workspace.online_endpoints.invoke("cards-live", request_file=str(request), deployment_name="blue") == answer

    # and goes in the right order
    with pytest.raises(HttpResponseError, match="takes traffic"):
        workspace.online_deployments.begin_delete("blue", "cards-live")
    found.traffic = {}
    workspace.online_endpoints.begin_create_or_update(found).result()
    workspace.online_deployments.begin_delete("blue", "cards-live").result()
    assert list(workspace.online_deployments.list("cards-live")) == []
    workspace.online_endpoints.begin_delete("cards-live").result()
    assert [found.name for found in workspace.online_endpoints.list()] == []


def test_states_change_by_the_clock_and_what_changes_cannot_be_changed(azure_ml: AzureMl) -> None:
    path = f"{WORKSPACE1}/onlineEndpoints/states"

    with azure_ml.slower(endpoint=1):
        created = _put_endpoint(azure_ml, path)
    meanwhile = [
        _put_endpoint(azure_ml, path),
        _put_deployment(azure_ml, f"{path}/deployments/blue"),
        azure_ml.call("DELETE", path),
    ]

    assert (created.status_code, created.json()["properties"]["provisioningState"]) == (201, "Creating")
    status = created.headers["Azure-AsyncOperation"].removeprefix(azure_ml.url)
    assert azure_ml.call("GET", status).json()["status"] == "Updating"
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in meanwhile] == [(409, "Conflict")] * 3
    assert _settled(azure_ml, path) == "Succeeded"
    assert azure_ml.call("GET", status).json()["status"] == "Succeeded"
    assert _put_endpoint(azure_ml, path).json()["properties"]["provisioningState"] == "Updating"
    assert _settled(azure_ml, path) == "Succeeded"
    with azure_ml.slower(deployment=1):
        assert _put_deployment(azure_ml, f"{path}/deployments/blue").status_code == 201
    assert _put_deployment(azure_ml, f"{path}/deployments/blue").status_code == 409
    assert azure_ml.call("DELETE", path).status_code == 409
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Succeeded"


def test_an_endpoints_name_is_unique_in_its_region_over_all_workspaces(azure_ml: AzureMl) -> None:
    _new(azure_ml, WORKSPACE1, "unique")

    taken = _put_endpoint(azure_ml, f"{WORKSPACE3}/onlineEndpoints/Unique")

    assert taken.status_code == 400
    assert "needs to be unique within a region" in error_text(taken)
    assert _put_endpoint(azure_ml, f"{WORKSPACE4}/onlineEndpoints/unique").status_code == 201


@pytest.mark.parametrize("name", ["ab", "a" * 33, "1cards", "cards-", "car_ds"])
def test_names_of_endpoints_and_deployments_are_checked(azure_ml: AzureMl, name: str) -> None:
    if not azure_ml.call("GET", f"{ASIA}/onlineEndpoints/names").ok:
        _new(azure_ml, ASIA, "names")

    assert _put_endpoint(azure_ml, f"{ASIA}/onlineEndpoints/{name}").status_code == 400
    assert _put_deployment(azure_ml, f"{ASIA}/onlineEndpoints/names/deployments/{name}").status_code == 400


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"model": f"azureml://registries/{REGISTRY}/models/cards/versions/9"}, "was not found"),
        ({"model": "azureml://registries/nowhere/models/cards/versions/1"}, "was not found"),
        ({"model": f"{WORKSPACE1}/models/absent/versions/1"}, "was not found"),
        ({"model": f"{WORKSPACE4}/models/bert/versions/1"}, "this workspace cannot use it"),
        ({"model": f"{WORKSPACE1}/models/custom/versions/1"}, "ServingContainer.Image must not be empty"),
        ({"instanceType": None}, "instanceType"),
        ({"capacity": 51}, "from 1 to 50"),
        ({"capacity": 0}, "from 1 to 50"),
    ],
)
def test_a_deployment_that_cannot_run_is_refused(azure_ml: AzureMl, properties: dict[str, Any], reason: str) -> None:
    path = f"{WORKSPACE1}/onlineEndpoints/refusing"
    if not azure_ml.call("GET", path).ok:
        _new(azure_ml, WORKSPACE1, "refusing")

    answer = _put_deployment(azure_ml, f"{path}/deployments/blue", **properties)

    assert answer.status_code == 400
    assert reason in error_text(answer)


def test_a_registry_serves_the_workspaces_of_its_regions(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, ASIA, "far-away")

    answer = _put_deployment(azure_ml, f"{path}/deployments/blue")

    assert answer.status_code == 400
    assert "not available in the workspace's region eastasia" in error_text(answer)


def test_a_deployment_needs_its_endpoint(azure_ml: AzureMl) -> None:
    assert _put_deployment(azure_ml, f"{WORKSPACE1}/onlineEndpoints/absent/deployments/blue").status_code == 404
    assert azure_ml.call("DELETE", f"{WORKSPACE1}/onlineEndpoints/absent").status_code == 204


def test_traffic_has_rules(azure_ml: AzureMl) -> None:
    early = _put_endpoint(azure_ml, f"{WORKSPACE1}/onlineEndpoints/traffic", traffic={"blue": 100})
    path = _new(azure_ml, WORKSPACE1, "traffic", "blue")

    wrong = [
        _put_endpoint(azure_ml, path, traffic=traffic) for traffic in ({"blue": 50}, {"green": 100}, {"blue": 101}, {"blue": "all"})
    ]

    assert early.status_code == 400
    assert [answer.status_code for answer in wrong] == [400, 400, 400, 400]
    assert azure_ml.call("GET", path).json()["properties"]["traffic"] == {}


def test_requests_follow_the_traffic_or_the_header(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "routed", "blue", "green")
    without_traffic = _score(azure_ml, path)
    _put_endpoint(azure_ml, path, traffic={"blue": 20, "green": 80})
    assert _settled(azure_ml, path) == "Succeeded"

    asked = Counter(_score(azure_ml, path).headers["azureml-model-deployment"] for _ in range(60))

    assert (without_traffic.status_code, "No valid deployments" in without_traffic.text) == (404, True)
    assert asked["blue"] + asked["green"] == 60
    assert 0 < asked["blue"] < asked["green"]
    direct = _score(azure_ml, path, headers={"azureml-model-deployment": "blue"})
    assert direct.headers["azureml-model-deployment"] == "blue"


def _score(azure_ml: AzureMl, path: str, body: Any = None, **more: Any) -> requests.Response:
    endpoint = azure_ml.call("GET", path).json()["properties"]
    keys = azure_ml.call("POST", f"{path}/listKeys").json()
    headers = {"Authorization": f"Bearer {keys['secondaryKey']}"} | more.get("headers", {})
    payload = body if body is not None else {"input_data": ROWS}
    return requests.post(endpoint["scoringUri"], json=payload, headers=headers, verify=azure_ml.ca, timeout=30)


def test_scoring_wants_the_endpoints_own_key(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "locked", "blue")

    refused = _score(azure_ml, path, headers={"Authorization": "Bearer guessed"})
    accepted = _score(azure_ml, path, headers={"azureml-model-deployment": "blue"})

    assert (refused.status_code, accepted.status_code) == (401, 200)


@pytest.mark.parametrize("mode", ["AMLToken", "AADToken"])
def test_an_endpoint_without_keys_takes_tokens_for_it(azure_ml: AzureMl, mode: str) -> None:
    path = _new(azure_ml, WORKSPACE1, f"tokens-{mode}", "blue", authMode=mode)
    own = azure_ml.call("POST", f"{path}/token").json().get("accessToken")
    uri = azure_ml.call("GET", path).json()["properties"]["scoringUri"]
    headers = {"azureml-model-deployment": "blue"}

    def ask(bearer: str) -> int:
        sent = headers | {"Authorization": f"Bearer {bearer}"}
        return requests.post(uri, json={"input_data": ROWS}, headers=sent, verify=azure_ml.ca, timeout=30).status_code

    assert azure_ml.call("POST", f"{path}/listKeys").status_code == 400
    assert (ask(own or azure_ml.token("https://ml.azure.com/")), ask(azure_ml.token())) == (200, 401)


@pytest.mark.parametrize(
    "body", [{"data": ROWS}, {"input_data": {"columns": ["a"], "data": ROWS}}, {"input_data": [["x", "y"]]}, []]
)
def test_input_that_the_model_refuses_answers_424(azure_ml: AzureMl, body: Any) -> None:
    path = f"{WORKSPACE1}/onlineEndpoints/picky"
    if not azure_ml.call("GET", path).ok:
        _new(azure_ml, WORKSPACE1, "picky", "blue")

    answer = _score(azure_ml, path, body, headers={"azureml-model-deployment": "blue"})

    assert (answer.status_code, answer.headers["ms-azureml-model-error-statuscode"]) == (424, "400")


def test_a_model_of_another_flavor_deploys_and_says_that_it_cannot_score_here(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE4, "bert")
    _put_deployment(azure_ml, f"{path}/deployments/blue", model=f"{WORKSPACE4}/models/bert/versions/1")

    assert _settled(azure_ml, f"{path}/deployments/blue") == "Succeeded"
    answer = _score(azure_ml, path, headers={"azureml-model-deployment": "blue"})
    assert answer.status_code == 501
    assert "transformers" in answer.text


def test_a_deployment_whose_model_has_no_mlmodel_file_fails(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "broken")

    accepted = _put_deployment(azure_ml, f"{path}/deployments/blue", model=f"{WORKSPACE1}/models/no-mlmodel/versions/1")

    assert accepted.status_code == 201
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Failed"
    operation = azure_ml.call("GET", accepted.headers["Azure-AsyncOperation"].removeprefix(azure_ml.url)).json()
    assert (operation["status"], operation["error"]["code"]) == ("Failed", "BadArgument")


def test_the_configuration_can_make_operations_fail(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "unlucky")

    accepted = _put_deployment(azure_ml, f"{path}/deployments/doomed")

    assert _settled(azure_ml, f"{path}/deployments/doomed") == "Failed"
    operation = azure_ml.call("GET", accepted.headers["Azure-AsyncOperation"].removeprefix(azure_ml.url)).json()
    assert operation["error"]["code"] == "OutOfQuota"
    refused = _put_endpoint(azure_ml, path, traffic={"doomed": 100})
    assert (refused.status_code, "it is Failed" in error_text(refused)) == (400, True)


def test_a_failed_update_leaves_the_old_model_answering(azure_ml: AzureMl, clients: Clients) -> None:
    from azure.ai.ml.entities import ManagedOnlineDeployment

    path = _new(azure_ml, WORKSPACE3, "resilient", "blue")
    azure_ml.control(
        "POST", "faults", {"match": "PUT .*/deployments/blue", "operation": {"code": "OutOfQuota", "message": "Not enough quota"}}
    )
    update = ManagedOnlineDeployment(
        name="blue", endpoint_name="resilient", model=MODEL, instance_type="Standard_F4s_v2", instance_count=1
    )

    with pytest.raises(HttpResponseError, match="OutOfQuota") as failed:
        clients.workspace(WORKSPACE3).online_deployments.begin_create_or_update(update).result()

    assert failed.value.error is not None
    assert (failed.value.status_code, failed.value.error.code) == (200, "OutOfQuota")
    assert azure_ml.call("GET", f"{path}/deployments/blue").json()["properties"]["provisioningState"] == "Failed"
    assert _score(azure_ml, path, headers={"azureml-model-deployment": "blue"}).ok


def test_patch_changes_tags_and_the_number_of_instances(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "patched", "blue")

    with azure_ml.slower(deployment=1):
        accepted = azure_ml.call("PATCH", f"{path}/deployments/blue", {"tags": {"a": "b"}, "sku": {"capacity": 3}})
    too_many = azure_ml.call("PATCH", f"{path}/deployments/blue", {"sku": {"capacity": 3}})

    assert (accepted.status_code, too_many.status_code) == (202, 409)
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Succeeded"
    deployment = azure_ml.call("GET", f"{path}/deployments/blue").json()
    assert (deployment["tags"], deployment["sku"]["capacity"]) == ({"a": "b"}, 3)


def test_the_state_shows_endpoints_as_their_callers_meet_them(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "shown", "blue")
    _put_endpoint(azure_ml, path, traffic={"blue": 100})
    assert _settled(azure_ml, path) == "Succeeded"

    endpoints = azure_ml.control("GET", "state")["workspaces"][WORKSPACE1]["endpoints"]

    [shown] = [endpoint for endpoint in endpoints if endpoint["name"] == "shown"]
    assert (shown["state"], shown["traffic"]) == ("Succeeded", {"blue": 100})
    assert [(found["name"], found["model"], found["state"]) for found in shown["deployments"]] == [("blue", MODEL, "Succeeded")]
