"""What is left in Azure where a tenant leaves: ours is to be removed, what is others' is left alone, what is unseen is said."""

import shlex
from dataclasses import replace
from typing import Any

import pytest

from handlers.doctor_looks import Looks
from handlers.offboard_looks import leftovers
from shared.doctor.events import App
from shared.doctor.leftovers import Leftover, Whose, events_left, roles_left
from shared.doctor.seen import DeadLetters, Destination, DestinationKind, RoleAssignment
from shared.errors import NotFound, Owner, Permanent, Unavailable
from shared.rules import Provider, Rules
from shared.tenants import Tenant, TenantState
from tests.fake_surroundings import HOST, FakeSurroundings
from tests.unit.doctor_world import CARDS, NOW, STORAGE
from tests.unit.test_doctor_events import APP, QUEUE, SOUND

THEIRS = replace(
    SOUND,
    arm_id=SOUND.arm_id.replace("/fanout", "/theirs"),
    destination=Destination(DestinationKind.WEBHOOK, "https://theirs.azurewebsites.net/runtime/webhooks/EventGrid"),
    dead_letters=DeadLetters(STORAGE, "theirs"),
)
LITWARE = Tenant("litware", TenantState.PAUSED, (CARDS,))
RULES = Rules(Provider(), {"litware": LITWARE}, 1)
GROUP = "/subscriptions/s1/resourceGroups/rg-cards"


def told(found: list[Leftover]) -> list[tuple[str, Whose]]:
    return [(each.what, each.whose) for each in found]


def options(command: str | None) -> list[str]:
    return shlex.split(command or "")


def test_our_event_subscription_is_removed_after_its_dead_letters_and_others_are_left_alone() -> None:
    letters, ours, theirs = events_left(CARDS, [THEIRS, SOUND], APP)

    assert told([letters, ours, theirs]) == [
        ("container dead of storage account stcards, unless it keeps more than dead letters", Whose.OURS),
        ("event subscription fanout", Whose.OURS),
        ("event subscription theirs", Whose.OTHERS),
    ]
    assert {"delete", "--system-topic-name", "t", "--name", "fanout", "--yes"} <= set(options(ours.command))
    assert {"delete", "--name", "dead", "--storage-account", "stcards"} <= set(options(letters.command))
    assert theirs.command is None


def test_a_container_that_others_use_is_left_alone() -> None:
    together = replace(THEIRS, dead_letters=SOUND.dead_letters)

    assert told(list(events_left(CARDS, [SOUND, together], APP)))[0][1] is Whose.OTHERS


def test_of_a_queue_the_right_to_send_there_is_taken_too() -> None:
    sender, ours = events_left(CARDS, [replace(SOUND, destination=QUEUE, dead_letters=None)], APP)

    assert sender.command
    assert sender.command.endswith(f"--scope {QUEUE.address}")
    assert "az eventgrid system-topic show --ids" in sender.command
    assert ours.what == "event subscription fanout"


@pytest.mark.parametrize(("destination", "setting"), [(SOUND.destination, "FANOUT_HOSTNAME"), (QUEUE, "ServiceBus")])
def test_where_nobody_said_what_is_ours_none_is_to_be_removed(destination: Destination, setting: str) -> None:
    (found,) = events_left(CARDS, [replace(SOUND, destination=destination)], App())

    assert (found.whose, found.command) == (Whose.UNSEEN, None)
    assert setting in found.why


@pytest.mark.parametrize(
    ("scope", "principal", "whose"),
    [
        (str(CARDS), "app", Whose.OURS),
        (f"{CARDS}/onlineEndpoints/cards".upper(), "APP", Whose.OURS),
        (GROUP, "app", Whose.OTHERS),
        (f"{CARDS}-2", "app", Whose.OTHERS),
        ("/", "app", Whose.OTHERS),
        (str(CARDS), "a-group", Whose.OTHERS),
    ],
)
def test_a_role_is_taken_where_it_was_given_for_this_alone(scope: str, principal: str, whose: Whose) -> None:
    assignment = RoleAssignment("/roles/r", scope, "/assignments/1", principal)
    (found,) = roles_left(CARDS, str(CARDS), [assignment], {"/roles/r": "Reader"}, "app")

    assert found.whose is whose
    assert found.command == ("az role assignment delete --ids /assignments/1" if whose is Whose.OURS else None)


def looked(azure: FakeSurroundings, principal: str = "app") -> list[Leftover]:
    return list(leftovers(LITWARE, Looks(RULES, azure, principal, App(HOST), NOW)))


def test_what_is_there_is_found_by_looking() -> None:
    assert told(looked(FakeSurroundings(RULES))) == [
        ("container dead of storage account storage, unless it keeps more than dead letters", Whose.OURS),
        ("event subscription fanout", Whose.OURS),
        ("role Owner of the app's identity on everything", Whose.OTHERS),
    ]


def test_a_role_whose_name_cannot_be_seen_is_told_by_its_id() -> None:
    azure = FakeSurroundings(RULES)
    azure.failing["role"] = Permanent("forbidden", "not you", Owner.PROVIDER, "")

    assert ("role owner of the app's identity on everything", Whose.OTHERS) in told(looked(azure))


@pytest.mark.parametrize("call", ["system_topics", "event_subscriptions"])
@pytest.mark.parametrize("error", [Unavailable("no answer"), Permanent("forbidden", "not you", Owner.PROVIDER, "")], ids=type)
def test_event_subscriptions_that_cannot_be_looked_at_are_named_as_they_would_be(call: str, error: Exception) -> None:
    azure = FakeSurroundings(RULES)
    azure.failing[call] = error

    found = [each for each in looked(azure) if each.whose is Whose.UNSEEN]

    assert [each.what for each in found] == ["container fanout-dead-letters", "event subscription fanout"]
    assert {"--system-topic-name", "<system topic>", "--subscription", "s1", "rg-cards"} <= set(options(found[1].command))
    assert all(str(error) in each.why for each in found)


@pytest.mark.parametrize("failing", [{"role_assignments": Unavailable("no answer")}, {"workspace": Unavailable("no answer")}, {}])
def test_roles_that_cannot_be_looked_at_are_named_as_they_would_be(failing: dict[str, Any]) -> None:
    azure = FakeSurroundings(RULES)
    azure.failing |= failing

    found = [each for each in looked(azure, "app" if failing else "") if each.whose is Whose.UNSEEN]

    assert options(found[0].command)[-1] == str(CARDS)
    assert ("app" if failing else "<FANOUT_PRINCIPAL_ID>") in options(found[0].command)


@pytest.mark.parametrize("sees_the_azure_subscription", [True, False])
def test_of_a_workspace_that_is_deleted_no_role_is_left(sees_the_azure_subscription: bool) -> None:
    azure = FakeSurroundings(RULES)
    azure.failing = {"workspace": NotFound("no such workspace"), "event_subscriptions": Unavailable("no answer")}
    if not sees_the_azure_subscription:
        azure.failing["azure_subscription"] = NotFound("no such subscription")

    found = looked(azure)

    assert any(each.what.startswith("roles") for each in found) is not sees_the_azure_subscription
    assert any("its id in the rules is wrong" in each.why for each in found) is sees_the_azure_subscription
