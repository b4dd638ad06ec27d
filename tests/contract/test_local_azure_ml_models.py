"""Models in workspaces and registries, through the unmodified SDK and on the wire: registering, sharing, pulling, archiving."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.storage.blob import ContainerClient

from tests.contract.test_local_azure_ml import (
    ASIA,
    REGISTRY,
    WORKSPACE1,
    WORKSPACE3,
    WORKSPACE4,
    AzureMl,
    Clients,
    EventGrid,
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
SEVEN_DIGITS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00$")


@pytest.fixture(scope="module")
def event_grid() -> Iterator[EventGrid]:
    grid = EventGrid()
    yield grid
    grid.close()


@pytest.fixture(scope="module")
def azure_ml(event_grid: EventGrid, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMl]:
    with running_azurite(tmp_path_factory.mktemp("azurite")) as blobs:
        cloud = AzureMl(tmp_path_factory.mktemp("cloud"), blobs, event_grid.url)
        yield cloud
        assert cloud.stop() == 0


@pytest.fixture(scope="module")
def clients(azure_ml: AzureMl) -> Iterator[Clients]:
    with sdk(azure_ml) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = tmp_path / "model"
    (model / "deep").mkdir(parents=True)
    (model / "weights.bin").write_bytes(b"weights" * 1000)
    (model / "deep/ünïcode name.json").write_text('{"a": 1}')
    return model


def _model(**fields: Any) -> Any:
    from azure.ai.ml.entities import Model

    return Model(**{"version": "1", "type": "custom_model"} | fields)


def _files(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_folder_becomes_a_model_whose_bytes_the_service_keeps(
    azure_ml: AzureMl, clients: Clients, folder: Path, tmp_path: Path
) -> None:
    workspace = clients.workspace(WORKSPACE1)

    made = workspace.models.create_or_update(_model(name="cards", path=str(folder), tags={"stage": "production"}, description="d"))

    assert made.id == f"{WORKSPACE1}/models/cards/versions/1"
    assert re.search(r"/datastores/workspaceblobstore/paths/ServiceReplicated/[0-9a-f-]{36}/LocalUpload/\w+/model$", made.path)
    workspace.models.download("cards", "1", download_path=str(tmp_path / "down"))
    assert _files(tmp_path / "down/cards/model") == _files(folder)
    [put] = azure_ml.requests_to("PUT", "/models/cards/versions/1")
    assert (put["status"], "/models/" in put["path"]) == (201, True)
    assert "azure-ai-ml" in put["user_agent"]


def test_a_version_looks_as_recorded_from_the_real_service(azure_ml: AzureMl) -> None:
    answer = azure_ml.put_model(WORKSPACE1, "shape", "2", tags={"foo": "bar"})

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith(f"{azure_ml.url.rstrip('/')}{WORKSPACE1}/models/shape/versions/2")
    assert set(body) == {"id", "name", "type", "properties", "systemData"}
    assert (body["name"], body["type"]) == ("2", "Microsoft.MachineLearningServices/workspaces/models/versions")
    assert body["properties"] == {
        "description": None,
        "tags": {"foo": "bar"},
        "properties": {},
        "isArchived": False,
        "isAnonymous": False,
        "flavors": {},
        "modelType": "custom_model",
        "modelUri": "azureml://datastores/workspaceblobstore/paths/shape/2",
        "jobName": None,
    }
    assert SEVEN_DIGITS.match(body["systemData"]["createdAt"])


def test_the_same_version_again_changes_tags_and_never_the_bytes(clients: Clients, folder: Path) -> None:
    models = clients.workspace(WORKSPACE1).models
    first = models.create_or_update(_model(name="again", path=str(folder), tags={"a": "1"}))

    changed = models.create_or_update(_model(name="again", path=str(folder), tags={"a": "2"}))
    (folder / "weights.bin").write_bytes(b"others")

    assert (changed.tags, changed.path) == ({"a": "2"}, first.path)
    with pytest.raises(ResourceExistsError, match="model uri cannot be changed"):
        models.create_or_update(_model(name="again", path=str(folder)))


def test_latest_is_the_one_created_last_and_lists_are_paged(azure_ml: AzureMl, clients: Clients) -> None:
    for number in range(1, 34):
        azure_ml.put_model(WORKSPACE3, "many", str(number))
    azure_ml.put_model(WORKSPACE3, "many", "5a")
    models = clients.workspace(WORKSPACE3).models

    assert models.get("many", label="latest").version == "5a"
    assert [model.version for model in models.list("many")] == ["5a", *map(str, range(33, 0, -1))]
    assert {model.name: model.latest_version for model in models.list()} == {"many": "5a"}


def test_an_archived_model_is_hidden_until_restored(azure_ml: AzureMl, clients: Clients) -> None:
    models = clients.workspace(WORKSPACE4).models
    azure_ml.put_model(WORKSPACE4, "old", "1")
    azure_ml.put_model(WORKSPACE4, "old", "2")

    models.archive("old", "1")
    models.archive("old", label="latest")

    assert list(models.list("old")) == []
    assert models.get("old", "1").version == "1"
    models.restore("old", "1")
    assert [model.version for model in models.list("old")] == ["1"]
    models.archive("old")
    assert list(models.list()) == []
    models.restore("old")
    assert [model.name for model in models.list()] == ["old"]


@pytest.mark.parametrize(("name", "version"), [("-cards", "1"), ("a b", "1"), ("x" * 256, "1"), ("cards", "1 2"), ("cards", "ü")])
def test_names_and_versions_are_checked(azure_ml: AzureMl, name: str, version: str) -> None:
    assert azure_ml.put_model(WORKSPACE1, name, version).status_code == 400


def test_every_new_version_is_told_to_event_grid_once_it_can_be_reached(azure_ml: AzureMl, event_grid: EventGrid) -> None:
    # given an Event Grid that refuses
    event_grid.refusing, before = True, event_grid.refused
    azure_ml.put_model(WORKSPACE1, "told", "20", tags={"area": "diabetes"}, properties={"type": "test"})
    azure_ml.put_model(WORKSPACE1, "told", "v1")
    eventually(lambda: event_grid.refused > before)

    # when it takes events again, and a version that exists is changed
    event_grid.refusing = False
    azure_ml.put_model(WORKSPACE1, "told", "20", tags={"area": "other"})
    eventually(lambda: len(_told(event_grid)) == 2)

    # then each new version has arrived, as the real service writes it
    number, text = _told(event_grid)
    assert number.pop("id") != text["id"]
    assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$", number.pop("eventTime"))
    assert number == {
        "topic": WORKSPACE1,
        "subject": "models/told:20",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "data": {
            "ModelName": "told",
            "ModelVersion": 20,
            "ModelTags": {"area": "diabetes"},
            "ModelProperties": {"type": "test"},
        },
        "dataVersion": "",
        "metadataVersion": "1",
    }
    assert (text["subject"], text["data"]["ModelVersion"]) == ("models/told:v1", "v1")


def _told(event_grid: EventGrid) -> list[dict[str, Any]]:
    return [event for event in event_grid.events if event["subject"].startswith("models/told:")]


def test_the_sdk_shares_a_model_and_the_registry_holds_its_own_copy(
    azure_ml: AzureMl, clients: Clients, folder: Path, tmp_path: Path
) -> None:
    workspace, registry = clients.workspace(WORKSPACE1), clients.registry()
    workspace.models.create_or_update(_model(name="shared", path=str(folder), tags={"a": "b"}))

    shared = workspace.models.share(
        "shared", "1", share_with_name="northwind-cards", share_with_version="3", registry_name=REGISTRY
    )

    assert shared.id == f"azureml://registries/{REGISTRY}/models/northwind-cards/versions/3"
    assert re.match(rf"^{azure_ml.url}{REGISTRY}-[0-9a-f-]{{36}}/LocalUpload/\w+/model$", shared.path)
    assert registry.models.get("northwind-cards", "3").tags == {"a": "b"}
    assert [model.version for model in registry.models.list("northwind-cards")] == ["3"]
    assert "northwind-cards" in [model.name for model in registry.models.list()]
    registry.models.download("northwind-cards", "3", download_path=str(tmp_path / "down"))
    assert _files(tmp_path / "down/northwind-cards/model") == _files(folder)
    on_the_wire = azure_ml.call("GET", f"{registry_path()}/models/northwind-cards/versions/3").json()
    guid = azure_ml.call("GET", WORKSPACE1).json()["properties"]["workspaceId"]
    origin = f"azureml://locations/westeurope/workspaces/{guid}/models/shared/versions/1"
    assert on_the_wire["properties"]["originAssetId"] == origin
    assert (on_the_wire["name"], on_the_wire["type"]) == ("northwind-cards", "models")
    [accepted] = [entry for entry in azure_ml.requests_to("POST", "/import") if "northwind-cards" in str(entry["body"])]
    assert accepted["status"] == 202
    assert accepted["user_agent"].startswith("azsdk-python-arm_ml_service/")


def test_a_model_pulled_by_hand_keeps_the_registrys_address(azure_ml: AzureMl, clients: Clients) -> None:
    upload(azure_ml, WORKSPACE1, "pulled/model.pkl")
    azure_ml.put_model(WORKSPACE1, "pulled", uri=datastore(WORKSPACE1, "pulled"))
    _share(azure_ml, WORKSPACE1, "pulled")
    receiver = clients.workspace(WORKSPACE4).models

    pulled = receiver.create_or_update(clients.registry().models.get("pulled", "1"))
    referred = receiver.create_or_update(_model(name="referred", path=f"azureml://registries/{REGISTRY}/models/pulled/versions/1"))

    assert pulled.path.startswith(f"{azure_ml.url}{REGISTRY}-")
    assert referred.path == f"azureml://registries/{REGISTRY}/models/pulled/versions/1"


def _share(azure_ml: AzureMl, workspace: str, name: str) -> None:
    accepted = azure_ml.begin_import(workspace, name)
    assert accepted.status_code == 202, accepted.text
    assert _ended(azure_ml, accepted.headers["Location"]).status_code == 204


def _ended(azure_ml: AzureMl, location: str) -> Any:
    path = location.removeprefix(azure_ml.url)
    eventually(lambda: azure_ml.call("GET", path).status_code != 202)
    return azure_ml.call("GET", path)


def test_an_import_takes_its_time_by_the_clock_whoever_polls(azure_ml: AzureMl) -> None:
    upload(azure_ml, WORKSPACE1, "slow/model.pkl")
    azure_ml.put_model(WORKSPACE1, "slow", uri=datastore(WORKSPACE1, "slow"))

    with azure_ml.slower(**{"import": 1.5}):
        accepted = azure_ml.begin_import(WORKSPACE1, "slow")
    operation = accepted.headers["Location"].removeprefix(azure_ml.url)
    polls = [azure_ml.call("GET", operation) for _ in range(5)]
    while_it_runs = azure_ml.begin_import(WORKSPACE1, "slow")
    absent = azure_ml.call("GET", f"{registry_path()}/models/slow/versions/1")
    time.sleep(1.6)  # nobody polls
    registered = azure_ml.call("GET", f"{registry_path()}/models/slow/versions/1")
    afterwards = azure_ml.begin_import(WORKSPACE1, "slow")

    assert (accepted.status_code, accepted.text, accepted.headers["x-ms-async-operation-timeout"]) == (202, "null", "PT1H")
    assert accepted.headers["retry-after-ms"] == "50"
    assert [(poll.status_code, poll.text) for poll in polls] == [(202, "")] * 5
    assert (absent.status_code, absent.headers["x-ms-response-type"]) == (404, "error")
    assert f"azureml://registries/{REGISTRY}/models/slow/versions/1" in error_text(absent)
    assert (azure_ml.call("GET", operation).status_code, azure_ml.call("GET", operation).text) == (204, "")
    assert registered.status_code == 200
    assert (while_it_runs.status_code, afterwards.status_code) == (409, 409)
    assert sum(entry["status"] == 202 for entry in _imports(azure_ml, "slow")) == 1


def _imports(azure_ml: AzureMl, name: str) -> list[dict[str, Any]]:
    entries = azure_ml.requests_to("POST", "/import")
    return [entry for entry in entries if entry["body"] and entry["body"]["properties"]["destinationName"] == name]


def test_an_import_of_what_cannot_be_imported_is_refused(azure_ml: AzureMl) -> None:
    azure_ml.put_model(ASIA, "far-away")

    missing = azure_ml.begin_import(WORKSPACE1, "never-registered")
    out_of_region = azure_ml.begin_import(ASIA, "far-away")
    nonsense = azure_ml.begin_import(WORKSPACE1, "x", properties={"sourceAssetId": "azureml:x:1"})
    badly_named = azure_ml.begin_import(ASIA, "x", properties={"destinationName": "a b"})

    assert (missing.status_code, out_of_region.status_code, nonsense.status_code, badly_named.status_code) == (404, 400, 400, 400)
    assert "eastasia" in error_text(out_of_region)


def test_an_import_fails_where_its_bytes_are_missing_or_it_is_told_to(azure_ml: AzureMl) -> None:
    azure_ml.put_model(WORKSPACE1, "without-bytes")
    azure_ml.put_model(WORKSPACE1, "told-to-fail")
    without_bytes = azure_ml.begin_import(WORKSPACE1, "without-bytes")
    azure_ml.control("POST", "faults", {"match": "POST .*/import$", "operation": {"code": "Boom", "message": "by a test"}})
    told = azure_ml.begin_import(WORKSPACE1, "told-to-fail")

    failures = [_ended(azure_ml, answer.headers["Location"]) for answer in (without_bytes, told)]

    assert [answer.status_code for answer in failures] == [400, 400]
    assert "No files found" in error_text(failures[0])
    assert failures[1].json()["error"] == {"code": "Boom", "message": "by a test"}
    assert azure_ml.call("GET", f"{registry_path()}/models/told-to-fail/versions/1").status_code == 404
    assert azure_ml.begin_import(WORKSPACE1, "told-to-fail").status_code == 202  # a failed import leaves its place free


def test_a_registrys_version_is_immutable_but_for_tags_description_and_archiving(azure_ml: AzureMl, clients: Clients) -> None:
    upload(azure_ml, WORKSPACE1, "fixed/model.pkl")
    azure_ml.put_model(WORKSPACE1, "fixed", uri=datastore(WORKSPACE1, "fixed"))
    _share(azure_ml, WORKSPACE1, "fixed")
    path, registry = f"{registry_path()}/models/fixed/versions/1", clients.registry()
    before = azure_ml.call("GET", path).json()["properties"]

    other_bytes = azure_ml.call("PUT", path, {"properties": before | {"modelUri": "https://elsewhere/x/y"}})
    registry.models.archive("fixed", "1")

    assert other_bytes.status_code == 409
    assert list(registry.models.list("fixed")) == []
    assert azure_ml.call("GET", path).json()["properties"] == before | {"isArchived": True}


def test_blobs_are_behind_a_real_sas(azure_ml: AzureMl) -> None:
    upload(azure_ml, WORKSPACE1, "secret/a")
    store = azure_ml.call("GET", f"{WORKSPACE1}/datastores/workspaceblobstore").json()["properties"]
    token = azure_ml.call("POST", f"{WORKSPACE1}/datastores/workspaceblobstore/listSecrets", {}).json()["sasToken"]
    address = f"https://{store['accountName']}.blob.{store['endpoint']}"
    other = azure_ml.call("GET", f"{WORKSPACE3}/datastores/workspaceblobstore").json()["properties"]["containerName"]

    def names(container: str, credential: str) -> list[str]:
        with ContainerClient(address, container, credential=credential, connection_verify=azure_ml.ca) as client:
            return [name for name in client.list_blob_names() if name.startswith("secret/")]

    assert names(store["containerName"], token) == ["secret/a"]
    for container, credential in ((store["containerName"], token.replace("sig=", "sig=A")), (other, token)):
        with pytest.raises(HttpResponseError) as refused:
            names(container, credential)
        assert refused.value.status_code == 403


def test_bytes_can_be_copied_from_a_registry_into_a_workspace_inside_the_storage(azure_ml: AzureMl) -> None:
    """A registration that copies, without the bytes passing through the client."""
    upload(azure_ml, WORKSPACE1, "origin/model.pkl", b"the bytes")
    azure_ml.put_model(WORKSPACE1, "copied", uri=datastore(WORKSPACE1, "origin"))
    _share(azure_ml, WORKSPACE1, "copied")
    model = azure_ml.call("GET", f"{registry_path()}/models/copied/versions/1").json()["properties"]["modelUri"]
    asked = {"assetId": f"azureml://registries/{REGISTRY}/models/copied/versions/1", "blobUri": model}
    reference = azure_ml.call("POST", f"{registry_path()}/datarefs/copied/versions/1", asked).json()["blobReferenceForConsumption"]
    sas = reference["credential"]["sasUri"].partition("?")[2]
    store = azure_ml.call("GET", f"{WORKSPACE4}/datastores/workspaceblobstore").json()["properties"]
    token = azure_ml.call("POST", f"{WORKSPACE4}/datastores/workspaceblobstore/listSecrets", {}).json()["sasToken"]
    address = f"https://{store['accountName']}.blob.{store['endpoint']}"

    with ContainerClient(address, store["containerName"], credential=token, connection_verify=azure_ml.ca) as container:
        container.get_blob_client("LocalUpload/x/model.pkl").start_copy_from_url(f"{model}/model.pkl?{sas}")
        assert container.download_blob("LocalUpload/x/model.pkl").readall() == b"the bytes"

    registered = azure_ml.put_model(WORKSPACE4, "copied", uri=datastore(WORKSPACE4, "LocalUpload/x")).json()
    assert "/workspaces/workspace4/datastores/workspaceblobstore/paths/ServiceReplicated/" in registered["properties"]["modelUri"]


def test_the_state_tells_tests_what_everybody_holds(azure_ml: AzureMl) -> None:
    azure_ml.put_model(WORKSPACE3, "held", tags={"a": "b"})

    state = azure_ml.control("GET", "state")

    [held] = [model for model in state["workspaces"][WORKSPACE3]["models"] if model["name"] == "held"]
    assert (held["version"], held["tags"], held["originAssetId"]) == ("1", {"a": "b"}, None)
    assert set(state["registries"]) == {REGISTRY}
