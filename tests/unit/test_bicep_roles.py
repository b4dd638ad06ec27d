"""Who may do what: exactly this, each by the least role, each with the operation that needs it."""

import json
from typing import Any

import pytest

from shared.doctor.operations import BLOB_CONTRIBUTOR, BLOB_READER
from tests.bicep.copies import EVERYTHING, SOURCES, provider, tenant, with_change
from tests.bicep.deployment import Deployment, deploy
from tests.bicep.roles import Grant, grants, wrong_assignments, wrong_names

TOPIC = "‹Microsoft.EventGrid/systemTopics/evgst-cards.identity.principalId›"
BUS, QUEUE, STORAGE = "modules/service-bus.bicep", "modules/queue.bicep", "modules/storage.bicep"


def of_provider(sources: dict[str, str] | None = None, **params: Any) -> Deployment:
    return provider(sources or SOURCES, **{**EVERYTHING, **params})


def granted(deployment: Deployment) -> set[Grant]:
    [identity] = deployment.of("Microsoft.ManagedIdentity/userAssignedIdentities")
    token = identity.name.removeprefix("id-")
    people = {f"‹Microsoft.ManagedIdentity/userAssignedIdentities/{identity.name}.properties.principalId›": "app"}
    return {Grant(each.who, each.role, each.scope.replace(token, "x")) for each in grants(deployment, people)}


def on_queue(name: str) -> str:
    return f"Microsoft.ServiceBus/namespaces/sb-premium-x/queues/{name}"


APP = {
    Grant("app", "Storage Blob Data Owner", "Microsoft.Storage/storageAccounts/stx"),
    Grant("app", "Storage Table Data Contributor", "Microsoft.Storage/storageAccounts/stx"),
    Grant("app", "Azure Service Bus Data Receiver", on_queue("commands")),
    Grant("app", "Azure Service Bus Data Receiver", on_queue("wakeups")),
    Grant("app", "Azure Service Bus Data Receiver", on_queue("events")),
    Grant("app", "Azure Service Bus Data Sender", on_queue("commands")),
    Grant("app", "Azure Service Bus Data Sender", on_queue("wakeups")),
    Grant("app", "Azure Service Bus Data Sender", on_queue("rejected")),
    Grant("app", "Monitoring Metrics Publisher", "Microsoft.Insights/components/appi-x"),
}
SCALING = {Grant("app", "Azure Service Bus Data Owner", on_queue(name)) for name in ("commands", "wakeups", "events")}
OUTCOMES = {Grant("app", "EventGrid Data Sender", "Microsoft.EventGrid/domains/evg-x")}
OPERATOR = {
    Grant("operator", "Storage Table Data Contributor", "Microsoft.Storage/storageAccounts/stx"),
    Grant("operator", "Azure Service Bus Data Sender", on_queue("commands")),
    Grant("operator", "Azure Service Bus Data Receiver", on_queue("rejected")),
}


def test_the_provider_grants_this_and_no_more() -> None:
    assert granted(of_provider()) == APP | SCALING | OUTCOMES | OPERATOR


def test_without_operator_outcomes_and_scaling_by_length_it_is_less() -> None:
    assert granted(of_provider(operatorPrincipalId="", outcomes="none", scaleByQueueLength=False)) == APP


def test_a_tenant_grants_this_and_no_more() -> None:
    made = tenant(
        webhookUrl="https://func/…",
        datastoreStorageName="stcards",
        datastoreContainerName="azureml",
        datastoreAccess="write",
        doctorPrincipalId="doctor",
        doctorReadsSubscription=True,
        deadLetterStorageName="stdead",
    )
    dead_letters = "Microsoft.Storage/storageAccounts/stdead/blobServices/default/containers/fanout-dead-letters"
    assert grants(made, {TOPIC: "topic"}) == {
        Grant("fanout", "AzureML Data Scientist", "Microsoft.MachineLearningServices/workspaces/cards"),
        Grant(
            "fanout",
            "Storage Blob Data Contributor",
            "Microsoft.Storage/storageAccounts/stcards/blobServices/default/containers/azureml",
        ),
        Grant("topic", "Storage Blob Data Contributor", dead_letters),
        Grant("doctor", "Storage Blob Data Reader", dead_letters),
        Grant("doctor", "Reader", "/subscriptions/s/resourceGroups/rg"),
        Grant("doctor", "Reader", "/subscriptions/s"),
    }


def test_a_tenant_without_doctor_and_copies_grants_only_what_events_and_deliveries_need() -> None:
    made = tenant(webhookUrl="https://func/…")
    assert {each.role for each in grants(made, {})} == {"AzureML Data Scientist", "Storage Blob Data Contributor"}


@pytest.mark.parametrize(
    ("access", "roles"), [("write", {BLOB_CONTRIBUTOR}), ("read", {BLOB_READER}), ("both", {BLOB_CONTRIBUTOR, BLOB_READER})]
)
def test_what_is_granted_on_a_datastore_is_where_the_doctor_looks_for_it(access: str, roles: set[str]) -> None:
    made = tenant(datastoreStorageName="stcards", datastoreContainerName="azureml", datastoreAccess=access)
    granted = {(each.role, each.scope.removeprefix("Microsoft.Storage/storageAccounts/stcards")) for each in grants(made, {})}
    scopes = {BLOB_CONTRIBUTOR: "/blobServices/default/containers/azureml", BLOB_READER: ""}  # handlers/doctor_workspaces.py
    assert {(role, scope) for role, scope in granted if scope in scopes.values()} == {(role, scopes[role]) for role in roles}


def test_nobody_is_granted_what_the_doctor_needs_where_there_is_none() -> None:
    made = tenant(webhookUrl="https://func/…", doctorReadsSubscription=True)
    assert "" not in {each.properties["principalId"] for each in made.of("Microsoft.Authorization/roleAssignments")}


def test_a_registry_grants_this_and_no_more() -> None:
    params = {"registryName": "hub", "fanoutPrincipalId": "fanout", "readerGroupIds": ["tenants"], "doctorPrincipalId": "doctor"}
    registry = "Microsoft.MachineLearningServices/registries/hub"
    assert grants(deploy(SOURCES, "registry/main.bicep", **params), {}) == {
        Grant("fanout", "AzureML Registry User", registry),
        Grant("tenants", "Reader", registry),
        Grant("doctor", "Reader", registry),
    }


def test_a_group_of_readers_that_runs_the_doctor_too_is_assigned_its_role_once() -> None:
    params = {"registryName": "hub", "fanoutPrincipalId": "fanout", "readerGroupIds": ["ops"], "doctorPrincipalId": "ops"}
    assert list(wrong_assignments(deploy(SOURCES, "registry/main.bicep", **params))) == []


def test_the_queue_is_opened_to_a_tenants_topic_and_no_other_queue_is() -> None:
    made = deploy(SOURCES, "tenant/queue-sender.bicep", namespaceName="sb", principalId="topic")
    [grant] = grants(made, {})
    assert grant == Grant("topic", "Azure Service Bus Data Sender", "Microsoft.ServiceBus/namespaces/sb/queues/events")


def test_each_role_has_its_own_id_and_each_assignment_its_operation() -> None:
    assert list(wrong_names(json.loads(SOURCES["roles.json"]))) == []
    doctor = {"doctorPrincipalId": "doctor", "doctorReadsSubscription": True}
    for made in (of_provider(), tenant(webhookUrl="https://func/…", **doctor)):
        assert list(wrong_assignments(made)) == []


def test_every_role_that_has_a_name_is_used() -> None:
    used = "".join(text for path, text in SOURCES.items() if path.endswith(".bicep"))
    assert [name for name in json.loads(SOURCES["roles.json"]) if f"'{name}'" not in used] == []


SENDER, RECEIVER = "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39", "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0"


def test_a_role_id_under_another_roles_name_is_found() -> None:
    swapped = SOURCES["roles.json"].replace(SENDER, "…").replace(RECEIVER, SENDER).replace("…", RECEIVER)
    assert f"{SENDER} is Azure Service Bus Data Sender, and not Azure Service Bus Data Receiver" in list(
        wrong_names(json.loads(swapped))
    )
    assert granted(of_provider({**SOURCES, "roles.json": swapped})) != granted(of_provider())


@pytest.mark.parametrize(
    ("path", "old", "new", "fault"),
    [
        ("roles.json", RECEIVER, RECEIVER.replace("4", "5"), "is no role that is known here"),
        (QUEUE, "    description: grant.operation\n", "", "is assigned, and for no operation"),
        (QUEUE, "    principalType: grant.principalType\n", "", "is assigned without principalType"),
        (QUEUE, ", roles[grant.role])\n  scope", ")\n  scope", "two assignments have one name"),
    ],
)
def test_an_assignment_that_azure_would_refuse_or_nobody_could_explain_is_found(path: str, old: str, new: str, fault: str) -> None:
    assert any(fault in each for each in wrong_assignments(of_provider(with_change(path, old, new))))


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (BUS, "grants: concat([appReceives], scaling)", "grants: concat([appReceives, appSends], scaling)"),
        (BUS, "grants: concat([appSends], empty", "grants: concat([], empty"),
        (STORAGE, "'Storage Blob Data Owner'", "'Storage Blob Data Contributor'"),
        (QUEUE, "scope: queue", "scope: namespace"),
    ],
)
def test_more_less_and_wider_than_is_needed_is_found(path: str, old: str, new: str) -> None:
    assert granted(of_provider(with_change(path, old, new))) != granted(of_provider())
