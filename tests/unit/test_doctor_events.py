"""Whether the app is told of new models: which event subscription is ours, and what can be wrong with it."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.doctor.events import App, check_dead_letters, check_events, ours, topic_of
from shared.doctor.findings import Finding, Severity
from shared.doctor.seen import DeadLetters, Destination, DestinationKind, EventSubscription, SystemTopic
from tests.bicep.copies import SOURCES, tenant
from tests.bicep.deployment import Resource, deploy
from tests.unit.doctor_world import CARDS, NOW, STORAGE, THERE, codes

GROUP = "/subscriptions/s1/resourceGroups/rg-cards"
TOPIC = SystemTopic(f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/t", str(CARDS), "succeeded")
APP = App("fanout-x1.azurewebsites.net", "contoso-bus")
WEBHOOK = Destination(DestinationKind.WEBHOOK, "https://fanout-x1.azurewebsites.net/runtime/webhooks/EventGrid")
QUEUE = Destination(DestinationKind.QUEUE, f"{GROUP}/providers/P/namespaces/contoso-bus/queues/events")
FUNCTION = Destination(DestinationKind.FUNCTION, f"{GROUP}/providers/P/sites/fanout-x1/functions/model_registered")
SOUND = EventSubscription(
    f"{TOPIC.arm_id}/eventSubscriptions/fanout",
    "succeeded",
    WEBHOOK,
    ("Microsoft.MachineLearningServices.ModelRegistered",),
    dead_letters=DeadLetters(STORAGE, "dead"),
)


def check(subscription: EventSubscription | None, *, is_public: bool = True, topic: SystemTopic | None = TOPIC) -> list[Finding]:
    return list(check_events(replace(THERE, is_public=is_public), topic, subscription, APP, NOW))


@pytest.mark.parametrize("destination", [WEBHOOK, QUEUE, FUNCTION], ids=lambda each: each.kind)
def test_ours_leads_to_our_webhook_our_function_or_our_queue(destination: Destination) -> None:
    assert ours([replace(SOUND, destination=destination)], APP)


@pytest.mark.parametrize(
    "destination",
    [
        replace(WEBHOOK, address="https://other.azurewebsites.net/runtime/webhooks/EventGrid"),
        replace(WEBHOOK, address="https://fanout-x1.azurewebsites.net/api/hook"),
        replace(QUEUE, address=QUEUE.address.replace("contoso-bus", "their-bus")),
        replace(QUEUE, address=QUEUE.address.replace("/events", "/commands")),
        replace(FUNCTION, address=FUNCTION.address.replace("model_registered", "other")),
        replace(FUNCTION, address=FUNCTION.address.replace("fanout-x1", "stranger")),
        Destination(DestinationKind.OTHER, WEBHOOK.address),
    ],
)
def test_what_leads_elsewhere_is_somebody_elses(destination: Destination) -> None:
    assert ours([replace(SOUND, destination=destination)], APP) is None


def test_a_site_is_known_by_its_unique_host_name_too() -> None:
    site = replace(FUNCTION, address=FUNCTION.address.replace("fanout-x1", "fanout"))
    assert App("fanout-d4e5f6.westeurope-01.azurewebsites.net").hears(site)


def test_where_nobody_said_what_is_ours_each_of_the_form_is() -> None:
    assert all(App().hears(each) for each in (WEBHOOK, QUEUE, FUNCTION))


def test_the_best_of_several_counts() -> None:
    elsewhere = replace(SOUND, destination=Destination(DestinationKind.OTHER, ""))
    others = [replace(SOUND, event_types=("a.b",)), replace(SOUND, state="failed"), elsewhere]
    assert ours([*others, SOUND], APP) is SOUND


def test_a_workspaces_topic_is_found_by_its_source_in_any_case() -> None:
    assert topic_of(CARDS, [replace(TOPIC, source="/other"), replace(TOPIC, source=str(CARDS).upper())]) is not None


def test_a_sound_one_is_sound() -> None:
    assert check(SOUND) == []
    assert check(replace(SOUND, event_types=None)) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"event_types": ("Microsoft.MachineLearningServices.RunCompleted",)}, "event_type_missing"),
        ({"state": "failed"}, "event_subscription_unhealthy"),
        ({"state": "awaitingmanualaction"}, "event_subscription_unhealthy"),
        ({"expires": NOW - timedelta(days=1)}, "event_subscription_unhealthy"),
        ({"narrowed_by": ("subjectBeginsWith",)}, "events_filtered"),
    ],
)
def test_what_is_wrong_with_it_is_found(changes: dict[str, object], code: str) -> None:
    (finding,) = check(replace(SOUND, **changes))  # type: ignore[arg-type]
    assert finding.code == code
    assert "--system-topic-name t" in finding.command


def test_a_topic_that_failed_is_found() -> None:
    assert codes(check(SOUND, topic=replace(TOPIC, state="failed"))) == ["event_subscription_unhealthy"]


def test_filters_are_a_warning() -> None:
    (finding,) = check(replace(SOUND, narrowed_by=("advancedFilters",)))
    assert finding.severity is Severity.WARNING


def called(command: str, folder: Path) -> list[list[str]]:
    """What a shell makes of the command: each call of `az`, without what only asks."""
    asked = {"functionapp list": "/sites/fanout-x1", "rest --method": "k/3=", "eventgrid system-topic show": "topic-id"}
    asked["servicebus namespace list"] = "/namespaces/contoso-bus"
    answers = "\n".join(f"'{words}'*) echo '{answer}'; return;;" for words, answer in asked.items())
    az = f"""az() {{
        case "$*" in
        {answers}
        esac
        printf '%s\\0' "$@" >> calls; printf '\\n' >> calls
    }}"""
    subprocess.run(["/bin/sh", "-c", f"{az}\n{command}"], cwd=folder, check=True, timeout=60)
    return [line.split("\0")[:-1] for line in (folder / "calls").read_text().splitlines()]


def option(call: Sequence[str], name: str) -> str:
    return call[call.index(name) + 1]


def deployed(call: Sequence[str]) -> Resource:
    """The event subscription that the template makes of it, on paper."""
    assert call[:3] == ["deployment", "group", "create"]
    given = dict(word.split("=", 1) for word in call[call.index("--parameters") + 1 :])
    template = option(call, "--template-file").removeprefix("infra/azure/")
    (made,) = deploy(SOURCES, template, **given).of("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    return made


def test_without_a_topic_the_command_makes_it_and_the_subscription(tmp_path: Path) -> None:
    (finding,) = check(None, topic=None)
    topic, container, role, subscription = called(finding.command, tmp_path)
    assert finding.code == "event_subscription_missing"
    assert topic[:3] == ["eventgrid", "system-topic", "create"]
    assert (option(topic, "--name"), option(topic, "--source")) == ("evgst-cards", str(CARDS))
    assert (option(topic, "--location"), option(topic, "--identity")) == ("westeurope", "systemassigned")
    assert (option(container, "--name"), option(container, "--storage-account")) == ("fanout-dead-letters", "stcards")
    assert (option(role, "--assignee-object-id"), option(role, "--role")) == ("topic-id", "Storage Blob Data Contributor")
    assert option(role, "--scope") == f"{STORAGE}/blobServices/default/containers/fanout-dead-letters"
    made = deployed(subscription)
    url = "https://fanout-x1.azurewebsites.net/runtime/webhooks/EventGrid?functionName=model_registered&code=k/3="
    assert made.properties["destination"]["properties"]["endpointUrl"] == url
    kept = made.properties["deadLetterWithResourceIdentity"]["deadLetterDestination"]["properties"]
    assert kept == {"resourceId": STORAGE, "blobContainerName": "fanout-dead-letters"}


@pytest.mark.parametrize("name", ["cards", "cards_of_2026", "c" * 33])
def test_it_is_named_as_the_template_names_it_by_what_azure_takes(name: str) -> None:
    workspace = replace(THERE, id=replace(CARDS, name=name))
    (finding,) = check_events(workspace, None, None, APP, NOW)
    (topic,) = tenant(workspaceName=name).of("Microsoft.EventGrid/systemTopics")
    assert re.fullmatch("[a-zA-Z0-9-]{3,50}", topic.name)
    assert f" --name {topic.name} " in finding.command
    assert f" systemTopicName={topic.name} " in finding.command


def test_a_workspace_closed_to_public_networks_needs_the_queue(tmp_path: Path) -> None:
    (finding,) = check(SOUND, is_public=False)
    assert finding.code == "queue_required"
    deleting, identity, container, _writer, sender, subscription = called(finding.command, tmp_path)
    assert deleting[:4] == ["eventgrid", "system-topic", "event-subscription", "delete"]
    assert (option(identity, "--name"), option(identity, "--identity")) == ("t", "systemassigned")
    assert option(container, "--name") == "fanout-dead-letters"
    assert option(sender, "--role") == "Azure Service Bus Data Sender"
    assert option(sender, "--scope") == "/namespaces/contoso-bus/queues/events"
    to_queue = deployed(subscription).properties["deliveryWithResourceIdentity"]
    assert to_queue["destination"]["properties"]["resourceId"] == "/namespaces/contoso-bus/queues/events"
    assert check(replace(SOUND, destination=QUEUE), is_public=False) == []


def check_letters(subscription: EventSubscription, *, has_any: bool) -> list[Finding]:
    return list(check_dead_letters(subscription, THERE, TOPIC, APP, has_any=has_any))


def test_dead_letters_have_a_place_and_there_are_none(tmp_path: Path) -> None:
    assert check_letters(SOUND, has_any=False) == []
    (finding,) = check_letters(SOUND, has_any=True)
    assert finding.code == "dead_letters"
    assert " --query '[].name' " in finding.command  # zsh refuses the brackets alone
    (unkept,) = check_letters(replace(SOUND, dead_letters=None, destination=QUEUE), has_any=False)
    assert unkept.code == "dead_letters_unkept"
    *_, subscription = called(unkept.command, tmp_path)
    assert deployed(subscription).properties["deliveryWithResourceIdentity"]
