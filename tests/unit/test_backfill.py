"""What a backfill finds missing for a subscription, and asks for."""

from dataclasses import replace

import pytest

from handlers.backfill import backfill_of
from handlers.reconcile_round import boundless
from shared.actions import Register
from shared.errors import Permanent
from shared.reconciling import Finding
from shared.tenants import RuleState, TenantState
from tests.fakes import World
from tests.unit.reconcile_world import delivered, with_rules
from tests.unit.world import CARDS, a_world, credit_card, register, subscriber, workspace

FABRIKAM = subscriber("fabrikam", Register())


def world_with_history() -> World:
    """Three versions were shared before fabrikam subscribed."""
    world = a_world()
    for version in ("1", "2", "3"):
        register(world, credit_card(version))
    world.run()
    with_rules(world, FABRIKAM)
    return world


def backfilled(world: World, subscription: str = "all", *, all_versions: bool = False, dry_run: bool = False) -> list[Finding]:
    found: list[Finding] = []
    round_ = boundless(world, found.append, dry_run=dry_run)
    backfill_of("fabrikam", subscription, round_.rules, all_versions=all_versions).find(round_)
    for batch in round_.batches():
        round_.deliver(batch)
    world.run()
    return found


@pytest.mark.parametrize(("all_versions", "arrive"), [(False, {"3"}), (True, {"1", "2", "3"})])
def test_given_history_when_backfilled_then_the_newest_arrives_or_all(all_versions: bool, arrive: set[str]) -> None:
    world = world_with_history()

    backfilled(world, all_versions=all_versions)

    assert delivered(world) == {("fabrikam", version) for version in arrive}


def test_given_versions_that_came_to_the_registry_in_another_order_when_backfilled_then_the_newest_arrives() -> None:
    world = a_world()
    for version in ("2", "1"):
        register(world, credit_card(version))
        world.run()
    with_rules(world, FABRIKAM)

    backfilled(world)

    assert delivered(world) == {("fabrikam", "2")}


def test_given_a_dry_run_when_backfilled_then_all_is_shown_and_nothing_sent() -> None:
    world = world_with_history()

    found = backfilled(world, all_versions=True, dry_run=True)

    assert [each.asset for each in found] == [f"model credit-card:{version}" for version in ("3", "2", "1")]
    assert delivered(world) == set()


def test_given_a_backfill_that_was_done_when_backfilled_again_then_nothing_is_missing() -> None:
    world = world_with_history()
    backfilled(world, all_versions=True)

    assert backfilled(world, all_versions=True) == []


def test_given_another_subscription_of_the_tenant_when_backfilled_then_that_one_gets_nothing() -> None:
    world = world_with_history()
    other = replace(FABRIKAM.subscriptions[0], name="live", actions=(CARDS,))
    with_rules(world, replace(FABRIKAM, subscriptions=(*FABRIKAM.subscriptions, other)))

    backfilled(world)

    assert {row.subscription for row in world.rows.closed.values()} == {"all"}


def test_given_another_workspace_of_the_tenant_when_backfilled_then_nothing_goes_there() -> None:
    world = world_with_history()
    live = workspace("live")
    other = replace(FABRIKAM.subscriptions[0], name="live", into=live)
    with_rules(world, replace(FABRIKAM, workspaces=(*FABRIKAM.workspaces, live), subscriptions=(*FABRIKAM.subscriptions, other)))

    backfilled(world, all_versions=True)

    assert {row.workspace.name for row in world.rows.closed.values()} == {"fabrikam"}


@pytest.mark.parametrize("subscription", ["all", "live"])
def test_given_two_subscriptions_to_the_same_target_when_either_is_backfilled_then_it_arrives(subscription: str) -> None:
    world = world_with_history()
    both = (*FABRIKAM.subscriptions, replace(FABRIKAM.subscriptions[0], name="live"))
    with_rules(world, replace(FABRIKAM, subscriptions=both))

    backfilled(world, subscription, all_versions=True)

    assert delivered(world) == {("fabrikam", version) for version in ("1", "2", "3")}


def test_given_a_publisher_that_keeps_it_back_when_backfilled_then_the_pause_is_told_and_nothing_is_asked_for() -> None:
    world = world_with_history()
    northwind = world.rules.rules.tenants["northwind"]
    with_rules(world, replace(northwind, publications=(replace(northwind.publications[0], state=RuleState.PAUSED),)))
    round_ = boundless(world, lambda _finding: None, dry_run=False)

    pauses = backfill_of("fabrikam", "all", round_.rules, all_versions=False).find(round_)

    assert pauses == {"publication all of northwind is paused"}
    assert round_.batches() == []


@pytest.mark.parametrize(
    ("tenant", "subscription", "code"),
    [
        ("nobody", "all", "unknown_tenant"),
        ("fabrikam", "none", "unknown_subscription"),
        ("paused", "all", "tenant_paused"),
        ("tailwind", "all", "subscription_paused"),
    ],
)
def test_given_what_brings_nothing_when_asked_for_then_it_says_why(tenant: str, subscription: str, code: str) -> None:
    resting = replace(FABRIKAM.subscriptions[0], state=RuleState.PAUSED)
    tailwind = replace(subscriber("tailwind", Register()), subscriptions=(resting,))
    world = a_world(FABRIKAM, tailwind, subscriber("paused", Register(), state=TenantState.PAUSED))

    with pytest.raises(Permanent) as refused:
        backfill_of(tenant, subscription, world.rules.rules, all_versions=False)

    assert refused.value.reason.code == code
    assert refused.value.reason.remedy
