"""The way from an asset to its bytes, and their copy, against the local Azure ML and through its addresses of storage."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.local.cloud import LocalCloud
from infra.local.topology import Registry, Workspace
from shared import settings
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceId
from shared.azure.copies import AzureCopies
from shared.bootstrap import AzureFanout
from shared.errors import Conflict, NotFound, Permanent
from tests.end_to_end.support import QUICK, REGISTRY, mlflow_folder, register

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

HUB = Registry(REGISTRY)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(
        tmp_path_factory.mktemp("cloud"),
        workspaces=[Workspace("here"), Workspace("there")],
        registries=[HUB],
        seconds=QUICK,
        with_host=False,
        azure_ml={"retry_after_ms": 50},
    ) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def copies(cloud: LocalCloud) -> Iterator[AzureCopies]:
    group = f"/subscriptions/{HUB.azure_subscription_id}/resourceGroups/{HUB.resource_group}"
    with pytest.MonkeyPatch.context() as environment:
        for name, value in cloud.app_settings.items():
            environment.setenv(name, value)
        fanout, azure = AzureFanout(), settings.azure_cloud()
        assert azure
        front_end = (
            f"{azure.resource_manager}/mferp/managementfrontend{group}/providers/Microsoft.MachineLearningServices/registries"
        )
        yield AzureCopies(fanout.arm, azure.resource_manager, lambda registry: f"{front_end}/{registry}", fanout.credential)


def workspace(cloud: LocalCloud, name: str) -> WorkspaceId:
    return WorkspaceId.parse(cloud.workspaces[name].id)


def shared_model(cloud: LocalCloud, name: str, path: Path) -> RegistryAsset:
    ml = cloud.ml_client("here")
    register(ml, name, "1", path)
    ml.models.share(name=name, version="1", share_with_name=name, share_with_version="1", registry_name=REGISTRY)
    found = cloud.registry_client(REGISTRY).models.get(name, "1")
    return RegistryAsset(Asset(Kind.MODEL, name, "1"), REGISTRY, str(found.path), str(found.type))


def shared_data(cloud: LocalCloud, name: str, path: Path, kind: str) -> RegistryAsset:
    from azure.ai.ml.entities import Data

    ml = cloud.ml_client("here")
    ml.data.create_or_update(Data(name=name, version="1", path=str(path), type=kind))
    ml.data.share(name=name, version="1", share_with_name=name, share_with_version="1", registry_name=REGISTRY)
    found = cloud.registry_client(REGISTRY).data.get(name, "1")
    return RegistryAsset(Asset(Kind.DATA, name, "1"), REGISTRY, str(found.path), kind)


def code_of_component(client: "MLClient", name: str, files: Path) -> str:
    """The id of the code of a component that is made with this client."""
    from azure.ai.ml import command
    from azure.ai.ml.entities import Environment

    environment = client.environments.create_or_update(Environment(name=name, version="1", image="python:3.13"))
    component = command(name=name, version="1", code=str(files), command="python run.py", environment=environment.id).component
    return str(client.components.create_or_update(component).code)


def files(folder: Path, **contents: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name.replace("_", ".")).write_text(content)
    return folder


def on_disk(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # azure-ai-ml's own download
def test_a_registrys_model_is_copied_into_a_workspaces_own_storage(cloud: LocalCloud, copies: AzureCopies, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    path = mlflow_folder(tmp_path / "model of ours", "weights")
    source = copies.of_registry_asset(shared_model(cloud, "cards", path))
    target, uri = copies.in_workspace(workspace(cloud, "there"), f"k1/{source.name}")
    done = copies.advance(source, target)
    assert done.done
    assert done.checksum == copies.checksum(target).checksum
    there = cloud.ml_client("there")
    there.models.create_or_update(Model(name="copied", version="1", path=uri, type="mlflow_model", flavors={}))
    there.models.download("copied", "1", download_path=str(tmp_path / "down"))
    assert on_disk(tmp_path / "down" / "copied" / source.name) == on_disk(path)


def test_a_registrys_data_of_one_file_keeps_its_name(cloud: LocalCloud, copies: AzureCopies, tmp_path: Path) -> None:
    path = files(tmp_path / "data", table_csv="a,b") / "table.csv"
    source = copies.of_registry_asset(shared_data(cloud, "table", path, "uri_file"))
    target, uri = copies.in_workspace(workspace(cloud, "there"), f"k2/{source.name}")
    assert copies.advance(source, target).files == 1
    assert uri.endswith("/workspaces/there/datastores/workspaceblobstore/paths/Fanout/k2/table.csv")


def test_a_components_code_is_copied_to_where_the_registry_takes_it(cloud: LocalCloud, copies: AzureCopies, tmp_path: Path) -> None:
    code = code_of_component(cloud.ml_client("here"), "train", files(tmp_path / "src", run_py="print()", lib_py="x = 1"))
    source = copies.of_code(workspace(cloud, "here"), code)
    target = copies.for_code(REGISTRY, "5e90c012-c49b-4540-8774-219789e1a752")
    done = copies.advance(source, target)
    assert done.done
    assert done.files == 2


def test_a_place_for_code_is_the_same_each_time(copies: AzureCopies) -> None:
    first, second = (copies.for_code(REGISTRY, "11111111-c49b-4540-8774-219789e1a752") for _ in range(2))
    assert first.uri == second.uri
    assert copies.for_code(REGISTRY, "22222222-c49b-4540-8774-219789e1a752").uri != first.uri


def test_code_that_is_there_already_needs_no_place(cloud: LocalCloud, copies: AzureCopies, tmp_path: Path) -> None:
    code = code_of_component(cloud.registry_client(REGISTRY), "there", files(tmp_path / "src", run_py="print(2)"))
    with pytest.raises(Conflict):
        copies.for_code(REGISTRY, code.split("/codes/")[1].split("/")[0])


def test_an_asset_that_the_registry_has_not_is_not_there_yet(copies: AzureCopies) -> None:
    with pytest.raises(NotFound):
        copies.of_registry_asset(RegistryAsset(Asset(Kind.MODEL, "none", "1"), REGISTRY, "https://localhost/c/m", "custom_model"))


def test_a_workspace_that_is_not_there_is_permanent(cloud: LocalCloud, copies: AzureCopies) -> None:
    nowhere = WorkspaceId(workspace(cloud, "here").azure_subscription_id, "rg-tenants", "nowhere")
    with pytest.raises(Permanent, match="workspace_not_found"):
        copies.in_workspace(nowhere, "k")
