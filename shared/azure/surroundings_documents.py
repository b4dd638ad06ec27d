"""Azure's answers about what surrounds the rules, as values. The shapes are those of Azure/azure-rest-api-specs.

machinelearningservices 2024-04-01 (`examples/Usage/list.json`, `VirtualMachineSize/list.json`, `Registries/get.json`),
eventgrid 2022-06-15 (`SystemTopicEventSubscriptions_Get.json`), storage 2023-05-01, authorization 2022-04-01,
policyinsights 2022-03-01 (`PolicyRestrictions_CheckAtSubscriptionScope.json`). KeyError and such for answers that make no sense.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from shared.assets import WorkspaceId
from shared.doctor.seen import (
    AzureSubscription,
    CoreUsage,
    CoreUsages,
    Datastore,
    DeadLetters,
    Destination,
    DestinationKind,
    EventSubscription,
    Permission,
    PolicyDenial,
    Registry,
    ResourceRule,
    Role,
    RoleAssignment,
    StorageAccount,
    SystemTopic,
    VmSize,
    Workspace,
    region_name,
)

type Document = dict[str, Any]

_DEDICATED = "Cluster Dedicated vCPUs"  # of a family, "Standard DSv2 Family Cluster Dedicated vCPUs"
_PROVIDER = "Microsoft.MachineLearningServices"
_FILTERS = ("subjectBeginsWith", "subjectEndsWith", "advancedFilters")


def azure_subscription(document: Document) -> AzureSubscription:
    return AzureSubscription(document["subscriptionId"], document["tenantId"], document["state"].lower())


def workspace(document: Document) -> Workspace:
    properties = document["properties"]
    is_public = str(properties.get("publicNetworkAccess") or "Enabled").lower() != "disabled"
    region = region_name(document["location"])
    return Workspace(WorkspaceId.parse(document["id"]), region, properties.get("storageAccount") or "", is_public)


def registry(name: str, document: Document) -> Registry:
    regions = (region_name(each["location"]) for each in document["properties"]["regionDetails"])
    return Registry(name, document["id"], tuple(regions))


def role_assignment(document: Document) -> RoleAssignment:
    properties = document["properties"]
    return RoleAssignment(
        role=properties["roleDefinitionId"],
        scope=properties["scope"],
        arm_id=document["id"],
        principal=properties["principalId"],
        condition=properties.get("condition"),
    )


def role(document: Document) -> Role:
    fields, properties = ("actions", "notActions", "dataActions", "notDataActions"), document["properties"]
    allowed = (Permission(*(tuple(each.get(field) or ()) for field in fields)) for each in properties["permissions"])
    return Role(properties["roleName"], tuple(allowed))


def system_topic(document: Document) -> SystemTopic:
    properties = document["properties"]
    return SystemTopic(document["id"], properties["source"], properties["provisioningState"].lower())


def event_subscription(document: Document) -> EventSubscription:
    """Delivery, and dead-lettering, as a managed identity stand under names of their own."""
    properties = document["properties"]
    by_identity = properties.get("deliveryWithResourceIdentity") or {}
    dead_by_identity = properties.get("deadLetterWithResourceIdentity") or {}
    dead_letters = properties.get("deadLetterDestination") or dead_by_identity.get("deadLetterDestination")
    chosen = properties.get("filter") or {}
    types, expires = chosen.get("includedEventTypes"), properties.get("expirationTimeUtc")
    return EventSubscription(
        arm_id=document["id"],
        state=properties["provisioningState"].lower(),
        destination=_destination(properties.get("destination") or by_identity.get("destination") or {}),
        event_types=tuple(types) if types else None,
        narrowed_by=tuple(name for name in _FILTERS if chosen.get(name)),
        dead_letters=_dead_letters(dead_letters) if dead_letters else None,
        expires=_time(expires) if expires else None,
    )


def storage_account(document: Document) -> StorageAccount:
    properties = document["properties"]
    public = str(properties.get("publicNetworkAccess") or "Enabled").lower()
    rules = properties.get("networkAcls") or {}
    allows = str(rules.get("defaultAction") or "Allow").lower() == "allow"
    return StorageAccount(
        arm_id=document["id"],
        blob_endpoint=properties["primaryEndpoints"]["blob"].rstrip("/"),
        is_open=public == "enabled" and allows,
        is_shut=public == "disabled",
        lets_in=tuple(ResourceRule(each["tenantId"], each["resourceId"]) for each in rules.get("resourceAccessRules") or ()),
    )


def datastore(document: Document) -> Datastore:
    properties = document["properties"]
    credentials = properties["credentials"]["credentialsType"].lower()
    return Datastore(properties["containerName"], has_secret=credentials in ("accountkey", "sas"))


def core_usages(documents: Iterable[Document]) -> CoreUsages:
    """Families are named as those of VM sizes, in lower case. What one workspace or compute uses is left out."""
    total, families = CoreUsage(0, None), {}
    for document in documents:
        kind, name = document["type"].lower(), document["name"]["value"]
        usage = CoreUsage(document["currentValue"], document["limit"] if document["limit"] >= 0 else None)
        if kind == f"{_PROVIDER}/dedicatedCores/usages".lower():
            total = usage
        elif kind == f"{_PROVIDER}/vmFamily/usages".lower() and name.endswith(_DEDICATED):
            families[region_name(name.removesuffix(_DEDICATED))] = usage
    return CoreUsages(total, families)


def vm_sizes(documents: Iterable[Document]) -> dict[str, VmSize]:
    return {each["name"].lower(): VmSize(each["vCPUs"], each["family"]) for each in documents}


def denials(document: Document) -> tuple[PolicyDenial, ...]:
    """This version of the API tells of what is denied, and not of what is audited."""
    evaluations = (document.get("contentEvaluationResult") or {}).get("policyEvaluations") or ()
    denied = [each["policyInfo"] for each in evaluations if each["evaluationResult"].lower() == "noncompliant"]
    return tuple(PolicyDenial(each["policyAssignmentId"], each["policyDefinitionId"]) for each in denied)


def _destination(document: Document) -> Destination:
    properties = document.get("properties") or {}
    kind = str(document.get("endpointType", "")).lower()
    known = DestinationKind(kind) if kind in list(DestinationKind) else DestinationKind.OTHER
    address = properties.get("endpointBaseUrl") if known is DestinationKind.WEBHOOK else properties.get("resourceId")
    return Destination(known, address or "")


def _dead_letters(document: Document) -> DeadLetters:
    return DeadLetters(document["properties"]["resourceId"], document["properties"]["blobContainerName"])


def _time(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
