"""The templates hold together: no compiler is at hand, so this looks for what one would find. And it does find it."""

from typing import Any

import pytest

from tests.bicep.copies import EVERYTHING, PROVIDER, SOURCES, TENANT, provider, tenant, with_change
from tests.bicep.deployment import deploy
from tests.bicep.reading import BicepError, read
from tests.bicep.soundness import unsound

STORAGE, APP, MAIN = "modules/storage.bicep", "modules/function-app.bicep", "main.bicep"
DOCTOR = {"doctorReadsSubscription": True, "doctorPrincipalId": "doctor"}


def test_the_templates_are_sound() -> None:
    assert unsound(SOURCES) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "fault"),
    [
        (STORAGE, "parent: tableService", "parent: tableServices", "tableServices is nothing"),
        (STORAGE, "[for tableName in tableNames: {\n  parent", "[for tableName in names: {\n  parent", "names is nothing"),
        (MAIN, "'st${token}'", "'st${tokens}'", "tokens is nothing"),
        (APP, "'${identityId}': {}", "'${identity}': {}", "identity is nothing"),
        (APP, "    FANOUT_AZURE_CLOUD: azureCloud\n", "", "azureCloud is not used"),
        (MAIN, "var tags = {", "var more = 1\nvar tags = {", "more is not used"),
        ("tenant/system-topic.bicep", "source: workspace.id", "source: workspaceName", "workspace is not used"),
        (MAIN, "modules/alerts.bicep", "modules/alarms.bicep", "module alerts: there is no modules/alarms.bicep"),
        (MAIN, "    sku: storageSku\n", "", "module storage: parameter sku is not given"),
        (MAIN, "    sku: storageSku\n", "    sku: storageSku\n    kind: 'v2'\n", "module storage: there is no parameter kind"),
        (MAIN, "storage.outputs.id\n", "'none'\n", "modules/storage.bicep: output id is not used"),
        (APP, "@description('Most instances.')\n", "", "parameter maximumInstanceCount has no description"),
        (APP, "reserved: true", "reserved: true,, ", "pycep-parser does not take this"),
        (
            "tenant/main.bicep",
            "'group-reader.bicep'",
            "'subscription-reader.bicep'",
            "tenant/group-reader.bicep: nobody deploys it",
        ),
    ],
)
def test_what_the_compiler_would_find_is_found(path: str, old: str, new: str, fault: str) -> None:
    assert any(fault in each for each in unsound(with_change(path, old, new)))


def test_each_type_is_used_by_one_api_version() -> None:
    templates = [read(text) for path, text in SOURCES.items() if path.endswith(".bicep")]
    places = {resource.place for template in templates for resource in template.resources.values()}
    assert len(places) == len({place.partition("@")[0] for place in places})


@pytest.mark.parametrize("outcomes", ["none", "topic", "domain"])
@pytest.mark.parametrize("operator", ["", "operator"])
@pytest.mark.parametrize("private", [False, True])
def test_the_providers_part_can_be_deployed_whatever_is_chosen(private: bool, operator: str, outcomes: str) -> None:
    made = provider(privateNetwork=private, operatorPrincipalId=operator, outcomes=outcomes)
    ids = [resource.id.lower() for resource in made.resources]
    assert len(ids) == len(set(ids))
    assert (made.outputs["FANOUT_OUTCOMES_ID"] == "") is (outcomes == "none")


@pytest.mark.parametrize("events", [{}, {"webhookUrl": "https://func/…"}, {"eventsQueueId": "/subscriptions/…/queues/events"}])
@pytest.mark.parametrize("topic", ["", "evgst-of-theirs"])
def test_a_tenants_part_can_be_deployed_whatever_is_chosen(topic: str, events: dict[str, str]) -> None:
    made = tenant(existingSystemTopicName=topic, datastoreStorageName="stcards", datastoreContainerName="azureml", **events)
    assert [each.name for each in made.of("Microsoft.EventGrid/systemTopics")] == ([] if topic else ["evgst-cards"])
    assert len(made.of("Microsoft.EventGrid/systemTopics/eventSubscriptions")) == len(events)
    assert made.outputs["systemTopicName"] == (topic or "evgst-cards")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("registry/main.bicep", {"registryName": "hub", "fanoutPrincipalId": "fanout", "readerGroupIds": ["tenants"]}),
        ("tenant/queue-sender.bicep", {"namespaceName": "sb", "principalId": "topic"}),
        (
            "tenant/event-subscription.bicep",
            {"systemTopicName": "t", "eventsQueueId": "/q", "deadLetterStorageId": "/st", "deadLetterContainerName": "c"},
        ),
    ],
)
def test_the_smaller_parts_can_be_deployed(path: str, params: dict[str, Any]) -> None:
    assert deploy(SOURCES, path, **params).resources


@pytest.mark.parametrize(
    ("path", "old", "new", "params", "fault"),
    [
        (MAIN, "privateNetwork ? network!", "true ? network!", {}, "is not deployed"),
        (MAIN, "(outcomes == 'topic') ? outcomeEvents!", "(outcomes != 'topic') ? outcomeEvents!", {}, "is not deployed"),
        (MAIN, "serviceBus.outputs.hostName\n    outcomes", "serviceBus.outputs.host\n    outcomes", {}, "there is no host"),
        (MAIN, "(outcomes == 'none') ? ''", "outcomes == 'none' ? ''", {}, "is no condition"),
        ("tenant/main.bicep", "  scope: subscription()\n", "", DOCTOR, "is for a subscription"),
        (MAIN, "", "", {"outcomes": "queue"}, "outcomes may not be 'queue'"),
        (MAIN, "", "", {"outcome": "topic"}, "has no parameter outcome"),
        (MAIN, "", "", {"environmentName": None}, "parameter environmentName is missing"),
    ],
)
def test_what_azure_would_refuse_is_refused(path: str, old: str, new: str, params: dict[str, Any], fault: str) -> None:
    sources = with_change(path, old, new) if old else SOURCES
    given = {**(PROVIDER if path == MAIN else TENANT), **params}
    with pytest.raises(BicepError, match=fault):
        deploy(sources, path, **{name: value for name, value in given.items() if value is not None})


def test_everything_at_once_can_be_deployed() -> None:
    assert deploy(SOURCES, MAIN, **EVERYTHING).resources
