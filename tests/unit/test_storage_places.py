"""What is made of Azure ML's answers about storage. The answers are recordings of the real service, ids shortened to names:
test_component_download[command_with_code], test_component_create_get_list_from_registry."""

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from azure.core.rest import HttpResponse

from shared.assets import Asset, Kind, RegistryAsset, WorkspaceId
from shared.azure.storage_places import StoragePlaces
from shared.errors import Owner, Permanent, Transient

HERE = WorkspaceId("S", "rg", "here")
ARM = "https://management.azure.com"
MFE = "https://cert-westeurope.experiments.azureml.net/mferp/managementfrontend/…/registries/hub"
STORE = f"{ARM}{HERE}/datastores/workspaceblobstore"
CODE = f"{HERE}/codes/fa7eaf90/versions/1"
CODE_URI = "https://contoso.blob.core.windows.net:443/86530095-7-e82d2b43-82b3-5e86-ab4c-1e56e1f697ed/src"
CONTAINER = "https://hubstore.blob.core.windows.net/hub-39eb39a5-03bf-52d3-a2a8-3786a05c5137"
CARDS = RegistryAsset(Asset(Kind.MODEL, "cards", "1"), "hub", f"{CONTAINER}/LocalUpload/1f/my%20model/", "custom_model")


class Answer:
    def __init__(self, body: object) -> None:
        self._body = json.dumps(body)

    def json(self) -> Any:
        return json.loads(self._body)


class Azure:
    """Answers by method and address, and keeps what it was asked."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, str, Any]] = []

    def call(
        self, method: str, url: str, *, params: Mapping[str, str] | None = None, body: object = None, doing: str
    ) -> HttpResponse:
        self.asked.append((f"{method} {url}", (params or {})["api-version"], body))
        answer = self._answers[f"{method} {url}"]
        if isinstance(answer, Exception):
            raise answer
        return cast(HttpResponse, Answer(answer))


def datastore(credentials: str = "AccountKey", **properties: str) -> dict[str, object]:
    return {
        "properties": {
            "credentials": {"credentialsType": credentials},
            "datastoreType": "AzureBlob",
            "accountName": "contoso",
            "containerName": "azureml-blobstore-1",
            "endpoint": "core.windows.net",
            "protocol": "https",
            **properties,
        }
    }


def places(**answers: object) -> tuple[StoragePlaces, Azure]:
    azure = Azure(
        {
            f"GET {STORE}": answers.get("store", datastore()),
            f"POST {STORE}/listSecrets": answers.get("secrets", {"secretsType": "AccountKey", "key": "dGhpcyBpcyBmYWtlIGtleQ=="}),
            f"GET {ARM}{CODE}": {"properties": {"codeUri": CODE_URI}},
            f"POST {MFE}/datarefs/cards/versions/1": {"blobReferenceForConsumption": answers.get("reference")},
            f"PUT {MFE}/tempdatarefs/fa7eaf90/versions/1": {"blobReferenceForConsumption": answers.get("reference")},
        }
    )
    return StoragePlaces(azure, ARM, lambda registry: MFE), azure


def reference(sas: str | None = "sp=rcwl&sig=a%2Bb") -> dict[str, object]:
    credential = {"credentialType": "SAS", "sasUri": f"{CONTAINER}?{sas}"} if sas else {"credentialType": "no_credentials"}
    return {"blobUri": CONTAINER.replace(".net/", ".net:443/"), "credential": credential}


def test_a_datastore_with_a_key_gives_a_sas_of_its_container_to_write() -> None:
    folder, uri = places()[0].in_workspace(HERE, "k/m")
    assert folder.uri == "https://contoso.blob.core.windows.net/azureml-blobstore-1/Fanout/k/m"
    assert uri == "azureml://subscriptions/S/resourcegroups/rg/workspaces/here/datastores/workspaceblobstore/paths/Fanout/k/m"
    sas = parse_qs(folder.sas or "")
    assert (sas["sp"], sas["sr"]) == (["rcwl"], ["c"])


def test_a_secret_that_expires_is_asked_for_as_the_sdk_does() -> None:
    storage, azure = places()
    storage.in_workspace(HERE, "k")
    assert azure.asked[-1] == (
        f"POST {STORE}/listSecrets",
        "2024-10-01-preview",
        {"expirableSecret": True, "expireAfterHours": 1},
    )


@pytest.mark.parametrize("token", ["sp=rcwl&sig=x", "?sp=rcwl&sig=x"])
def test_a_datastore_with_a_sas_gives_that(token: str) -> None:
    storage, _ = places(store=datastore("Sas"), secrets={"secretsType": "Sas", "sasToken": token})
    assert storage.in_workspace(HERE, "k")[0].sas == "sp=rcwl&sig=x"


def test_a_datastore_of_identities_is_reached_by_the_apps_own() -> None:
    storage, azure = places(store=datastore("None"))
    assert storage.in_workspace(HERE, "k")[0].sas is None
    assert len(azure.asked) == 1


def test_where_the_secret_is_not_given_the_apps_own_identity_is_tried() -> None:
    storage, _ = places(secrets=Permanent("forbidden", "listSecrets", Owner.PROVIDER, "a role"))
    assert storage.in_workspace(HERE, "k")[0].sas is None


def test_other_clouds_have_other_endpoints() -> None:
    storage, _ = places(store=datastore("None", endpoint="core.chinacloudapi.cn"))
    assert storage.in_workspace(HERE, "k")[0].container_url == "https://contoso.blob.core.chinacloudapi.cn/azureml-blobstore-1"


@pytest.mark.parametrize("code", [CODE, f"azureml:{CODE}", CODE.replace("resourceGroups", "resourcegroups")])
def test_code_lies_in_a_container_of_the_workspaces_own_account(code: str) -> None:
    storage, azure = places()
    folder = storage.of_code(HERE, code)
    assert folder.uri == "https://contoso.blob.core.windows.net/86530095-7-e82d2b43-82b3-5e86-ab4c-1e56e1f697ed/src"
    assert parse_qs(folder.sas or "")["sp"] == ["rl"]
    assert azure.asked[0][:2] == (f"GET {ARM}{CODE}", "2023-04-01")


@pytest.mark.parametrize(
    "code",
    [
        str(WorkspaceId("S", "rg", "other")) + "/codes/c/versions/1",
        "azureml://registries/hub/codes/c/versions/1",
        f"@evil.example{CODE}",
        f"{HERE}/../../codes/c/versions/1",
        f"{HERE}/environments/e/versions/1",
        "",
    ],
)
def test_only_the_workspaces_own_code_is_asked_for(code: str) -> None:
    storage, azure = places()
    with pytest.raises(Permanent, match="code_elsewhere"):
        storage.of_code(HERE, code)
    assert azure.asked == []


def test_a_registrys_asset_is_a_path_in_the_container_that_it_gives_access_to() -> None:
    storage, azure = places(reference=reference())
    folder = storage.of_registry_asset(CARDS)
    assert (folder.container_url, folder.prefix, folder.sas) == (CONTAINER, "LocalUpload/1f/my model", "sp=rcwl&sig=a%2Bb")
    body = {"assetId": "azureml://registries/hub/models/cards/versions/1", "blobUri": CARDS.uri}
    assert azure.asked == [(f"POST {MFE}/datarefs/cards/versions/1", "2021-10-01-dataplanepreview", body)]


def test_a_public_registrys_asset_is_for_anyone_to_read() -> None:
    folder = places(reference=reference(sas=None))[0].of_registry_asset(CARDS)
    assert (folder.prefix, folder.sas) == ("LocalUpload/1f/my model", "")


def test_code_for_a_registry_goes_into_a_container_of_its_own() -> None:
    storage, azure = places(reference=reference())
    folder = storage.for_code("hub", "fa7eaf90")
    assert (folder.uri, folder.sas) == (f"{CONTAINER}/code", "sp=rcwl&sig=a%2Bb")
    assert azure.asked[0][2] == {
        "assetId": "azureml://registries/hub/codes/fa7eaf90/versions/1",
        "temporaryDataReferenceType": "TemporaryBlobReference",
    }


@pytest.mark.parametrize("answer", [None, {}, {"credential": {"credentialType": "SAS"}}])
def test_an_answer_that_makes_no_sense_is_transient(answer: object) -> None:
    with pytest.raises(Transient):
        places(reference=answer)[0].of_registry_asset(CARDS)
