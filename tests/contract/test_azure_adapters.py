"""The adapters for workspaces and registries against the local Azure ML, through the real SDKs."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from infra.local.topology import Registry, Workspace
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceId
from shared.bootstrap import AzureFanout
from shared.deadline import within
from shared.errors import Conflict, NotFound, Permanent, Transient
from shared.online_endpoint import DELIVERY_TAG, Broken, deployment_name, next_move
from shared.ports import OperationState
from shared.rules import OnlineEndpoint
from tests.end_to_end.support import QUICK, REGISTRY, eventually, mlflow_folder, register

NAME = deployment_name(Asset(Kind.MODEL, "cards", "1"), "d")
CARDS = OnlineEndpoint("cards", "Standard_DS3_v2", 1, (100,))


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
    azure.registries.begin_import(REGISTRY, asset, workspace(cloud, "here"))
    eventually("the copy", lambda: azure.registries.asset(REGISTRY, asset))
    found = azure.registries.asset(REGISTRY, asset)
    assert found
    return found


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
    operation = azure.registries.begin_import(REGISTRY, ours, workspace(cloud, "here"))
    assert import_of(cloud, before, ours.name) == by_sdk
    assert operation
    eventually("its end", lambda: azure.registries.operation(operation) is OperationState.ENDED)
    found = azure.registries.asset(REGISTRY, ours)
    assert found
    assert found.origin == azure.registries.source_id(workspace(cloud, "here"), ours)


def test_a_second_import_is_no_operation(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared = shared_model(cloud, azure, "again", tmp_path)
    assert azure.registries.begin_import(REGISTRY, shared.asset, workspace(cloud, "here")) is None


def test_a_workspace_out_of_the_registrys_regions_is_refused_naming_both(cloud: LocalCloud, azure: AzureFanout) -> None:
    with pytest.raises(Permanent) as refused:
        azure.registries.begin_import(REGISTRY, Asset(Kind.MODEL, "far", "1"), workspace(cloud, "asia"))
    assert refused.value.reason.code == "region_not_covered"
    assert "eastasia" in refused.value.reason.text
    assert "westeurope" in refused.value.reason.text


def test_an_import_that_fails_says_why(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    asset = a_model(cloud, "unlucky", tmp_path)
    cloud.azure_ml.arm("POST .*/import", operation={"code": "UserError", "message": "the storage refuses"})
    operation = azure.registries.begin_import(REGISTRY, asset, workspace(cloud, "here"))
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
    assert azure.workspaces.model(here, nothing) is None
    assert azure.registries.asset(REGISTRY, nothing) is None
    assert azure.workspaces.endpoint(here, "nothing") is None
    with pytest.raises(NotFound):
        azure.registries.begin_import(REGISTRY, nothing, here)


@pytest.mark.parametrize("call", ["model", "source_id"])
def test_a_workspace_that_does_not_exist_is_a_permanent_failure(cloud: LocalCloud, azure: AzureFanout, call: str) -> None:
    nowhere = WorkspaceId(workspace(cloud, "here").azure_subscription_id, "rg-tenants", "nowhere")
    asset = Asset(Kind.MODEL, "a", "1")
    with pytest.raises(Permanent) as refused:
        azure.workspaces.model(nowhere, asset) if call == "model" else azure.registries.source_id(nowhere, asset)
    assert refused.value.reason.code == "workspace_not_found"


def test_a_throttled_call_is_transient_and_keeps_azures_time(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    asset = a_model(cloud, "throttled", tmp_path)
    cloud.azure_ml.arm("GET .*/models/throttled", status=429, headers={"Retry-After": "7"})
    with pytest.raises(Transient) as failure:
        azure.workspaces.model(workspace(cloud, "here"), asset)
    assert failure.value.retry_after == 7


def test_a_registered_model_refers_to_the_registrys_bytes(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared = shared_model(cloud, azure, "passed-on", tmp_path)
    there = workspace(cloud, "there")
    azure.workspaces.register_model(there, shared, {DELIVERY_TAG: "delivery-1"})
    found = azure.workspaces.model(there, shared.asset)
    assert found
    assert found.uri == shared.uri
    assert found.properties[DELIVERY_TAG] == "delivery-1"
    assert cloud.ml_client("there").models.get("passed-on", "1").flavors == {"python_function": {"loader_module": "mlflow.sklearn"}}


def test_another_models_version_is_not_overwritten(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared = shared_model(cloud, azure, "contested", tmp_path)
    a_model(cloud, "contested", tmp_path / "other", at="there")
    before = cloud.ml_client("there").models.get("contested", "1").path
    with pytest.raises((Conflict, Permanent)):
        azure.workspaces.register_model(workspace(cloud, "there"), shared, {})
    assert cloud.ml_client("there").models.get("contested", "1").path == before


def test_an_endpoint_is_made_step_by_step_without_a_poller(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared = shared_model(cloud, azure, "deployed", tmp_path)
    there, ml = workspace(cloud, "there"), azure.workspaces
    ml.endpoint(there, "cards")  # whatever threads a client starts are there now
    threads = threading.active_count()

    def through(operation: str | None) -> None:
        assert operation
        assert threading.active_count() == threads
        eventually("its end", lambda: ml.operation(operation) is OperationState.ENDED)

    through(ml.begin_endpoint(there, "cards", {DELIVERY_TAG: "d"}))
    through(ml.begin_deployment(there, CARDS, NAME, shared, {DELIVERY_TAG: "d"}))
    seen = ml.endpoint(there, "cards")
    assert seen
    assert seen.is_ours
    assert [(each.name, each.state, each.is_ours) for each in seen.deployments] == [(NAME, "succeeded", True)]
    through(ml.begin_traffic(there, seen, {NAME: 100}))
    seen = ml.endpoint(there, "cards")
    assert seen
    assert seen.traffic == {NAME: 100}


def test_a_deployment_that_fails_says_why(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    shared = shared_model(cloud, azure, "too-big", tmp_path)
    there, ml = workspace(cloud, "there"), azure.workspaces
    made = ml.begin_endpoint(there, "too-small", {DELIVERY_TAG: "d"})
    assert made
    eventually("the endpoint", lambda: ml.operation(made) is OperationState.ENDED)
    cloud.azure_ml.arm("PUT .*/deployments/", operation={"code": "OutOfQuota", "message": "Not enough quota"})
    action = OnlineEndpoint("too-small", "Standard_DS3_v2", 1, (100,))
    operation = ml.begin_deployment(there, action, NAME, shared, {DELIVERY_TAG: "d"})
    assert operation

    def failed() -> bool:
        try:
            ml.operation(operation)
        except Permanent as failure:
            return failure.reason.code == "out_of_quota"
        return False

    eventually("the failure", failed)


def test_an_operation_that_azure_itself_broke_counts_as_ended_and_the_resource_tells(
    cloud: LocalCloud, azure: AzureFanout, tmp_path: Path
) -> None:
    shared = shared_model(cloud, azure, "broken", tmp_path)
    there, ml = workspace(cloud, "there"), azure.workspaces
    made = ml.begin_endpoint(there, "broken", {DELIVERY_TAG: "d"})
    assert made
    eventually("the endpoint", lambda: ml.operation(made) is OperationState.ENDED)
    cloud.azure_ml.arm("PUT .*/deployments/", operation={"code": "InternalServerError", "message": "sorry"})
    operation = ml.begin_deployment(there, replace(CARDS, name="broken"), NAME, shared, {DELIVERY_TAG: "d"})
    assert operation
    eventually("its end", lambda: ml.operation(operation) is OperationState.ENDED)
    seen = ml.endpoint(there, "broken")
    assert seen
    assert next_move(seen, NAME, (100,)) == Broken(f"deployment {NAME}")


def test_slow_answers_are_cut_off_at_the_deadline_of_the_message(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    asset, here = a_model(cloud, "tardy", tmp_path), workspace(cloud, "here")
    azure.workspaces.model(here, asset)
    cloud.azure_ml.arm("GET .*/models/tardy", delay=5)
    with within(0.5):
        with pytest.raises(Transient):
            azure.workspaces.model(here, asset)
        before = last(cloud)
        with pytest.raises(Transient, match="no time is left"):
            azure.registries.asset(REGISTRY, asset)
    assert last(cloud) <= before + 1  # the one that was cut off is logged when the service is through with it
