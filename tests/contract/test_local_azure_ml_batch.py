"""Batch endpoints and deployments, through the unmodified SDK and on the wire: their default, their states, their refusals."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

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
LIMITS = {"endpoints": 30, "deployments": 40, "deployments_per_endpoint": 3}


@pytest.fixture(scope="module")
def azure_ml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMl]:
    """With an MLflow model `cards` in the registry, and a custom one in a workspace. Nothing of them is ever run."""
    with running_azurite(tmp_path_factory.mktemp("azurite")) as blobs:
        cloud = AzureMl(tmp_path_factory.mktemp("cloud"), blobs, limits=LIMITS)
        upload(cloud, WORKSPACE1, "cards/MLmodel", b"flavors: {sklearn: {}}")
        cloud.put_model(WORKSPACE1, "cards", uri=datastore(WORKSPACE1, "cards"), modelType="mlflow_model")
        cloud.put_model(WORKSPACE1, "custom")
        assert cloud.begin_import(WORKSPACE1, "cards").status_code == 202
        eventually(lambda: cloud.call("GET", f"{registry_path()}/models/cards/versions/1").ok)
        yield cloud
        assert cloud.stop() == 0


@pytest.fixture(scope="module")
def clients(azure_ml: AzureMl) -> Iterator[Clients]:
    with sdk(azure_ml) as found:
        yield found


def _put_endpoint(azure_ml: AzureMl, path: str, tags: Any = None, **properties: Any) -> requests.Response:
    body = {"location": "westeurope", "tags": tags or {}, "properties": {"authMode": "aadToken"} | properties}
    return azure_ml.call("PUT", path, body)


def _put_deployment(azure_ml: AzureMl, path: str, **properties: Any) -> requests.Response:
    compute = f"{path.partition('/batchEndpoints/')[0]}/computes/cpu-cluster"
    defaults = {"model": {"referenceType": "Id", "assetId": MODEL}, "compute": compute, "resources": {"instanceCount": 1}}
    return azure_ml.call("PUT", path, {"location": "westeurope", "properties": defaults | properties})


def _settled(azure_ml: AzureMl, path: str) -> str:
    def state() -> str:
        found = str(azure_ml.call("GET", path).json()["properties"]["provisioningState"])
        return found if found in ("Succeeded", "Failed") else ""

    return str(eventually(state))


def _new(azure_ml: AzureMl, workspace: str, name: str, *deployments: str) -> str:
    """A batch endpoint with these deployments, ready; its path."""
    path = f"{workspace}/batchEndpoints/{name}"
    assert _put_endpoint(azure_ml, path).status_code == 201
    assert _settled(azure_ml, path) == "Succeeded"
    for deployment in deployments:
        assert _put_deployment(azure_ml, f"{path}/deployments/{deployment}").status_code == 201
        assert _settled(azure_ml, f"{path}/deployments/{deployment}") == "Succeeded"
    return path


def _operation(azure_ml: AzureMl, accepted: requests.Response) -> Any:
    """What the accepted change's own address says, once it has ended."""
    address = accepted.headers["Azure-AsyncOperation"].removeprefix(azure_ml.url)

    def ended() -> Any:
        body = azure_ml.call("GET", address).json()
        return body if body["status"] in ("Succeeded", "Failed") else None

    return eventually(ended)


def test_the_sdk_creates_switches_and_deletes(clients: Clients) -> None:
    from azure.ai.ml.entities import BatchEndpoint, ModelBatchDeployment, ModelBatchDeploymentSettings

    workspace = clients.workspace(WORKSPACE3)
    endpoints, deployments = workspace.batch_endpoints, workspace.batch_deployments

    # given an endpoint with two deployments of the registry's model
    created = endpoints.begin_create_or_update(BatchEndpoint(name="cards-nightly", tags={"tenant": "fabrikam"})).result()
    assert (created.provisioning_state, created.auth_mode, created.tags) == ("Succeeded", "aad_token", {"tenant": "fabrikam"})
    for name in ("first", "second"):
        asked = ModelBatchDeployment(
            name=name,
            endpoint_name="cards-nightly",
            model=MODEL,
            compute="cpu-cluster",
            tags={"version": name},
            settings=ModelBatchDeploymentSettings(instance_count=2, mini_batch_size=5),
        )
        deployed = deployments.begin_create_or_update(asked).result()
        assert (deployed.provisioning_state, deployed.model, deployed.instance_count) == ("Succeeded", MODEL, 2)

    # when one of them becomes the default
    found = endpoints.get("cards-nightly")
    assert found.defaults.get("deploymentName") is None
    found.defaults = {"deployment_name": "first"}
    assert endpoints.begin_create_or_update(found).result().defaults.deployment_name == "first"

    # then it cannot be deleted, until the other has taken its place
    with pytest.raises(HttpResponseError, match="default"):
        deployments.begin_delete("first", "cards-nightly")
    found = endpoints.get("cards-nightly")
    found.defaults.deployment_name = "second"
    endpoints.begin_create_or_update(found).result()
    deployments.begin_delete("first", "cards-nightly").result()
    assert [(left.name, left.tags) for left in deployments.list("cards-nightly")] == [("second", {"version": "second"})]
    assert deployments.get("second", "cards-nightly").compute.endswith("/computes/cpu-cluster")
    assert [listed.name for listed in endpoints.list()] == ["cards-nightly"]
    endpoints.begin_delete("cards-nightly").result()
    with pytest.raises(ResourceNotFoundError):
        endpoints.get("cards-nightly")


def test_the_sdk_finds_the_computes_that_the_configuration_lists(clients: Clients) -> None:
    computes = clients.workspace(WORKSPACE1).compute

    assert [found.name for found in computes.list()] == ["cpu-cluster"]
    assert (computes.get("CPU-cluster").name, computes.get("cpu-cluster").type) == ("cpu-cluster", "amlcompute")
    with pytest.raises(ResourceNotFoundError):
        computes.get("gpu-cluster")


def test_states_change_by_the_clock_and_what_changes_cannot_be_changed(azure_ml: AzureMl) -> None:
    path = f"{WORKSPACE1}/batchEndpoints/states"

    with azure_ml.slower(endpoint=0.6):
        created = _put_endpoint(azure_ml, path)
    meanwhile = [
        _put_endpoint(azure_ml, path),
        _put_deployment(azure_ml, f"{path}/deployments/blue"),
        azure_ml.call("DELETE", path),
    ]

    assert (created.status_code, created.json()["properties"]["provisioningState"]) == (201, "Creating")
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in meanwhile] == [(409, "UserError")] * 3
    assert _settled(azure_ml, path) == "Succeeded"
    assert _operation(azure_ml, created)["status"] == "Succeeded"
    with azure_ml.slower(deployment=0.6):
        assert _put_deployment(azure_ml, f"{path}/deployments/blue").status_code == 201
    as_default = _put_endpoint(azure_ml, path, defaults={"deploymentName": "blue"})
    assert (as_default.status_code, "it is Creating" in error_text(as_default)) == (400, True)
    assert _put_deployment(azure_ml, f"{path}/deployments/blue").status_code == 409
    assert azure_ml.call("DELETE", path).status_code == 409
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Succeeded"


def test_a_failed_deployment_says_why_and_cannot_be_the_default(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "failing")
    failure = {"code": "ImageBuildFailure", "message": "no such package"}
    azure_ml.control("POST", "faults", {"match": "PUT .*/failing/deployments/blue", "operation": failure})

    accepted = _put_deployment(azure_ml, f"{path}/deployments/blue")

    assert _operation(azure_ml, accepted)["error"] == failure
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Failed"
    refused = _put_endpoint(azure_ml, path, defaults={"deploymentName": "blue"})
    assert (refused.status_code, "it is Failed" in error_text(refused)) == (400, True)


def test_a_batch_endpoints_name_is_unique_in_its_region_online_ones_included(azure_ml: AzureMl) -> None:
    _new(azure_ml, WORKSPACE1, "unique")
    online = {"location": "westeurope", "properties": {"authMode": "Key"}}

    taken = [
        _put_endpoint(azure_ml, f"{WORKSPACE3}/batchEndpoints/Unique"),
        azure_ml.call("PUT", f"{WORKSPACE1}/onlineEndpoints/unique", online),
    ]

    assert [answer.status_code for answer in taken] == [400, 400]
    assert all("needs to be unique within a region" in error_text(answer) for answer in taken)
    assert _put_endpoint(azure_ml, f"{WORKSPACE4}/batchEndpoints/unique").status_code == 201


@pytest.mark.parametrize("name", ["ab", "a" * 33, "1cards", "cards-", "car_ds"])
def test_names_of_endpoints_and_deployments_are_checked(azure_ml: AzureMl, name: str) -> None:
    if not azure_ml.call("GET", f"{ASIA}/batchEndpoints/names").ok:
        _new(azure_ml, ASIA, "names")

    assert _put_endpoint(azure_ml, f"{ASIA}/batchEndpoints/{name}").status_code == 400
    assert _put_deployment(azure_ml, f"{ASIA}/batchEndpoints/names/deployments/{name}").status_code == 400


@pytest.mark.parametrize(
    ("properties", "status", "reason"),
    [
        ({"model": {"referenceType": "Id", "assetId": MODEL.replace("/1", "/9")}}, 404, "ModelNotFound"),
        ({"model": {"referenceType": "Id", "assetId": MODEL.replace("models", "data")}}, 404, "ModelNotFound"),
        ({"model": MODEL}, 400, "referenceType"),
        ({"model": None}, 400, "referenceType"),
        ({"model": {"referenceType": "Id", "assetId": f"{WORKSPACE1}/models/custom/versions/1"}}, 400, "must not be empty"),
        ({"environmentId": f"{WORKSPACE1}/environments/absent/versions/1"}, 404, "EnvironmentNotFound"),
        ({"compute": None}, 400, "compute field is required"),
        ({"compute": f"{WORKSPACE1}/computes/gpu-cluster"}, 400, "was not found in workspace"),
        ({"compute": f"{WORKSPACE4}/computes/cpu-cluster"}, 400, "was not found in workspace"),
        ({"resources": {"instanceCount": 51}}, 400, "from 1 to 50"),
    ],
)
def test_a_deployment_that_cannot_run_is_refused(azure_ml: AzureMl, properties: dict[str, Any], status: int, reason: str) -> None:
    path = f"{WORKSPACE1}/batchEndpoints/refusing"
    if not azure_ml.call("GET", path).ok:
        _new(azure_ml, WORKSPACE1, "refusing")

    answer = _put_deployment(azure_ml, f"{path}/deployments/blue", **properties)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, "UserError")
    assert reason in error_text(answer)
    assert azure_ml.call("GET", f"{path}/deployments/blue").status_code == 404


def test_a_custom_model_is_deployed_with_an_environment_and_code(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "custom")
    environment, code = f"{WORKSPACE1}/environments/e/versions/1", f"{WORKSPACE1}/codes/c/versions/1"
    azure_ml.call("PUT", environment, {"properties": {"image": "mcr.microsoft.com/plain:1"}})
    upload(azure_ml, WORKSPACE1, "code/score.py")
    azure_ml.call("PUT", code, {"properties": {"codeUri": datastore(WORKSPACE1, "code")}})
    model = {"referenceType": "Id", "assetId": f"{WORKSPACE1}/models/custom/versions/1"}
    scoring = {"codeId": code, "scoringScript": "score.py"}
    blue = f"{path}/deployments/blue"

    accepted = _put_deployment(
        azure_ml, f"{path}/deployments/blue", model=model, environmentId=environment, codeConfiguration=scoring
    )

    assert accepted.status_code == 201
    assert _settled(azure_ml, blue) == "Succeeded"
    shown = azure_ml.call("GET", blue).json()["properties"]
    assert (shown["environmentId"], shown["codeConfiguration"]) == (environment, scoring)


def test_a_compute_can_be_named_without_its_id(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "by-name")

    assert _put_deployment(azure_ml, f"{path}/deployments/blue", compute="cpu-cluster").status_code == 201


def test_an_endpoint_takes_no_other_mode_and_no_absent_default_and_no_empty_tag(azure_ml: AzureMl) -> None:
    path = f"{WORKSPACE1}/batchEndpoints/picky"

    refused = [
        _put_endpoint(azure_ml, path, authMode="Key"),
        _put_endpoint(azure_ml, path, defaults={"deploymentName": "blue"}),
        _put_endpoint(azure_ml, path, tags={"cost-center": ""}),
    ]

    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in refused] == [(400, "UserError")] * 3
    assert "Tag values must not be null or empty" in error_text(refused[2])


def test_a_deployment_needs_its_endpoint(azure_ml: AzureMl) -> None:
    assert _put_deployment(azure_ml, f"{WORKSPACE1}/batchEndpoints/absent/deployments/blue").status_code == 404
    assert azure_ml.call("DELETE", f"{WORKSPACE1}/batchEndpoints/absent").status_code == 204


def test_deleting_an_endpoint_deletes_its_deployments(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "short-lived", "blue")
    assert azure_ml.call("DELETE", path).status_code == 202
    eventually(lambda: azure_ml.call("GET", path).status_code == 404)

    _new(azure_ml, WORKSPACE1, "short-lived")

    assert azure_ml.call("GET", f"{path}/deployments").json()["value"] == []


def test_batch_and_online_endpoints_and_deployments_count_together(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE4, "full", "one", "two", "three")
    there = len(azure_ml.call("GET", f"{WORKSPACE4}/batchEndpoints").json()["value"])
    online = {"location": "northeurope", "properties": {"authMode": "Key"}}
    for number in range(LIMITS["endpoints"] - there):
        assert azure_ml.call("PUT", f"{WORKSPACE4}/onlineEndpoints/filler-{number}", online).status_code == 201

    fourth = _put_deployment(azure_ml, f"{path}/deployments/four")
    one_more = [
        _put_endpoint(azure_ml, f"{WORKSPACE4}/batchEndpoints/one-more"),
        azure_ml.call("PUT", f"{WORKSPACE4}/onlineEndpoints/one-more", online),
    ]

    assert (fourth.status_code, "at most 3 deployments" in error_text(fourth)) == (400, True)
    assert [answer.status_code for answer in one_more] == [400, 400]
    assert all("limit of 30 endpoints" in error_text(answer) for answer in one_more)


def test_patch_changes_tags_and_description(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "patched", "blue")

    accepted = azure_ml.call("PATCH", f"{path}/deployments/blue", {"tags": {"a": "b"}, "properties": {"description": "changed"}})

    assert accepted.status_code == 202
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Succeeded"
    deployment = azure_ml.call("GET", f"{path}/deployments/blue").json()
    assert (deployment["tags"], deployment["properties"]["description"]) == ({"a": "b"}, "changed")
    assert deployment["properties"]["model"]["assetId"] == MODEL


def test_the_state_shows_batch_endpoints_with_their_default(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "shown", "blue")
    _put_endpoint(azure_ml, path, tags={"cost": "7"}, defaults={"deploymentName": "BLUE"})
    assert _settled(azure_ml, path) == "Succeeded"

    endpoints = azure_ml.control("GET", "state")["workspaces"][WORKSPACE1]["batch_endpoints"]

    [shown] = [endpoint for endpoint in endpoints if endpoint["name"] == "shown"]
    assert (shown["state"], shown["default"], shown["tags"]) == ("Succeeded", "blue", {"cost": "7"})
    [deployment] = shown["deployments"]
    assert (deployment["name"], deployment["model"], deployment["instanceCount"]) == ("blue", MODEL, 1)


def test_batch_endpoints_outlive_a_kill(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, WORKSPACE1, "lasting")
    with azure_ml.slower(deployment=0.6):
        accepted = _put_deployment(azure_ml, f"{path}/deployments/blue")
    azure_ml.program.end(9)

    azure_ml.start()

    assert _operation(azure_ml, accepted)["status"] == "Succeeded"
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Succeeded"
