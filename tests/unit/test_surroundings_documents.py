"""Azure's answers about the surroundings as values: each document has the shape of an example of azure-rest-api-specs."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.assets import WorkspaceId
from shared.azure import surroundings_documents as documents
from shared.doctor.seen import (
    AzureSubscription,
    CoreUsage,
    DeadLetters,
    Destination,
    DestinationKind,
    Permission,
    PolicyDenial,
    Registry,
    ResourceRule,
    Role,
    VmSize,
    Workspace,
)

STORAGE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/st"
QUEUE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceBus/namespaces/n/queues/events"
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


def event_subscription(**properties: Any) -> dict[str, Any]:
    """SystemTopicEventSubscriptions_Get.json"""
    usual = {
        "topic": "/t",
        "provisioningState": "Succeeded",
        "destination": {"endpointType": "WebHook", "properties": {"endpointBaseUrl": "https://app/hook"}},
        "filter": {"isSubjectCaseSensitive": False, "subjectBeginsWith": "", "subjectEndsWith": "", "includedEventTypes": ["a.b"]},
        "labels": ["l"],
        "eventDeliverySchema": "EventGridSchema",
        "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440},
    }
    return {"id": "/t/eventSubscriptions/e", "name": "e", "type": "T", "properties": usual | properties}


def test_an_event_subscription_to_a_webhook() -> None:
    found = documents.event_subscription(event_subscription())
    assert (found.arm_id, found.state, found.event_types, found.narrowed_by) == (
        "/t/eventSubscriptions/e",
        "succeeded",
        ("a.b",),
        (),
    )
    assert found.destination == Destination(DestinationKind.WEBHOOK, "https://app/hook")
    assert (found.dead_letters, found.expires) == (None, None)


def test_delivery_and_dead_letters_as_a_managed_identity() -> None:
    queue = {"endpointType": "ServiceBusQueue", "properties": {"resourceId": QUEUE}}
    place = {"endpointType": "StorageBlob", "properties": {"resourceId": STORAGE, "blobContainerName": "dead"}}
    identity = {"type": "SystemAssigned"}
    found = documents.event_subscription(
        event_subscription(
            destination=None,
            deliveryWithResourceIdentity={"identity": identity, "destination": queue},
            deadLetterWithResourceIdentity={"identity": identity, "deadLetterDestination": place},
        )
    )
    assert found.destination == Destination(DestinationKind.QUEUE, QUEUE)
    assert found.dead_letters == DeadLetters(STORAGE, "dead")
    plain = documents.event_subscription(event_subscription(deadLetterDestination=place))
    assert plain.dead_letters == DeadLetters(STORAGE, "dead")


def test_filters_and_an_end_of_an_event_subscription() -> None:
    advanced = [{"operatorType": "StringIn", "key": "subject", "values": ["models"]}]
    chosen = {"subjectBeginsWith": "models/a", "subjectEndsWith": "", "advancedFilters": advanced}
    found = documents.event_subscription(event_subscription(filter=chosen, expirationTimeUtc="2026-05-04T12:00:00Z"))
    assert found.event_types is None
    assert found.narrowed_by == ("subjectBeginsWith", "advancedFilters")
    assert found.expires == datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_a_destination_of_another_kind() -> None:
    found = documents.event_subscription(event_subscription(destination={"endpointType": "EventHub", "properties": {}}))
    assert found.destination.kind is DestinationKind.OTHER


def usage(kind: str, name: str, used: int, limit: int) -> dict[str, Any]:
    """Usage/list.json"""
    kind = f"Microsoft.MachineLearningServices/{kind}/usages"
    return {"id": "/u", "type": kind, "currentValue": used, "limit": limit, "name": {"value": name}, "unit": "Count"}


def test_the_quota_of_cores_is_that_of_dedicated_ones() -> None:
    found = documents.core_usages(
        [
            usage("totalCores", "Clusters", 7, 100),
            usage("dedicatedCores", "Total Cluster Dedicated Regional vCPUs", 14, 24),
            usage("vmFamily", "Standard DSv2 Family Cluster Dedicated vCPUs", 2, 24),
            usage("workspaces", "Standard DSv2 Family Cluster Dedicated vCPUs", 1, 8),
            usage("workspaces/computes", "Standard DSv2 Family Cluster Dedicated vCPUs", 1, 8),
            usage("vmFamily", "Standard NC Family Cluster Dedicated vCPUs", 0, -1),
            usage("lowPriorityCores", "Total Cluster LowPriority Regional vCPUs", 18, 50),
            usage("vmFamily", "Standard DSv2 Family Cluster LowPriority vCPUs", 5, -1),
        ]
    )
    assert found.total == CoreUsage(14, 24)
    assert found.families == {"standarddsv2family": CoreUsage(2, 24), "standardncfamily": CoreUsage(0, None)}


def test_a_vm_size_names_the_family_of_its_quota() -> None:
    """VirtualMachineSize/list.json"""
    size = {"name": "Standard_DS3_v2", "family": "standardDSv2Family", "vCPUs": 4, "gpus": 0, "supportedComputeTypes": ["MIR"]}
    assert documents.vm_sizes([size]) == {"standard_ds3_v2": VmSize(4, "standardDSv2Family")}


def test_what_a_policy_denies() -> None:
    """PolicyRestrictions_CheckAtSubscriptionScope.json"""
    policy = {"policyDefinitionId": "/d", "policySetDefinitionId": "/s", "policyAssignmentId": "/a"}
    evaluations = [
        {"policyInfo": policy, "evaluationResult": "NonCompliant", "evaluationDetails": {}},
        {"policyInfo": policy | {"policyAssignmentId": "/b"}, "evaluationResult": "Compliant"},
    ]
    answer = {"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": evaluations}}
    assert documents.denials(answer) == (PolicyDenial("/a", "/d"),)
    assert documents.denials({"fieldRestrictions": [], "contentEvaluationResult": None}) == ()


@pytest.mark.parametrize(
    ("properties", "is_open", "is_shut"),
    [
        ({}, True, False),
        ({"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}, True, False),
        ({"networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices"}}, False, False),
        ({"publicNetworkAccess": "Disabled", "networkAcls": {"defaultAction": "Allow"}}, False, True),
        ({"publicNetworkAccess": "SecuredByPerimeter"}, False, False),
    ],
)
def test_whom_a_storage_account_answers(properties: dict[str, Any], is_open: bool, is_shut: bool) -> None:
    endpoints = {"primaryEndpoints": {"blob": "https://st.blob.core.windows.net/"}}
    found = documents.storage_account({"id": STORAGE, "properties": endpoints | properties})
    assert (found.is_open, found.is_shut, found.blob_endpoint) == (is_open, is_shut, "https://st.blob.core.windows.net")


def test_the_resources_that_a_storage_account_lets_in() -> None:
    rules = {"defaultAction": "Deny", "resourceAccessRules": [{"tenantId": "t", "resourceId": "/r"}]}
    properties = {"primaryEndpoints": {"blob": "https://b/"}, "networkAcls": rules}
    assert documents.storage_account({"id": STORAGE, "properties": properties}).lets_in == (ResourceRule("t", "/r"),)


def test_workspaces_registries_roles_and_azure_subscriptions() -> None:
    shown: dict[str, Any] = {"id": WORKSPACE, "location": "West Europe", "properties": {"storageAccount": STORAGE}}
    assert documents.workspace(shown) == Workspace(WorkspaceId("s", "g", "w"), "westeurope", STORAGE, is_public=True)
    shown["properties"]["publicNetworkAccess"] = "Disabled"
    assert not documents.workspace(shown).is_public
    regions = [{"location": "westeurope"}, {"location": "North Europe"}]
    registry = documents.registry("hub", {"id": "/hub", "properties": {"regionDetails": regions}})
    assert registry == Registry("hub", "/hub", ("westeurope", "northeurope"))
    allowed = {"actions": ["*/read"], "notActions": [], "dataActions": None}
    told_of_role = {"properties": {"roleName": "Looker", "permissions": [allowed]}}
    assert documents.role(told_of_role) == Role("Looker", (Permission(("*/read",)),))
    told = {"subscriptionId": "s", "tenantId": "t", "state": "PastDue"}
    assert documents.azure_subscription(told) == AzureSubscription("s", "t", "pastdue")
