"""The local Azure Resource Manager around workspaces: what it tells, as strictly as the service, and what it refuses.

How the app reads it is in tests/end_to_end/test_doctor.py.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract.test_local_azure_ml import (
    FIRST,
    HUB_SUBSCRIPTION,
    REGISTRY,
    SECOND,
    WORKSPACE1,
    WORKSPACE3,
    WORKSPACE4,
    AzureMl,
    running_azurite,
    upload,
)

PRINCIPAL, TEAM, DEPARTMENT = (f"{digit * 8}-0000-0000-0000-000000000000" for digit in "abc")
STRANGER = "99999999-0000-0000-0000-000000000000"
GROUP = WORKSPACE1.partition("/providers/")[0]
HUB = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.MachineLearningServices/registries/{REGISTRY}"
ML = "providers/Microsoft.MachineLearningServices"
ROLES = "providers/Microsoft.Authorization/roleAssignments"
READER = f"/subscriptions/{FIRST}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
POLICY = f"{GROUP}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
ENDPOINT = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
SURROUNDINGS: dict[str, Any] = {
    "groups": {TEAM: [PRINCIPAL], DEPARTMENT: [TEAM]},
    "role_assignments": [
        {"principal": PRINCIPAL, "role": "Reader", "scope": WORKSPACE1},
        {"principal": TEAM, "role": "AzureML Registry User", "scope": GROUP},
        {"principal": DEPARTMENT, "role": "Contributor", "scope": f"/subscriptions/{FIRST}"},
        {"principal": PRINCIPAL, "role": "Reader", "scope": f"{WORKSPACE1}/onlineEndpoints/cards"},
        {"principal": STRANGER, "role": "Contributor", "scope": WORKSPACE1},
        {"principal": PRINCIPAL, "role": "Reader", "scope": WORKSPACE3},
    ],
    "policies": [{"name": "no-endpoints", "scope": GROUP, "type": ENDPOINT}],
    "cores": {f"standardDSv2Family@{FIRST}": 8},
}


@pytest.fixture(scope="module")
def azure_ml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMl]:
    with running_azurite(tmp_path_factory.mktemp("azurite")) as blobs:
        cloud = AzureMl(tmp_path_factory.mktemp("cloud"), blobs, surroundings=SURROUNDINGS, denied=[])
        yield cloud
        assert cloud.stop() == 0


@pytest.fixture
def storage(azure_ml: AzureMl) -> str:
    """The ARM id of a workspace's storage account."""
    return str(ask(azure_ml, WORKSPACE1, "2024-04-01").json()["properties"]["storageAccount"])


def ask(
    azure_ml: AzureMl, path: str, version: str | None, method: str = "GET", body: Any = None, **query: str
) -> requests.Response:
    return azure_ml.call(method, path, body, params={"api-version": version, **query})


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    ("path", "version"),
    [
        (f"/subscriptions/{FIRST}", "2022-12-01"),
        (f"/subscriptions/{FIRST}/{ML}/workspaces", "2024-04-01"),
        (HUB, "2024-04-01"),
        (f"{WORKSPACE1}/{ROLES}", "2022-04-01"),
        (READER, "2022-04-01"),
        (f"/subscriptions/{FIRST}/providers/Microsoft.EventGrid/systemTopics", "2022-06-15"),
        (f"/subscriptions/{FIRST}/{ML}/locations/westeurope/usages", "2024-04-01"),
        (f"/subscriptions/{FIRST}/{ML}/locations/westeurope/vmSizes", "2024-04-01"),
    ],
)
def test_every_call_names_a_version_of_the_api_that_there_is(azure_ml: AzureMl, path: str, version: str) -> None:
    assert ask(azure_ml, path, version).status_code == 200
    assert error(ask(azure_ml, path, None)) == (400, "MissingApiVersionParameter")
    assert error(ask(azure_ml, path, "2001-01-01")) == (400, "NoRegisteredProviderFound")


@pytest.mark.parametrize(
    ("path", "version", "code"),
    [
        ("/subscriptions/nowhere", "2022-12-01", "SubscriptionNotFound"),
        (f"/subscriptions/nowhere/{ML}/locations/westeurope/usages", "2024-04-01", "SubscriptionNotFound"),
        (HUB.replace("contoso", "other"), "2024-04-01", "ResourceNotFound"),
        (HUB.replace("rg-hub", "rg-other"), "2024-04-01", "ResourceNotFound"),
        (f"{WORKSPACE1}x/{ROLES}", "2022-04-01", "ResourceNotFound"),
        (READER.replace("acdd", "dddd"), "2022-04-01", "RoleDefinitionDoesNotExist"),
        (f"{GROUP}/providers/Microsoft.Storage/storageAccounts/nowhere", "2023-05-01", "ResourceNotFound"),
        (f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/nowhere/eventSubscriptions", "2022-06-15", "ResourceNotFound"),
    ],
)
def test_what_is_not_there_is_not_found(azure_ml: AzureMl, path: str, version: str, code: str) -> None:
    assert error(ask(azure_ml, path, version)) == (404, code)


def test_whoever_may_not_read_is_told_the_action(azure_ml: AzureMl, storage: str) -> None:
    azure_ml.control("PUT", "denied", [{"principal": "*", "scope": GROUP}])
    try:
        refused = ask(azure_ml, storage, "2023-05-01")
    finally:
        azure_ml.control("PUT", "denied", [])

    assert error(refused) == (403, "AuthorizationFailed")
    assert "'Microsoft.Storage/storageAccounts/read'" in refused.json()["error"]["message"]


def test_an_azure_subscription_of_another_entra_tenant_takes_no_token_of_this_one(azure_ml: AzureMl) -> None:
    azure_ml.control("PUT", "surroundings", {"entra_tenants": {SECOND: STRANGER}})
    try:
        refused = [ask(azure_ml, path, "2024-04-01") for path in (f"/subscriptions/{SECOND}", WORKSPACE4)]
    finally:
        azure_ml.control("PUT", "surroundings", {"entra_tenants": {}})

    assert [error(each) for each in refused] == [(401, "InvalidAuthenticationTokenTenant")] * 2
    assert f"must match the tenant 'https://sts.windows.net/{STRANGER}/'" in refused[0].json()["error"]["message"]


def scopes(azure_ml: AzureMl, filter_: str) -> list[str]:
    answer = ask(azure_ml, f"{WORKSPACE1}/{ROLES}", "2022-04-01", **{"$filter": filter_})
    assert answer.ok, answer.text
    return [each["properties"]["scope"] for each in answer.json()["value"]]


def test_role_assignments_are_listed_by_principal_with_groups_or_without(azure_ml: AzureMl) -> None:
    above = [WORKSPACE1, GROUP, f"/subscriptions/{FIRST}"]
    below = f"{WORKSPACE1}/onlineEndpoints/cards"

    assert scopes(azure_ml, f"assignedTo('{PRINCIPAL}')") == [*above, below]
    assert scopes(azure_ml, f"atScope() and assignedTo('{PRINCIPAL}')") == above
    assert scopes(azure_ml, f"principalId eq '{PRINCIPAL}'") == [WORKSPACE1, below]
    assert scopes(azure_ml, "atScope()") == [*above, WORKSPACE1]
    refused = ask(azure_ml, f"{WORKSPACE1}/{ROLES}", "2022-04-01", **{"$filter": "principalName eq 'me'"})
    assert error(refused) == (400, "UnsupportedQuery")


def test_a_role_assignment_names_a_definition_that_says_what_it_allows(azure_ml: AzureMl) -> None:
    answer = ask(azure_ml, f"{WORKSPACE1}/{ROLES}", "2022-04-01", **{"$filter": f"assignedTo('{PRINCIPAL}')"})
    definition = ask(azure_ml, answer.json()["value"][0]["properties"]["roleDefinitionId"], "2022-04-01").json()

    assert (definition["properties"]["roleName"], definition["properties"]["type"]) == ("Reader", "BuiltInRole")
    assert definition["properties"]["permissions"][0]["actions"] == ["*/read"]


def test_usages_name_the_quota_of_each_family_and_of_all(azure_ml: AzureMl) -> None:
    usages = ask(azure_ml, f"/subscriptions/{FIRST}/{ML}/locations/westeurope/usages", "2024-04-01").json()["value"]
    limits = {each["name"]["value"]: (each["currentValue"], each["limit"]) for each in usages}

    assert limits["Total Cluster Dedicated Regional vCPUs"] == (0, 100_000)
    assert limits["Standard DSv2 Family Cluster Dedicated vCPUs"] == (0, 8)
    assert limits["Standard FSv2 Family Cluster Dedicated vCPUs"] == (0, 100_000)


def test_instance_types_name_the_family_whose_quota_they_take(azure_ml: AzureMl) -> None:
    sizes = ask(azure_ml, f"/subscriptions/{FIRST}/{ML}/locations/westeurope/vmSizes", "2024-04-01").json()["value"]

    assert {"name": "Standard_DS3_v2", "family": "standardDSv2Family", "vCPUs": 4}.items() <= sizes[2].items()


def test_policies_are_asked_about_resources_that_do_not_exist_yet(azure_ml: AzureMl) -> None:
    def check(body: Any) -> requests.Response:
        return azure_ml.call("POST", POLICY, body, params={"api-version": "2022-03-01"})

    def denying(resource_type: str, scope: str = WORKSPACE1) -> list[str]:
        body = {"resourceDetails": {"resourceContent": {"type": resource_type}, "scope": scope}}
        answer = check(body)
        assert answer.ok, answer.text
        evaluations = answer.json()["contentEvaluationResult"]["policyEvaluations"]
        return [each["policyInfo"]["policyAssignmentId"].rpartition("/")[2] for each in evaluations]

    assert denying(ENDPOINT) == ["no-endpoints"]
    assert denying(f"{ENDPOINT}/deployments") == []
    assert denying(ENDPOINT, WORKSPACE4) == []
    assert error(check({"resourceDetails": {}})) == (400, "InvalidRequestContent")


def test_a_storage_account_shows_its_network_rules_and_where_its_blobs_are(azure_ml: AzureMl, storage: str) -> None:
    shown = ask(azure_ml, storage, "2023-05-01").json()
    assert shown["properties"]["networkAcls"]["defaultAction"] == "Allow"

    azure_ml.control("PUT", "surroundings", {"storage": {shown["name"]: {"publicNetworkAccess": "Disabled"}}})

    changed = ask(azure_ml, storage, "2023-05-01").json()
    assert changed["properties"]["publicNetworkAccess"] == "Disabled"
    assert changed["properties"]["primaryEndpoints"]["blob"] == f"{azure_ml.url}blob/{shown['name']}/"


def test_blobs_are_read_by_identity_and_not_written(azure_ml: AzureMl, storage: str) -> None:
    upload(azure_ml, WORKSPACE1, "letters/1.json", b"[]")
    container = azure_ml.call("GET", f"{WORKSPACE1}/datastores/workspaceblobstore").json()["properties"]["containerName"]
    address = f"/blob/{storage.rpartition('/')[2]}/{container}"
    token = azure_ml.token("https://storage.azure.com")

    listed = azure_ml.call("GET", address, token=token, params={"restype": "container", "comp": "list", "api-version": None})
    assert listed.status_code == 200, listed.text
    assert "letters/1.json" in listed.text
    assert azure_ml.call("GET", address, params={"restype": "container", "comp": "list"}).status_code == 401
    assert azure_ml.call("DELETE", f"{address}/letters/1.json", token=token).status_code == 403


def test_surroundings_that_are_none_are_refused(azure_ml: AzureMl) -> None:
    told: list[Any] = [{"roles": "all"}, {"unknown": []}, []]
    for nonsense in told:
        answer = requests.put(f"{azure_ml.url}_control/surroundings", json=nonsense, verify=azure_ml.ca, timeout=5)
        assert answer.status_code == 400
        assert "not surroundings" in answer.text
