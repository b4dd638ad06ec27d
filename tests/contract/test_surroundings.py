"""`AzureSurroundings` against the local cloud over sockets: pages, and what the end-to-end tests of the doctor do not meet."""

from collections.abc import Iterator

import pytest

from shared.assets import WorkspaceId
from shared.azure.arm import ArmClient
from shared.azure.surroundings import AzureSurroundings
from shared.doctor.seen import EndpointKind
from shared.errors import Permanent
from tests.contract.test_local_azure_ml import CLOUD, FIRST, HUB_SUBSCRIPTION, SECOND, AzureMl, running_azurite, sdk, workspace_id

MANY = 31  # a page has thirty
SCIENTIST = "AzureML Data Scientist"


@pytest.fixture(scope="module")
def azure_ml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMl]:
    workspaces = [{"id": workspace_id(FIRST, f"workspace{number}"), "location": "westeurope"} for number in range(MANY)]
    workspaces.append({"id": workspace_id(SECOND, "other"), "location": "northeurope"})
    with running_azurite(tmp_path_factory.mktemp("azurite")) as blobs:
        cloud = AzureMl(tmp_path_factory.mktemp("cloud"), blobs, workspaces=workspaces, registries=CLOUD["registries"])
        yield cloud
        assert cloud.stop() == 0


@pytest.fixture(scope="module")
def surroundings(azure_ml: AzureMl) -> Iterator[AzureSurroundings]:
    url = azure_ml.url.rstrip("/")
    group = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.MachineLearningServices"
    with sdk(azure_ml) as clients:
        arm = ArmClient(clients.credential, f"{url}/.default")
        yield AzureSurroundings(
            arm, url, lambda name: f"{url}/mferp/managementfrontend{group}/registries/{name}", clients.credential
        )


@pytest.fixture(scope="module")
def workspace(azure_ml: AzureMl) -> WorkspaceId:
    return WorkspaceId.parse(workspace_id(FIRST, "workspace1"))


def test_a_long_list_is_read_to_its_end(surroundings: AzureSurroundings) -> None:
    found = surroundings.workspaces_in(FIRST)

    assert len({each.id for each in found}) == MANY
    assert {each.region for each in found} == {"westeurope"}


def test_a_registry_is_found_by_where_it_is_managed(surroundings: AzureSurroundings) -> None:
    found = surroundings.registry("contoso-hub")

    assert found.arm_id.endswith("/resourceGroups/rg-hub/providers/Microsoft.MachineLearningServices/registries/contoso-hub")
    assert found.regions == ("westeurope", "northeurope")


def test_endpoints_of_both_kinds_are_told_apart(azure_ml: AzureMl, surroundings: AzureSurroundings, workspace: WorkspaceId) -> None:
    for segment, mode in (("onlineEndpoints/serving", "Key"), ("batchEndpoints/nightly", "AADToken")):
        body = {"location": "westeurope", "tags": {"made": "by hand"}, "properties": {"authMode": mode}}
        assert azure_ml.call("PUT", f"{workspace}/{segment}", body).ok

    found = {each.endpoint.name: each for each in surroundings.endpoints(workspace)}

    assert {name: each.kind for name, each in found.items()} == {"serving": EndpointKind.ONLINE, "nightly": EndpointKind.BATCH}
    assert found["serving"].endpoint.tags == {"made": "by hand"}
    assert found["serving"].endpoint.deployments == ()


def test_computes_and_the_datastore_are_looked_for(surroundings: AzureSurroundings, workspace: WorkspaceId) -> None:
    assert surroundings.has_compute(workspace, "cpu-cluster")
    assert not surroundings.has_compute(workspace, "gpu-cluster")
    store = surroundings.datastore(workspace)
    assert store.has_secret
    assert store.container.startswith("azureml-blobstore-")


def test_a_role_is_read_by_the_id_in_its_assignment(
    azure_ml: AzureMl, surroundings: AzureSurroundings, workspace: WorkspaceId
) -> None:
    principal = "e0000000-0000-0000-0000-000000000001"
    assignments = [{"principal": principal, "role": SCIENTIST, "scope": str(workspace)}]
    azure_ml.control("PUT", "surroundings", {"role_assignments": assignments})

    (assignment,) = surroundings.role_assignments(str(workspace), principal)

    assert assignment.scope == str(workspace)
    role = surroundings.role(assignment.role)
    assert role.name == SCIENTIST
    (permission,) = role.permissions
    assert "Microsoft.MachineLearningServices/workspaces/*/write" in permission.actions


def test_what_is_not_there_is_refused_for_good(surroundings: AzureSurroundings) -> None:
    with pytest.raises(Permanent) as refused:
        surroundings.workspace(WorkspaceId.parse(workspace_id(FIRST, "nowhere")))
    assert refused.value.reason.code == "workspace_not_found"
