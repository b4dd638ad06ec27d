"""Online deployments that bring their own code, blue/green under load, and the quota of cores."""

import json
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy
import pytest
import requests
from sklearn.linear_model import LogisticRegression

from tests.contract.test_local_azure_ml import (
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
MLFLOW, WEIGHTS = f"{WORKSPACE1}/models/cards/versions/1", f"{WORKSPACE1}/models/weights/versions/1"
ENVIRONMENT = f"{WORKSPACE1}/environments/plain/versions/1"
CORES = 40
ROWS = [[0.1, 0.2], [2.9, 3.2]]
SCRIPT = """
import json, os, pathlib
from factors import FACTOR

def init():
    global weight
    weight = float((pathlib.Path(os.environ["AZUREML_MODEL_DIR"]) / "weights" / "weight.txt").read_text())
    print("this must not disturb the answers")

def run(raw_data):
    number = json.loads(raw_data)["number"]
    return {"result": number * weight * FACTOR, "mood": os.environ.get("MOOD")}
"""
# What `init` and `run` may do wrong, by the code asset's name.
SCRIPTS = {
    "product": SCRIPT,
    "broken-init": "def init():\n    raise RuntimeError('no weights')\n\ndef run(raw_data):\n    return 1\n",
    "broken-import": "import a_package_that_is_not_there\n",
    "no-run": "def init():\n    pass\n",
    "leaves": "def init():\n    raise SystemExit(3)\n",
    "echo": "def init():\n    pass\n\ndef run(raw_data):\n    return raw_data\n",
}


@pytest.fixture(scope="module")
def azure_ml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMl]:
    """With an MLflow model `cards`, a custom model `weights`, an environment, and scoring code, all in a workspace."""
    with running_azurite(tmp_path_factory.mktemp("azurite")) as blobs:
        cloud = AzureMl(tmp_path_factory.mktemp("cloud"), blobs, limits={"cores": CORES}, retry_after_ms=20)
        regression = LogisticRegression().fit(numpy.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), [0, 0, 1, 1])
        upload(cloud, WORKSPACE1, "cards/MLmodel", b"flavors: {sklearn: {pickled_model: model.pkl}}")
        upload(cloud, WORKSPACE1, "cards/model.pkl", pickle.dumps(regression))
        upload(cloud, WORKSPACE1, "weights/weight.txt", b"2.5")
        cloud.put_model(WORKSPACE1, "cards", uri=datastore(WORKSPACE1, "cards"), modelType="mlflow_model")
        cloud.put_model(WORKSPACE1, "weights", uri=datastore(WORKSPACE1, "weights"))
        assert cloud.call("PUT", ENVIRONMENT, {"properties": {"image": "mcr.microsoft.com/plain:1"}}).status_code == 201
        own_server = {"image": "mcr.microsoft.com/own:1", "inferenceConfig": {"scoringRoute": {"path": "/score", "port": 80}}}
        assert cloud.begin_import(WORKSPACE1, "plain", properties=_import_of_environment(cloud)).status_code == 202
        assert cloud.call("PUT", ENVIRONMENT.replace("plain", "own"), {"properties": own_server}).status_code == 201
        for name, script in SCRIPTS.items():
            upload(cloud, WORKSPACE1, f"{name}/score.py", script.encode())
            upload(cloud, WORKSPACE1, f"{name}/factors.py", b"FACTOR = 10\n")
            code = {"properties": {"codeUri": datastore(WORKSPACE1, name)}}
            assert cloud.call("PUT", _code_id(name), code).status_code == 201
        yield cloud
        assert cloud.stop() == 0


@pytest.fixture(scope="module")
def clients(azure_ml: AzureMl) -> Iterator[Clients]:
    with sdk(azure_ml) as found:
        yield found


def _import_of_environment(cloud: AzureMl) -> dict[str, str]:
    guid = cloud.call("GET", WORKSPACE1).json()["properties"]["workspaceId"]
    return {"sourceAssetId": f"azureml://locations/westeurope/workspaces/{guid}/environments/plain/versions/1"}


def _code_id(name: str) -> str:
    return f"{WORKSPACE1}/codes/{name}/versions/1"


def _scripted(name: str, **more: Any) -> dict[str, Any]:
    """The properties of a deployment of the custom model that runs this script."""
    code = {"codeId": _code_id(name), "scoringScript": "score.py"}
    return {"model": WEIGHTS, "environmentId": ENVIRONMENT, "codeConfiguration": code} | more


def _put_endpoint(azure_ml: AzureMl, path: str, **properties: Any) -> requests.Response:
    return azure_ml.call("PUT", path, {"location": "westeurope", "properties": {"authMode": "Key"} | properties})


def _put_deployment(
    azure_ml: AzureMl, path: str, capacity: int = 1, tags: dict[str, str] | None = None, **properties: Any
) -> requests.Response:
    defaults = {"model": MLFLOW, "instanceType": "Standard_DS1_v2", "endpointComputeType": "Managed"}
    sku = {"name": "Default", "capacity": capacity}
    body = {"location": "westeurope", "tags": tags or {}, "properties": defaults | properties, "sku": sku}
    return azure_ml.call("PUT", path, body)


def _settled(azure_ml: AzureMl, path: str) -> str:
    def state() -> str:
        found = str(azure_ml.call("GET", path).json()["properties"]["provisioningState"])
        return found if found in ("Succeeded", "Failed") else ""

    return str(eventually(state))


def _new(azure_ml: AzureMl, name: str, workspace: str = WORKSPACE1, **deployments: dict[str, Any]) -> str:
    """An endpoint with these deployments, ready; its path."""
    path = f"{workspace}/onlineEndpoints/{name}"
    assert _put_endpoint(azure_ml, path).status_code == 201
    assert _settled(azure_ml, path) == "Succeeded"
    for deployment, properties in deployments.items():
        assert _put_deployment(azure_ml, f"{path}/deployments/{deployment}", **properties).status_code == 201
        assert _settled(azure_ml, f"{path}/deployments/{deployment}") == "Succeeded"
    return path


def _removed(azure_ml: AzureMl, path: str) -> None:
    assert azure_ml.call("DELETE", path).status_code == 202
    eventually(lambda: azure_ml.call("GET", path).status_code == 404)


def _error(azure_ml: AzureMl, accepted: requests.Response) -> Any:
    """With which the operation that was accepted has failed."""
    assert accepted.status_code in (200, 201, 202), accepted.text
    address = accepted.headers["Azure-AsyncOperation"].removeprefix(azure_ml.url)
    return eventually(lambda: azure_ml.call("GET", address).json().get("error"))


class Caller:
    """Invokes one endpoint, as its consumers do: by its address and its key."""

    def __init__(self, azure_ml: AzureMl, path: str) -> None:
        self._uri = azure_ml.call("GET", path).json()["properties"]["scoringUri"]
        self._key = azure_ml.call("POST", f"{path}/listKeys").json()["primaryKey"]
        self._ca = azure_ml.ca

    def score(self, body: str, deployment: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        headers |= {"azureml-model-deployment": deployment} if deployment else {}
        return requests.post(self._uri, data=body, headers=headers, verify=self._ca, timeout=30)


def test_a_scoring_script_runs_with_the_models_folder_and_the_deployments_variables(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, "scripted", blue=_scripted("product", environmentVariables={"MOOD": "blue"}))
    caller = Caller(azure_ml, path)

    answer = caller.score('{"number": 4}', "blue")
    failed = caller.score('{"count": 4}', "blue")

    assert (answer.status_code, answer.json()) == (200, {"result": 100.0, "mood": "blue"})
    assert answer.headers["azureml-model-deployment"] == "blue"
    assert (failed.status_code, failed.headers["ms-azureml-model-error-statuscode"]) == (424, "500")
    assert caller.score('{"number": 2}', "blue").json()["result"] == 50.0


def test_a_script_gets_the_body_as_it_was_sent(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, "echoing", blue=_scripted("echo", model=None))

    caller = Caller(azure_ml, path)

    assert caller.score("no JSON", "blue").json() == "no JSON"
    assert "No valid deployments to route to" in error_text(caller.score("no JSON"))


@pytest.mark.parametrize("name", ["broken-init", "broken-import", "no-run", "leaves"])
def test_a_container_that_does_not_start_fails_the_deployment(azure_ml: AzureMl, name: str) -> None:
    path = _new(azure_ml, f"crashing-{name}")

    error = _error(azure_ml, _put_deployment(azure_ml, f"{path}/deployments/blue", **_scripted(name)))

    assert error["code"] == "ResourceNotReady"
    assert "User container has crashed or terminated" in error["message"]
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Failed"
    assert Caller(azure_ml, path).score("{}", "blue").status_code == 404


@pytest.mark.parametrize("script", ["absent.py", "../echo/score.py"])
def test_a_script_that_is_not_in_the_code_fails_the_deployment(azure_ml: AzureMl, script: str) -> None:
    path = f"{WORKSPACE1}/onlineEndpoints/no-script"
    if not azure_ml.call("GET", path).ok:
        _new(azure_ml, "no-script")
    code = {"codeId": _code_id("product"), "scoringScript": script}

    accepted = _put_deployment(azure_ml, f"{path}/deployments/blue", **_scripted("product", codeConfiguration=code))

    assert _error(azure_ml, accepted)["code"] == "ResourceNotReady"
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Failed"


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (_scripted("absent"), "The code "),
        (_scripted("product", environmentId=ENVIRONMENT.replace("/1", "/9")), "The environment "),
        (_scripted("product", environmentId="azureml://registries/nowhere/environments/e/versions/1"), "The environment "),
        (_scripted("product", environmentId=ENVIRONMENT.replace("workspace1", "workspace3")), "The environment "),
        (_scripted("product", environmentId=None), "ServingContainer.Image must not be empty"),
        (_scripted("product", environmentId=None, model=MLFLOW), "ServingContainer.Image must not be empty"),
        (_scripted("product", codeConfiguration=None), "CodeConfiguration must not be empty"),
        (_scripted("product", codeConfiguration={"codeId": _code_id("product")}), "scoringScript"),
        ({"instanceType": "Standard_Abacus"}, "is not supported"),
    ],
)
def test_a_deployment_that_lacks_what_it_names_is_refused(azure_ml: AzureMl, properties: dict[str, Any], reason: str) -> None:
    path = f"{WORKSPACE1}/onlineEndpoints/lacking"
    if not azure_ml.call("GET", path).ok:
        _new(azure_ml, "lacking")

    answer = _put_deployment(azure_ml, f"{path}/deployments/blue", **properties)

    assert answer.status_code == 400
    assert reason in error_text(answer)


def test_an_environment_with_a_server_of_its_own_needs_no_script(azure_ml: AzureMl) -> None:
    own = _scripted("product", codeConfiguration=None, environmentId=ENVIRONMENT.replace("plain", "own"))
    path = _new(azure_ml, "own-server", blue=own)

    assert Caller(azure_ml, path).score("{}", "blue").status_code == 501


def test_the_environment_can_be_a_registrys(azure_ml: AzureMl) -> None:
    eventually(lambda: azure_ml.call("GET", f"{registry_path()}/environments/plain/versions/1").ok)
    environment = f"azureml://registries/{REGISTRY}/environments/plain/versions/1"

    path = _new(azure_ml, "registry-made", blue=_scripted("echo", environmentId=environment))

    assert Caller(azure_ml, path).score("{}", "blue").ok
    assert azure_ml.call("GET", f"{path}/deployments/blue").json()["properties"]["environmentId"] == environment


def test_the_sdk_deploys_a_folder_of_code_and_invokes_it(clients: Clients, tmp_path: Path) -> None:
    from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineDeployment, ManagedOnlineEndpoint

    workspace = clients.workspace(WORKSPACE1)
    (tmp_path / "code").mkdir()
    (tmp_path / "code/score.py").write_text(SCRIPT)
    (tmp_path / "code/factors.py").write_text("FACTOR = 2\n")
    (tmp_path / "request.json").write_text('{"number": 3}')
    deployment = ManagedOnlineDeployment(
        name="blue",
        endpoint_name="from-a-folder",
        model="azureml:weights:1",
        environment="azureml:plain:1",
        code_configuration=CodeConfiguration(code=str(tmp_path / "code"), scoring_script="score.py"),
        instance_type="Standard_DS1_v2",
        instance_count=1,
        tags={"tenant": "fabrikam"},
    )
    workspace.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="from-a-folder", auth_mode="key")).result()

    deployed = workspace.online_deployments.begin_create_or_update(deployment).result()

    # before it takes any traffic
    answer = workspace.online_endpoints.invoke("from-a-folder", request_file=str(tmp_path / "request.json"), deployment_name="blue")
    assert (deployed.provisioning_state, deployed.tags, json.loads(answer)["result"]) == ("Succeeded", {"tenant": "fabrikam"}, 15)


@pytest.mark.parametrize("mode", ["key", "aml_token", "aad_token"])
def test_the_sdk_invokes_whatever_the_endpoint_asks_for(azure_ml: AzureMl, clients: Clients, tmp_path: Path, mode: str) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    name, request = f"invoked-{mode.replace('_', '-')}", tmp_path / "request.json"
    request.write_text(json.dumps({"input_data": ROWS}))
    endpoints = clients.workspace(WORKSPACE1).online_endpoints
    endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode=mode)).result()
    path = f"{WORKSPACE1}/onlineEndpoints/{name}"
    _put_deployment(azure_ml, f"{path}/deployments/blue")
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Succeeded"

    assert json.loads(endpoints.invoke(name, request_file=str(request), deployment_name="blue")) == [0, 1]


def test_an_update_leaves_the_old_script_answering_until_it_has_succeeded(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, "updated", blue=_scripted("product", environmentVariables={"MOOD": "old"}))
    caller, deployment = Caller(azure_ml, path), f"{path}/deployments/blue"

    with azure_ml.slower(deployment=0.6):
        accepted = _put_deployment(azure_ml, deployment, **_scripted("product", environmentVariables={"MOOD": "new"}))
    meanwhile = caller.score('{"number": 1}', "blue").json()["mood"]

    assert (accepted.status_code, meanwhile) == (200, "old")
    assert _settled(azure_ml, deployment) == "Succeeded"
    assert caller.score('{"number": 1}', "blue").json()["mood"] == "new"
    # and one that fails changes nothing for the callers
    assert _error(azure_ml, _put_deployment(azure_ml, deployment, **_scripted("broken-init")))["code"] == "ResourceNotReady"
    assert caller.score('{"number": 1}', "blue").json()["mood"] == "new"


def test_no_request_fails_while_traffic_moves_from_blue_to_green(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, "under-load", blue=_scripted("product", environmentVariables={"MOOD": "blue"}))
    _put_endpoint(azure_ml, path, traffic={"blue": 100})
    assert _settled(azure_ml, path) == "Succeeded"
    caller, done = Caller(azure_ml, path), threading.Event()

    def call_until_done() -> list[tuple[int, str]]:
        answers = []
        while not done.is_set():
            answer = caller.score('{"number": 1}')
            answers.append((answer.status_code, str(answer.headers.get("azureml-model-deployment"))))
        return answers

    # when green is made, takes the traffic in two steps, and blue is removed
    with ThreadPoolExecutor(3) as pool:
        consumers = [pool.submit(call_until_done) for _ in range(3)]
        _put_deployment(azure_ml, f"{path}/deployments/green", **_scripted("product"))
        assert _settled(azure_ml, f"{path}/deployments/green") == "Succeeded"
        for green in (50, 100):
            assert _put_endpoint(azure_ml, path, traffic={"blue": 100 - green, "green": green}).ok
            assert _settled(azure_ml, path) == "Succeeded"
        _removed(azure_ml, f"{path}/deployments/blue")
        assert _put_endpoint(azure_ml, path, traffic={"green": 100}).ok
        assert _settled(azure_ml, path) == "Succeeded"
        done.set()
    answers = [answer for consumer in consumers for answer in consumer.result()]

    # then each request was answered, and the state tells by whom
    assert {status for status, _deployment in answers} == {200}
    assert {deployment for _status, deployment in answers} == {"blue", "green"}
    assert _answered(azure_ml, "under-load")["green"] == {"200": sum(found == "green" for _status, found in answers)}


def _answered(azure_ml: AzureMl, endpoint: str) -> dict[str, dict[str, int]]:
    found = azure_ml.control("GET", "state")["workspaces"][WORKSPACE1]["endpoints"]
    [shown] = [shown for shown in found if shown["name"] == endpoint]
    return {deployment["name"]: deployment["answered"] for deployment in shown["deployments"]}


def test_more_containers_than_are_kept_idle_all_answer_at_once(azure_ml: AzureMl) -> None:
    deployments = {f"number-{number}": _scripted("echo") for number in range(5)}
    path = _new(azure_ml, "crowded", WORKSPACE1, **deployments)
    caller = Caller(azure_ml, path)

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda name: caller.score(f'"{name}"', name), [*deployments] * 2))

    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, f'"{name}"') for name in [*deployments] * 2]
    _removed(azure_ml, path)


def test_a_deployment_that_takes_traffic_is_not_deleted(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, "guarded", blue={}, green={})
    _put_endpoint(azure_ml, path, traffic={"blue": 100})
    assert _settled(azure_ml, path) == "Succeeded"

    with azure_ml.slower(endpoint=0.6):
        assert _put_endpoint(azure_ml, path, traffic={"green": 100}).status_code == 200
    refused = [azure_ml.call("DELETE", f"{path}/deployments/{name}") for name in ("blue", "green")]

    # one still has it, the other is to have it
    assert [(answer.status_code, "takes traffic" in error_text(answer)) for answer in refused] == [(400, True)] * 2
    assert _put_endpoint(azure_ml, path, traffic={"green": 100}).status_code == 409
    assert _settled(azure_ml, path) == "Succeeded"
    _removed(azure_ml, f"{path}/deployments/blue")


def test_nothing_changes_below_an_endpoint_that_is_being_deleted(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, "going", blue={})
    with azure_ml.slower(endpoint=0.6):
        assert azure_ml.call("DELETE", path).status_code == 202

    refused = [
        azure_ml.call("DELETE", f"{path}/deployments/blue"),
        azure_ml.call("PATCH", f"{path}/deployments/blue", {"tags": {}}),
        _put_deployment(azure_ml, f"{path}/deployments/green"),
    ]

    assert [answer.status_code for answer in refused] == [409, 409, 409]
    eventually(lambda: azure_ml.call("GET", path).status_code == 404)
    _new(azure_ml, "going")
    assert azure_ml.call("GET", f"{path}/deployments").json()["value"] == []


def test_cores_are_counted_by_azure_subscription_and_region(azure_ml: AzureMl) -> None:
    # given 4 cores in each of ceil(1.2 × 6) instances, of the 40 that the region has
    upload(azure_ml, WORKSPACE4, "weights/MLmodel")
    azure_ml.put_model(WORKSPACE4, "cards", uri=datastore(WORKSPACE4, "weights"), modelType="mlflow_model")
    model, size = f"{WORKSPACE4}/models/cards/versions/1", "Standard_DS3_v2"
    path = _new(azure_ml, "quota", WORKSPACE4, blue={"model": model, "instanceType": size, "capacity": 6})
    green = f"{path}/deployments/green"

    # when 3 more would need 16, then the operation fails, and nothing is taken
    accepted = _put_deployment(azure_ml, green, capacity=3, model=model, instanceType=size)
    error = _error(azure_ml, accepted)
    assert (accepted.status_code, error["code"]) == (201, "OutOfQuota")
    assert "Current usage/limit: 32/40. Additional needed: 16" in error["message"]
    assert _settled(azure_ml, green) == "Failed"

    # and 1, which needs 8, fits; an update gives back what it replaces, and a deletion everything
    assert _put_deployment(azure_ml, green, model=model, instanceType=size).status_code == 200
    assert _settled(azure_ml, green) == "Succeeded"
    more = azure_ml.call("PATCH", green, {"sku": {"capacity": 2}})
    assert _error(azure_ml, more)["code"] == "OutOfQuota"
    azure_ml.call("PATCH", f"{path}/deployments/blue", {"sku": {"capacity": 4}})
    assert _settled(azure_ml, f"{path}/deployments/blue") == "Succeeded"
    azure_ml.call("PATCH", green, {"sku": {"capacity": 2}})
    assert _settled(azure_ml, green) == "Succeeded"
    _removed(azure_ml, path)
    _new(azure_ml, "quota-again", WORKSPACE4, blue={"model": model, "instanceType": size, "capacity": 8})


def test_the_quota_of_a_vm_family_counts_besides(azure_ml: AzureMl) -> None:
    path, size = _new(azure_ml, "family"), "Standard_DS3_v2"
    azure_ml.control("PUT", "surroundings", {"cores": {f"standardDSv2Family@{WORKSPACE1.split('/')[2]}": 0}})

    refused = _put_deployment(azure_ml, f"{path}/deployments/blue", instanceType=size)

    assert _error(azure_ml, refused)["code"] == "OutOfQuota"
    azure_ml.control("PUT", "surroundings", {"cores": {}})


def test_another_workspaces_endpoint_keeps_its_name(azure_ml: AzureMl) -> None:
    _new(azure_ml, "taken")

    refused = _put_endpoint(azure_ml, f"{WORKSPACE3}/onlineEndpoints/taken")

    assert (refused.status_code, "needs to be unique within a region" in error_text(refused)) == (400, True)


def test_the_state_shows_what_a_deployment_runs(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, "shown", blue=_scripted("echo", tags={"tenant": "fabrikam"}))
    Caller(azure_ml, path).score("{}", "blue")
    Caller(azure_ml, path).score("{}", "absent")

    endpoints = azure_ml.control("GET", "state")["workspaces"][WORKSPACE1]["endpoints"]

    [shown] = [endpoint for endpoint in endpoints if endpoint["name"] == "shown"]
    [deployment] = shown["deployments"]
    assert (deployment["model"], deployment["environment"], deployment["tags"]) == (WEIGHTS, ENVIRONMENT, {"tenant": "fabrikam"})
    assert (deployment["code"]["codeId"], deployment["instanceCount"]) == (_code_id("echo"), 1)
    assert deployment["answered"] == {"200": 1}
    log = [entry for entry in azure_ml.requests_to("POST", "/score") if "/shown/" in entry["path"]]
    assert [entry["status"] for entry in log] == [200, 404]


def test_a_scoring_script_answers_after_a_kill(azure_ml: AzureMl) -> None:
    path = _new(azure_ml, "revived", blue=_scripted("product"))
    azure_ml.program.end(9)

    azure_ml.start()

    assert Caller(azure_ml, path).score('{"number": 4}', "blue").json()["result"] == 100.0
