"""The adapters for workspaces and registries against the local Azure ML, through the real SDKs."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml.entities import Data, Environment, Model

from infra.local.cloud import LocalCloud
from infra.local.topology import Registry, Workspace
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceId
from shared.azure_ml_ports import OperationState
from shared.bootstrap import AzureFanout
from shared.deadline import within
from shared.errors import Conflict, NotFound, Permanent, Transient
from shared.provenance import DELIVERY
from tests.end_to_end.support import QUICK, REGISTRY, eventually, mlflow_folder, register


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    workspaces = [Workspace("here"), Workspace("there", location="northeurope"), Workspace("asia", location="eastasia")]
    directory = tmp_path_factory.mktemp("cloud")
    with LocalCloud(
        directory,
        workspaces=workspaces,
        registries=[Registry(REGISTRY)],
        seconds=QUICK,
        with_host=False,
        azure_ml={"retry_after_ms": 50},
    ) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def azure(cloud: LocalCloud) -> Iterator[AzureFanout]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in cloud.app_settings.items():
            environment.setenv(name, value)
        yield AzureFanout()


def workspace(cloud: LocalCloud, name: str) -> WorkspaceId:
    return WorkspaceId.parse(cloud.workspaces[name].id)


def a_model(cloud: LocalCloud, name: str, folder: Path, at: str = "here") -> Asset:
    register(cloud.ml_client(at), name, "1", mlflow_folder(folder / name, name))
    return Asset(Kind.MODEL, name, "1")


def shared_model(cloud: LocalCloud, azure: AzureFanout, name: str, folder: Path) -> RegistryAsset:
    asset = a_model(cloud, name, folder)
    begin_import(azure, asset, workspace(cloud, "here"))
    eventually("the copy", lambda: azure.registries.asset(REGISTRY, asset))
    found = azure.registries.asset(REGISTRY, asset)
    assert found
    return found


def begin_import(azure: AzureFanout, asset: Asset, at: WorkspaceId) -> str | None:
    return azure.registries.begin_import(REGISTRY, asset, at, asset)


def import_of(cloud: LocalCloud, since: int, name: str) -> dict[str, Any]:
    """The one import request since then, its model's name replaced."""
    (request,) = [each for each in cloud.azure_ml.requests(since) if each["path"].endswith("/import")]
    body = {field: str(value).replace(name, "NAME") for field, value in request["body"]["properties"].items()}
    return {"method": request["method"], "path": request["path"], "query": request["query"], "body": body}


def last(cloud: LocalCloud) -> int:
    return max((int(request["n"]) for request in cloud.azure_ml.requests()), default=0)


def test_the_sdk_and_fanout_make_the_same_import_request(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    theirs, ours = a_model(cloud, "theirs", tmp_path), a_model(cloud, "ours", tmp_path)
    before = last(cloud)
    cloud.ml_client("here").models.share(
        name="theirs", version="1", share_with_name="theirs", share_with_version="1", registry_name=REGISTRY
    )
    by_sdk = import_of(cloud, before, theirs.name)
    before = last(cloud)
    operation = begin_import(azure, ours, workspace(cloud, "here"))
    assert import_of(cloud, before, ours.name) == by_sdk
    assert operation
    eventually("its end", lambda: azure.registries.operation(operation) is OperationState.SUCCEEDED)
    found = azure.registries.asset(REGISTRY, ours)
    assert found
    assert found.origin == azure.registries.source_id(workspace(cloud, "here"), ours)


def an_environment(cloud: LocalCloud, name: str, version: str = "1") -> Asset:
    conda = {"name": "c", "dependencies": ["python=3.13"]}
    entity = Environment(name=name, version=version, image="mcr.microsoft.com/azureml/base:1", conda_file=conda)
    cloud.ml_client("here").environments.create_or_update(entity)
    return Asset(Kind.ENVIRONMENT, name, version)


def some_data(cloud: LocalCloud, name: str, folder: Path) -> Asset:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text(name)
    cloud.ml_client("here").data.create_or_update(Data(name=name, version="1", path=str(folder / f"{name}.csv"), type="uri_file"))
    return Asset(Kind.DATA, name, "1")


def test_the_sdk_and_fanout_import_data_and_environments_alike(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    client, here = cloud.ml_client("here"), workspace(cloud, "here")
    pairs = [
        (client.environments, an_environment(cloud, "theirs-env"), an_environment(cloud, "ours-env")),
        (client.data, some_data(cloud, "theirs-data", tmp_path), some_data(cloud, "ours-data", tmp_path)),
    ]
    for operations, theirs, ours in pairs:
        before = last(cloud)
        operations.share(name=theirs.name, version="1", share_with_name=theirs.name, share_with_version="1", registry_name=REGISTRY)
        by_sdk = import_of(cloud, before, theirs.name)
        before = last(cloud)
        begin_import(azure, ours, here)
        assert import_of(cloud, before, ours.name) == by_sdk


def test_an_import_can_change_the_name_and_keeps_its_origin(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    source, here = some_data(cloud, "plain", tmp_path), workspace(cloud, "here")
    renamed = replace(source, name="northwind-plain")
    assert azure.registries.begin_import(REGISTRY, renamed, here, source)
    eventually("the copy", lambda: azure.registries.asset(REGISTRY, renamed))
    found = azure.registries.asset(REGISTRY, renamed)
    assert found
    assert found.origin == azure.registries.source_id(here, source)
    assert found.type == "uri_file"


def test_a_label_is_added_and_an_archive_leaves_the_rest_as_it_was(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared = shared_model(cloud, azure, "labelled", tmp_path)
    azure.registries.begin_update(shared, {"fanout_share": "s"})
    eventually("the tag", lambda: "fanout_share" in tags_of(azure, shared.asset))
    azure.registries.begin_update(replace(shared, tags={**shared.tags, "fanout_share": "s"}), {}, archive=True)
    eventually("the archive", lambda: is_archived(azure, shared.asset))
    found = azure.registries.asset(REGISTRY, shared.asset)
    assert found == replace(shared, tags={**shared.tags, "fanout_share": "s"}, archived=True)
    assert azure.registries.latest(REGISTRY, Kind.MODEL, "labelled") is None


def test_a_tag_that_is_taken_away_goes_and_the_others_stay(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared = shared_model(cloud, azure, "retagged", tmp_path)
    azure.registries.begin_update(shared, {"stage": "production", "team": "cards"})
    eventually("the tags", lambda: "stage" in tags_of(azure, shared.asset))
    seen = azure.registries.asset(REGISTRY, shared.asset)
    assert seen
    azure.registries.begin_update(seen, {"team": "loans"}, without={"stage"})
    eventually("the change", lambda: tags_of(azure, shared.asset) == {**shared.tags, "team": "loans"})


def tags_of(azure: AzureFanout, asset: Asset) -> dict[str, str]:
    found = azure.registries.asset(REGISTRY, asset)
    return dict(found.tags) if found else {}


def is_archived(azure: AzureFanout, asset: Asset) -> bool:
    found = azure.registries.asset(REGISTRY, asset)
    return found is not None and found.archived


def test_the_latest_is_what_was_made_last_whatever_its_version_looks_like(cloud: LocalCloud, azure: AzureFanout) -> None:
    here = workspace(cloud, "here")
    for version in ("10", "9"):
        asset = an_environment(cloud, "grown", version)
        begin_import(azure, asset, here)
        eventually("the copy", lambda asset=asset: azure.registries.asset(REGISTRY, asset))  # type: ignore[misc]
    assert azure.workspaces.latest(here, Kind.ENVIRONMENT, "grown") == Asset(Kind.ENVIRONMENT, "grown", "9")
    assert azure.registries.latest(REGISTRY, Kind.ENVIRONMENT, "grown") == Asset(Kind.ENVIRONMENT, "grown", "9")


def test_an_environment_and_a_data_asset_are_registered_as_they_are(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    here, there = workspace(cloud, "here"), workspace(cloud, "there")
    for asset in (an_environment(cloud, "kept"), some_data(cloud, "kept", tmp_path)):
        begin_import(azure, asset, here)
        eventually("the copy", lambda asset=asset: azure.registries.asset(REGISTRY, asset))  # type: ignore[misc]
        shared = azure.registries.asset(REGISTRY, asset)
        assert shared
        azure.workspaces.register(there, shared, {DELIVERY: "d"})
        found = azure.workspaces.asset(there, asset)
        assert found
        assert (found.uri, found.definition, found.properties) == (shared.uri, shared.definition, {DELIVERY: "d"})
        azure.workspaces.archive(there, asset)
        archived = azure.workspaces.asset(there, asset)
        assert archived
        assert archived == replace(found, archived=True)


def test_a_second_import_is_no_operation(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared = shared_model(cloud, azure, "again", tmp_path)
    assert begin_import(azure, shared.asset, workspace(cloud, "here")) is None


def test_a_workspace_out_of_the_registrys_regions_is_refused_naming_both(cloud: LocalCloud, azure: AzureFanout) -> None:
    with pytest.raises(Permanent) as refused:
        begin_import(azure, Asset(Kind.MODEL, "far", "1"), workspace(cloud, "asia"))
    assert refused.value.reason.code == "region_not_covered"
    assert "eastasia" in refused.value.reason.text
    assert "westeurope" in refused.value.reason.text


def test_an_import_that_fails_says_why(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    asset = a_model(cloud, "unlucky", tmp_path)
    cloud.azure_ml.arm("POST .*/import", operation={"code": "UserError", "message": "the storage refuses"})
    operation = begin_import(azure, asset, workspace(cloud, "here"))
    assert operation

    def failed() -> bool:
        try:
            azure.registries.operation(operation)
        except Permanent as failure:
            return "the storage refuses" in failure.reason.text
        return False

    eventually("the failure", failed)


def test_what_is_not_there_is_none(cloud: LocalCloud, azure: AzureFanout) -> None:
    nothing = Asset(Kind.MODEL, "nothing", "1")
    here = workspace(cloud, "here")
    assert azure.workspaces.asset(here, nothing) is None
    assert azure.registries.asset(REGISTRY, nothing) is None
    assert azure.workspaces.latest(here, Kind.MODEL, "nothing") is None
    assert azure.registries.latest(REGISTRY, Kind.MODEL, "nothing") is None
    assert not azure.registries.has_code(REGISTRY, "nothing")
    with pytest.raises(NotFound):
        begin_import(azure, nothing, here)


@pytest.mark.parametrize("call", ["model", "source_id"])
def test_a_workspace_that_does_not_exist_is_a_permanent_failure(cloud: LocalCloud, azure: AzureFanout, call: str) -> None:
    nowhere = WorkspaceId(workspace(cloud, "here").azure_subscription_id, "rg-tenants", "nowhere")
    asset = Asset(Kind.MODEL, "a", "1")
    with pytest.raises(Permanent) as refused:
        azure.workspaces.asset(nowhere, asset) if call == "model" else azure.registries.source_id(nowhere, asset)
    assert refused.value.reason.code == "workspace_not_found"


def test_a_throttled_call_is_transient_and_keeps_azures_time(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    asset = a_model(cloud, "throttled", tmp_path)
    cloud.azure_ml.arm("GET .*/models/throttled", status=429, headers={"Retry-After": "7"})
    with pytest.raises(Transient) as failure:
        azure.workspaces.asset(workspace(cloud, "here"), asset)
    assert failure.value.retry_after == 7


def test_a_registered_model_refers_to_the_registrys_bytes(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared = shared_model(cloud, azure, "passed-on", tmp_path)
    there = workspace(cloud, "there")
    azure.workspaces.register(there, shared, {DELIVERY: "delivery-1"})
    found = azure.workspaces.asset(there, shared.asset)
    assert found
    assert found.uri == shared.uri
    assert found.properties[DELIVERY] == "delivery-1"
    assert cloud.ml_client("there").models.get("passed-on", "1").flavors == {"python_function": {"loader_module": "mlflow.sklearn"}}


def test_the_sdk_and_fanout_register_a_model_alike(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared, there = shared_model(cloud, azure, "alike", tmp_path), workspace(cloud, "there")
    before = last(cloud)
    azure.workspaces.register(there, shared, {DELIVERY: "d"})
    ours = registration_since(cloud, before)
    before = last(cloud)
    properties = {**shared.properties, DELIVERY: "d"}
    model = Model(
        name="alike", version="2", path=shared.uri, type=shared.type, flavors=dict(shared.flavors), tags=dict(shared.tags)
    )
    model.properties.update(properties)
    cloud.ml_client("there").models.create_or_update(model)
    assert ours == registration_since(cloud, before)


def registration_since(cloud: LocalCloud, since: int) -> dict[str, Any]:
    """What the one request says that put a model since then, but for what means nothing."""
    (request,) = [each for each in cloud.azure_ml.requests(since) if each["method"] == "PUT" and "/models/" in each["path"]]
    empty: tuple[object, ...] = (None, False, {})
    return {field: value for field, value in request["body"]["properties"].items() if value not in empty}


def test_another_models_version_is_not_overwritten(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared = shared_model(cloud, azure, "contested", tmp_path)
    a_model(cloud, "contested", tmp_path / "other", at="there")
    before = cloud.ml_client("there").models.get("contested", "1").path
    with pytest.raises((Conflict, Permanent)):
        azure.workspaces.register(workspace(cloud, "there"), shared, {})
    assert cloud.ml_client("there").models.get("contested", "1").path == before


def test_slow_answers_are_cut_off_at_the_deadline_of_the_message(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    asset, here = a_model(cloud, "tardy", tmp_path), workspace(cloud, "here")
    azure.workspaces.asset(here, asset)
    cloud.azure_ml.arm("GET .*/models/tardy", delay=5)
    with within(0.5):
        with pytest.raises(Transient):
            azure.workspaces.asset(here, asset)
        before = last(cloud)
        with pytest.raises(Transient, match="no time is left"):
            azure.registries.asset(REGISTRY, asset)
    assert last(cloud) <= before + 1  # the one that was cut off is logged when the service is through with it
