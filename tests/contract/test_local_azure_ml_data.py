"""Data assets in workspaces and registries, through the unmodified SDK and on the wire; and copies of blobs inside the storage."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, ContainerClient

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


@pytest.fixture(scope="module")
def event_grid() -> Iterator[EventGrid]:
    grid = EventGrid()
    yield grid
    grid.close()


@pytest.fixture(scope="module")
def azure_ml(event_grid: EventGrid, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMl]:
    with running_azurite(tmp_path_factory.mktemp("azurite")) as blobs:
        seconds = {"import": 0.3, "asset": 0.1}
        cloud = AzureMl(tmp_path_factory.mktemp("cloud"), blobs, event_grid.url, seconds=seconds)
        yield cloud
        assert cloud.stop() == 0


@pytest.fixture(scope="module")
def clients(azure_ml: AzureMl) -> Iterator[Clients]:
    with sdk(azure_ml) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = tmp_path / "rows"
    (rows / "deep").mkdir(parents=True)
    (rows / "train.csv").write_bytes(b"a,b\n1,2\n" * 1000)
    (rows / "deep/test.csv").write_bytes(b"a,b\n3,4\n")
    return rows


def _data(**fields: Any) -> Any:
    from azure.ai.ml.entities import Data

    return Data(**{"version": "1", "type": "uri_folder"} | fields)


def _put(azure_ml: AzureMl, workspace: str, name: str, version: str = "1", **properties: Any) -> Any:
    uri = f"azureml://datastores/workspaceblobstore/paths/{name}"
    body = {"properties": {"dataType": "uri_folder", "dataUri": uri} | properties}
    return azure_ml.call("PUT", f"{workspace}/data/{name}/versions/{version}", body)


def begin_import(azure_ml: AzureMl, workspace: str, source: str, kind: str = "data", **properties: str) -> Any:
    found = azure_ml.call("GET", workspace).json()
    place = f"azureml://locations/{found['location']}/workspaces/{found['properties']['workspaceId']}"
    asked = {"referenceType": "Id", "sourceAssetId": f"{place}/{kind}/{source}/versions/1"} | properties
    return azure_ml.call("POST", f"{registry_path()}/import", {"properties": asked})


def ended(azure_ml: AzureMl, accepted: Any) -> Any:
    assert accepted.status_code == 202, accepted.text
    path = accepted.headers["Location"].removeprefix(azure_ml.url)
    eventually(lambda: azure_ml.call("GET", path).status_code != 202)
    return azure_ml.call("GET", path)


def _registered(azure_ml: AzureMl, name: str, version: str = "1") -> Any:
    return azure_ml.call("GET", f"{registry_path()}/data/{name}/versions/{version}")


def reader(azure_ml: AzureMl, workspace: str) -> ContainerClient:
    """The container of the workspace's datastore, by the credential that the datastore gives out."""
    store = azure_ml.call("GET", f"{workspace}/datastores/workspaceblobstore").json()["properties"]
    token = azure_ml.call("POST", f"{workspace}/datastores/workspaceblobstore/listSecrets", {}).json()["sasToken"]
    address = f"https://{store['accountName']}.blob.{store['endpoint']}"
    return ContainerClient(address, store["containerName"], credential=token, connection_verify=azure_ml.ca)


def test_a_folder_becomes_a_data_asset_whose_uri_the_service_writes_in_full(
    azure_ml: AzureMl, clients: Clients, folder: Path
) -> None:
    made = clients.workspace(WORKSPACE1).data.create_or_update(_data(name="rows", path=str(folder), tags={"a": "b"}))

    assert made.id == f"{WORKSPACE1}/data/rows/versions/1"
    assert (made.type, made.tags) == ("uri_folder", {"a": "b"})
    assert made.path.startswith(datastore(WORKSPACE1, "LocalUpload/").replace("resourcegroups", "resourceGroups"))
    assert made.path.endswith("/rows/")
    with reader(azure_ml, WORKSPACE1) as container:
        names = {name.partition("/rows/")[2] for name in container.list_blob_names() if "/rows/" in name}
    assert names == {"train.csv", "deep/test.csv"}


def test_a_version_looks_as_recorded_from_the_real_service(azure_ml: AzureMl) -> None:
    answer = _put(azure_ml, WORKSPACE1, "shape", tags={"foo": "bar"}, properties={"n": 1}, description="d")

    body = answer.json()
    assert answer.status_code == 201
    assert (body["name"], body["type"]) == ("1", "Microsoft.MachineLearningServices/workspaces/data/versions")
    assert body["properties"] == {
        "description": "d",
        "tags": {"foo": "bar"},
        "properties": {"n": "1"},
        "isArchived": False,
        "isAnonymous": False,
        "dataUri": datastore(WORKSPACE1, "shape/").replace("resourcegroups", "resourceGroups"),
        "dataType": "uri_folder",
    }


@pytest.mark.parametrize("data_type", ["uri_file", "uri_folder", "mltable"])
def test_every_type_can_be_registered_by_path(clients: Clients, tmp_path: Path, data_type: str) -> None:
    path = "azureml://datastores/workspaceblobstore/paths/there"

    made = clients.workspace(WORKSPACE3).data.create_or_update(
        _data(name=data_type, path=path, type=data_type, skip_validation=True)
    )

    assert (made.type, made.path.endswith("/there/")) == (data_type, data_type != "uri_file")


def test_a_file_is_a_data_asset_too_and_a_table_keeps_what_it_refers_to(azure_ml: AzureMl, clients: Clients, folder: Path) -> None:
    (folder / "MLTable").write_text("paths:\n  - file: ./train.csv\n")
    data = clients.workspace(WORKSPACE1).data

    file = data.create_or_update(_data(name="file", path=str(folder / "train.csv"), type="uri_file"))
    no_schema = f"{azure_ml.url}_control/seconds"  # any JSON: else the SDK fetches a schema from the internet, needed or not
    table = data.create_or_update(
        _data(name="table", path=str(folder), type="mltable", skip_validation=True, mltable_schema_url=no_schema)
    )

    assert file.path.endswith("/train.csv")
    assert table.type == "mltable"
    on_the_wire = azure_ml.call("GET", f"{WORKSPACE1}/data/table/versions/1").json()["properties"]
    assert on_the_wire["referencedUris"] == ["./train.csv"]


@pytest.mark.parametrize("wrong", [{"dataType": "table"}, {"dataUri": ""}, {"dataType": None}])
def test_what_is_no_data_asset_is_refused(azure_ml: AzureMl, wrong: dict[str, Any]) -> None:
    answer = _put(azure_ml, WORKSPACE1, "wrong", **wrong)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "UserError")


def test_the_same_version_again_changes_tags_and_never_the_bytes(clients: Clients, folder: Path) -> None:
    data = clients.workspace(WORKSPACE1).data
    first = data.create_or_update(_data(name="again", path=str(folder), tags={"a": "1"}))

    changed = data.create_or_update(_data(name="again", path=str(folder), tags={"a": "2"}))
    (folder / "train.csv").write_bytes(b"others")

    assert (changed.tags, changed.path) == ({"a": "2"}, first.path)
    with pytest.raises(ResourceExistsError, match="data uri cannot be changed"):
        data.create_or_update(_data(name="again", path=str(folder)))


def test_latest_lists_and_archiving_are_as_for_models(azure_ml: AzureMl, clients: Clients) -> None:
    for version in ("1", "2", "x"):
        _put(azure_ml, WORKSPACE4, "many", version)
    data = clients.workspace(WORKSPACE4).data

    numbered = data.create_or_update(_data(name="many", version=None, path="azureml://datastores/workspaceblobstore/paths/many"))
    data.archive("many", numbered.version)

    assert numbered.version == "3"
    assert data.get("many", label="latest").version == "x"
    assert [found.version for found in data.list("many")] == ["x", "2", "1"]
    assert [(found.name, found.latest_version, found.type) for found in data.list()] == [("many", "x", "uri_folder")]
    data.restore("many", "3")
    assert data.get("many", label="latest").version == "3"
    data.archive("many")
    assert list(data.list()) == []
    with pytest.raises(ResourceNotFoundError):
        data.get("many", "9")


def test_event_grid_is_told_of_models_only(azure_ml: AzureMl, event_grid: EventGrid) -> None:
    _put(azure_ml, WORKSPACE3, "quiet")
    azure_ml.put_model(WORKSPACE3, "told")

    eventually(lambda: any(event["subject"] == "models/told:1" for event in event_grid.events))

    assert {event["subject"].partition("/")[0] for event in event_grid.events} == {"models"}


def test_the_sdk_shares_data_and_the_registry_holds_its_own_copy(azure_ml: AzureMl, clients: Clients, folder: Path) -> None:
    workspace = clients.workspace(WORKSPACE1)
    workspace.data.create_or_update(_data(name="shared", path=str(folder), tags={"a": "b"}))

    shared = workspace.data.share("shared", "1", share_with_name="northwind-rows", share_with_version="3", registry_name=REGISTRY)

    assert shared.id == f"azureml://registries/{REGISTRY}/data/northwind-rows/versions/3"
    wire = _registered(azure_ml, "northwind-rows", "3").json()
    guid = azure_ml.call("GET", WORKSPACE1).json()["properties"]["workspaceId"]
    assert (wire["name"], wire["type"]) == ("3", "data")
    assert wire["properties"]["originAssetId"] == f"azureml://locations/westeurope/workspaces/{guid}/data/shared/versions/1"
    assert wire["properties"]["dataUri"].startswith(f"{azure_ml.url}{REGISTRY}-")
    assert _md5s(azure_ml, "northwind-rows", "3") == {
        "train.csv": _md5((folder / "train.csv").read_bytes()),
        "deep/test.csv": _md5((folder / "deep/test.csv").read_bytes()),
    }
    assert [found.version for found in clients.registry().data.list("northwind-rows")] == ["3"]


def _md5(content: bytes) -> bytearray:
    return bytearray(hashlib.md5(content, usedforsecurity=False).digest())


def _md5s(azure_ml: AzureMl, name: str, version: str) -> dict[str, bytearray | None]:
    """Content-MD5 of each blob of the registry's data asset, read by the SAS that a data reference gives out."""
    uri = _registered(azure_ml, name, version).json()["properties"]["dataUri"]
    asked = {"assetId": f"azureml://registries/{REGISTRY}/data/{name}/versions/{version}", "blobUri": uri}
    answer = azure_ml.call("POST", f"{registry_path()}/datarefs/{name}/versions/{version}", asked).json()
    sas_uri = answer["blobReferenceForConsumption"]["credential"]["sasUri"]
    prefix = uri.removeprefix(sas_uri.partition("?")[0]).strip("/")
    with ContainerClient.from_container_url(sas_uri, connection_verify=azure_ml.ca) as container:
        found = list(container.list_blobs(name_starts_with=f"{prefix}/"))
    return {blob.name.removeprefix(f"{prefix}/"): blob.content_settings.content_md5 for blob in found}


def test_an_import_of_data_is_refused_and_fails_as_one_of_models(azure_ml: AzureMl) -> None:
    upload(azure_ml, WORKSPACE1, "slow/rows.csv")
    for workspace, name in ((WORKSPACE1, "slow"), (WORKSPACE1, "no-bytes"), (ASIA, "far")):
        _put(azure_ml, workspace, name)

    accepted = begin_import(azure_ml, WORKSPACE1, "slow")
    meanwhile = begin_import(azure_ml, WORKSPACE1, "slow")
    end = ended(azure_ml, accepted)
    afterwards = begin_import(azure_ml, WORKSPACE1, "slow")
    missing = begin_import(azure_ml, WORKSPACE1, "never")
    far = begin_import(azure_ml, ASIA, "far")
    without_bytes = ended(azure_ml, begin_import(azure_ml, WORKSPACE1, "no-bytes"))

    assert (accepted.text, end.status_code, end.text) == ("null", 204, "")
    assert [answer.status_code for answer in (meanwhile, afterwards, missing, far)] == [409, 409, 404, 400]
    assert without_bytes.status_code == 400
    assert "No files found" in error_text(without_bytes)


def test_a_models_name_is_no_obstacle_to_data_of_the_same_name(azure_ml: AzureMl) -> None:
    upload(azure_ml, WORKSPACE1, "twins/bytes")
    azure_ml.put_model(WORKSPACE1, "twins", uri=datastore(WORKSPACE1, "twins"))
    _put(azure_ml, WORKSPACE1, "twins")

    model, data = azure_ml.begin_import(WORKSPACE1, "twins"), begin_import(azure_ml, WORKSPACE1, "twins")

    assert (ended(azure_ml, model).status_code, ended(azure_ml, data).status_code) == (204, 204)


def test_the_sdk_creates_data_and_models_in_a_registry_from_local_folders(
    azure_ml: AzureMl, clients: Clients, folder: Path, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import Model

    registry = clients.registry()

    data = registry.data.create_or_update(_data(name="local", path=str(folder), tags={"a": "b"}))
    model = registry.models.create_or_update(Model(name="local", version="1", type="custom_model", path=str(folder)))

    assert (data.id, data.tags) == (f"azureml://registries/{REGISTRY}/data/local/versions/1", {"a": "b"})
    assert data.path.startswith(f"{azure_ml.url}{REGISTRY}-")
    assert set(_md5s(azure_ml, "local", "1")) == {"train.csv", "deep/test.csv"}
    assert model.id == f"azureml://registries/{REGISTRY}/models/local/versions/1"
    registry.models.download("local", "1", download_path=str(tmp_path / "down"))
    assert (tmp_path / "down/local/rows/deep/test.csv").read_bytes() == b"a,b\n3,4\n"


def test_what_is_created_in_a_registry_must_lie_where_it_was_told_to(azure_ml: AzureMl) -> None:
    path, reference = f"{registry_path()}/data/placed/versions/1", f"{registry_path()}/tempdatarefs/placed/versions/1"
    asked = {
        "assetId": f"azureml://registries/{REGISTRY}/data/placed/versions/1",
        "temporaryDataReferenceType": "TemporaryBlobReference",
    }
    place = azure_ml.call("PUT", reference, asked).json()["blobReferenceForConsumption"]
    body = {"dataType": "uri_file", "dataUri": f"{place['blobUri']}/rows.csv"}

    empty = ended(azure_ml, azure_ml.call("PUT", path, {"properties": body}))
    of_workspace = azure_ml.call("PUT", path, {"properties": body | {"dataUri": datastore(WORKSPACE1, "rows.csv")}})
    with ContainerClient.from_container_url(place["credential"]["sasUri"], connection_verify=azure_ml.ca) as container:
        container.upload_blob("rows.csv", b"rows")
    accepted = azure_ml.call("PUT", path, {"properties": body})
    meanwhile = azure_ml.call("PUT", path, {"properties": body})
    end = ended(azure_ml, accepted)
    again = azure_ml.call("PUT", reference, asked)

    assert (empty.status_code, of_workspace.status_code) == (400, 400)
    assert (accepted.status_code, accepted.text, meanwhile.status_code) == (202, "null", 409)
    assert (end.status_code, end.json()) == (200, {"assetId": f"azureml://registries/{REGISTRY}/data/placed/versions/1"})
    assert again.status_code == 409
    assert azure_ml.call("PUT", reference, {"assetId": "azureml://registries/other/data/placed/versions/1"}).status_code == 400


def test_a_registrys_version_changes_tags_description_and_archiving_only(azure_ml: AzureMl, clients: Clients) -> None:
    upload(azure_ml, WORKSPACE1, "fixed/rows.csv")
    _put(azure_ml, WORKSPACE1, "fixed", properties={"made": "here"})
    ended(azure_ml, begin_import(azure_ml, WORKSPACE1, "fixed"))
    path, registry = f"{registry_path()}/data/fixed/versions/1", clients.registry()
    before = _registered(azure_ml, "fixed").json()["properties"]

    other_bytes = azure_ml.call("PUT", path, {"properties": before | {"dataUri": "https://elsewhere/x/y"}})
    other_type = azure_ml.call("PUT", path, {"properties": before | {"dataType": "mltable"}})
    registry.data.archive("fixed", "1")
    tagged = azure_ml.call("PUT", path, {"properties": before | {"tags": {"a": "b"}, "properties": {"made": "elsewhere"}}})

    assert (other_bytes.status_code, other_type.status_code) == (409, 409)
    assert ended(azure_ml, tagged).status_code == 204
    assert _registered(azure_ml, "fixed").json()["properties"] == before | {"tags": {"a": "b"}}
    registry.data.archive("fixed", "1")
    latest = azure_ml.call("GET", f"{registry_path()}/data/fixed/versions", params={"$orderBy": "createdtime desc", "$top": "1"})
    assert latest.json()["value"] == []
    assert [found.version for found in registry.data.list("fixed", list_view_type="All")] == ["1"]


def test_data_pulled_by_hand_keeps_the_registrys_address(azure_ml: AzureMl, clients: Clients) -> None:
    upload(azure_ml, WORKSPACE1, "pulled/rows.csv")
    _put(azure_ml, WORKSPACE1, "pulled")
    ended(azure_ml, begin_import(azure_ml, WORKSPACE1, "pulled"))

    pulled = clients.workspace(WORKSPACE4).data.create_or_update(clients.registry().data.get("pulled", "1"))

    assert pulled.path.startswith(f"{azure_ml.url}{REGISTRY}-")


def test_blobs_are_copied_inside_the_storage_with_their_checksums(azure_ml: AzureMl) -> None:
    content = b"the bytes"
    with reader(azure_ml, WORKSPACE1) as source, reader(azure_ml, WORKSPACE4) as target:
        source.upload_blob("from/here", content)
        origin = source.get_blob_client("from/here").url
        copies = {
            "asynchronous": target.get_blob_client("asynchronous"),
            "synchronous": target.get_blob_client("synchronous"),
            "put-from-url": target.get_blob_client("put-from-url"),
            "block-from-url": target.get_blob_client("block-from-url"),
        }

        copies["asynchronous"].start_copy_from_url(origin)
        copies["synchronous"].start_copy_from_url(origin, requires_sync=True)
        copies["put-from-url"].upload_blob_from_url(origin)
        copies["block-from-url"].stage_block_from_url("01", origin)
        copies["block-from-url"].commit_block_list([BlobBlock("01")])

        assert {name: copy.download_blob().readall() for name, copy in copies.items()} == dict.fromkeys(copies, content)
        kept = {name: copy.get_blob_properties().content_settings.content_md5 for name, copy in copies.items()}
    assert kept.pop("block-from-url") is None  # as in Azure: nobody knows that of the whole
    assert kept == dict.fromkeys(kept, _md5(content))


def test_a_copy_from_where_the_sas_does_not_reach_is_refused(azure_ml: AzureMl) -> None:
    with reader(azure_ml, WORKSPACE1) as source, reader(azure_ml, WORKSPACE4) as target:
        source.upload_blob("secret", b"bytes")
        origin = source.get_blob_client("secret").url.partition("?")[0]

        with pytest.raises(HttpResponseError) as refused:
            target.get_blob_client("stolen").start_copy_from_url(origin)

    assert refused.value.status_code in (403, 404)


def test_the_state_tells_tests_what_everybody_holds(azure_ml: AzureMl) -> None:
    _put(azure_ml, WORKSPACE3, "held", tags={"a": "b"})

    state = azure_ml.control("GET", "state")

    [held] = [data for data in state["workspaces"][WORKSPACE3]["data"] if data["name"] == "held"]
    assert (held["version"], held["type"], held["tags"], held["originAssetId"]) == ("1", "uri_folder", {"a": "b"}, None)
    assert held["dataUri"].endswith("/paths/held/")
