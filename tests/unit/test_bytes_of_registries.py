"""Whose bytes an asset's are: those that lie in a registry came from there, and are not shared back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bytes_of_registries import lie_in_registry
from shared.rules import Provider, RegistryRule

GUID = "4fb3e0ae-6f5c-4c6b-a8a4-0f3d9b7c1d11"
STORE = "https://4fb3e0ae6f5c4.blob.core.windows.net"
DATASTORE = f"azureml://subscriptions/{GUID}/resourceGroups/g/workspaces/w/datastores/workspaceblobstore/paths"
HUBS = Provider((RegistryRule("contoso-hub", ("*",)), RegistryRule("contoso-hub-eu", ("*",)), RegistryRule("a.b", ("*",))))


@pytest.mark.parametrize(
    "uri",
    [
        "azureml://registries/contoso-hub/models/card/versions/7",
        "azureml://registries/another/models/card/versions/7",  # a registry that the rules do not know is one all the same
        "AzureML://Registries/contoso-hub/models/card/versions/7",
        f"{STORE}/contoso-hub-{GUID}/LocalUpload/9f86d0/model",  # as recorded in test_promote_model
        f"{STORE}/contoso-hub-eu-{GUID}/LocalUpload/9f86d0/model",
        f"{STORE}/Contoso-Hub-{GUID.upper()}/LocalUpload/9f86d0/model",
        f"{STORE}/contoso-hub-{GUID}",
        f"https://localhost:10000/contoso-hub-{GUID}/LocalUpload/x",
    ],
)
def test_bytes_that_lie_in_a_registry(uri: str) -> None:
    assert lie_in_registry(uri, HUBS)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        f"{DATASTORE}/ServiceReplicated/{GUID}/LocalUpload/9f86d0/model",  # where the service puts what a tenant registers
        f"{DATASTORE}/contoso-hub-{GUID}/model",
        f"{STORE}/azureml-blobstore-{GUID}/LocalUpload/model",  # a workspace's own container
        f"{STORE}/contoso-hub/model",
        f"{STORE}/contoso-hub-{GUID}0/model",
        f"{STORE}/my-contoso-hub-{GUID}/model",
        f"{STORE}/a-b-{GUID}/model",  # the dot of a name is no wildcard
        f"{STORE}/models/contoso-hub-{GUID}/model",
        f"runs:/contoso-hub-{GUID}/model",
        "azureml://jobs/contoso-hub/outputs/artifacts/model",
    ],
)
def test_bytes_that_lie_with_the_tenant(uri: str) -> None:
    assert not lie_in_registry(uri, HUBS)


@pytest.mark.parametrize("uri", [f"{STORE}/contoso-hub-{GUID}/x", f"{STORE}/-{GUID}/x", f"{STORE}/x"])
def test_without_registries_in_the_rules_no_container_is_one(uri: str) -> None:
    assert not lie_in_registry(uri, Provider())


registry_names = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}", fullmatch=True)


@given(names=st.lists(registry_names, min_size=1, max_size=5), guid=st.uuids(), chosen=st.data())
def test_a_container_of_any_of_the_providers_registries_is_known(names: list[str], guid: object, chosen: st.DataObject) -> None:
    provider = Provider(tuple(RegistryRule(name, ("*",)) for name in names))
    assert lie_in_registry(f"{STORE}/{chosen.draw(st.sampled_from(names))}-{guid}/LocalUpload/x", provider)
