"""What publishers registered, and nobody heard of, is found and shared; and nothing else is."""

from dataclasses import replace

import pytest

from handlers import reconcile_pass
from shared.actions import Register
from shared.assets import Asset, Kind
from shared.errors import Unavailable
from shared.reconciling import What
from shared.tenants import AssetPattern, Subscription, Tenant, TenantState
from tests.fakes import World
from tests.unit.reconcile_world import (
    PRODUCTION,
    appears,
    delivered,
    every,
    previewed,
    publishing,
    reconciled,
    shared,
    tagged,
    time_passes,
    with_rules,
)
from tests.unit.world import EVERY_MODEL, PUBLISHER, a_world, credit_card, register, subscriber, workspace

OTHERS = [Kind.DATA, Kind.ENVIRONMENT]


def watched_world(*tenants: Tenant) -> World:
    """The reconciler has been by, when nothing was registered yet."""
    world = a_world(*(tenants or (subscriber("adventure", Register()),)))
    reconciled(world)
    return world


def northwind(world: World) -> Tenant:
    return world.rules.rules.tenants["northwind"]


def test_given_models_whose_events_never_came_when_reconciled_then_all_of_them_are_delivered() -> None:
    world = watched_world()
    for version in ("1", "2", "3"):
        appears(world, credit_card(version))

    found = reconciled(world)

    assert [(each.what, each.asset, each.healed_by) for each in found] == [
        (What.UNSHARED, f"model credit-card:{version}", "share") for version in ("1", "2", "3")
    ]
    assert delivered(world) == {("adventure", "1"), ("adventure", "2"), ("adventure", "3")}


def test_given_models_whose_events_came_when_reconciled_then_nothing_is_found_nor_done() -> None:
    world = watched_world()
    register(world, credit_card())
    world.run()
    before = list(world.azure.effects)

    assert reconciled(world, times=3) == []
    assert world.azure.effects == before


@pytest.mark.parametrize("kind", OTHERS)
def test_given_a_kind_that_raises_no_event_when_reconciled_then_it_is_delivered(kind: Kind) -> None:
    asset, there = Asset(kind, "cards", "1"), workspace("adventure")
    wish = Subscription("all", ("northwind",), (every(kind),), there, (Register(),))
    world = watched_world(Tenant("adventure", TenantState.ACTIVE, (there,), subscriptions=(wish,)))
    with_rules(world, publishing(northwind(world), every(kind)))
    reconciled(world)
    appears(world, asset, uri="" if kind is Kind.ENVIRONMENT else None)

    reconciled(world)

    assert (there, asset) in world.azure.assets


def test_given_history_from_before_the_publication_when_reconciled_then_only_its_newest_version_is_shared() -> None:
    world = a_world(subscriber("adventure", Register()))
    for version in ("1", "2", "3"):
        appears(world, credit_card(version))

    reconciled(world)

    assert shared(world) == {"credit-card:3"}


def test_given_a_publication_that_came_later_when_reconciled_then_what_it_lets_out_now_is_shared() -> None:
    world = watched_world()
    with_rules(world, publishing(northwind(world), AssetPattern(Kind.MODEL, "fraud-*")))
    appears(world, credit_card("1"))
    appears(world, credit_card("2"))
    assert reconciled(world) == []

    with_rules(world, publishing(northwind(world), *EVERY_MODEL))
    reconciled(world)

    assert shared(world) == {"credit-card:2"}  # the newest that stood there


def test_given_a_tenant_that_was_paused_when_it_is_resumed_then_what_it_registered_meanwhile_is_shared() -> None:
    world = watched_world()
    with_rules(world, replace(northwind(world), state=TenantState.PAUSED))
    reconciled(world)
    appears(world, credit_card("1"))
    appears(world, credit_card("2"))
    assert reconciled(world) == []

    with_rules(world, replace(northwind(world), state=TenantState.ACTIVE))
    reconciled(world)

    assert shared(world) == {"credit-card:1", "credit-card:2"}


def test_given_a_share_that_was_refused_since_its_tenant_was_paused_when_it_is_resumed_then_it_is_asked_for_again() -> None:
    world = watched_world()
    appears(world, credit_card())
    time_passes(world)
    reconcile_pass.handle(world)
    with_rules(world, replace(northwind(world), state=TenantState.PAUSED))
    world.run()
    assert [message.properties["fanout_code"] for message in world.queues.rejected] == ["tenant_paused"]

    with_rules(world, replace(northwind(world), state=TenantState.ACTIVE))
    reconciled(world)

    assert shared(world) == {"credit-card:1"}


def test_given_a_version_that_gets_its_tags_later_when_reconciled_then_it_is_shared_and_no_other() -> None:
    world = watched_world()
    with_rules(world, publishing(northwind(world), every(Kind.MODEL, PRODUCTION)))
    for version in ("1", "2", "3"):
        appears(world, credit_card(version))
    assert reconciled(world) == []

    tagged(world, credit_card("2"), {"stage": "production"})
    reconciled(world, times=2)

    assert shared(world) == {"credit-card:2"}


def test_given_a_shared_version_that_gets_the_tags_of_a_subscription_later_when_reconciled_then_it_is_delivered() -> None:
    wish = Subscription("live", ("northwind",), (every(Kind.MODEL, PRODUCTION),), workspace("adventure"), (Register(),))
    world = watched_world(Tenant("adventure", TenantState.ACTIVE, (workspace("adventure"),), subscriptions=(wish,)))
    for version in ("1", "2", "3"):
        appears(world, credit_card(version))
    reconciled(world)
    assert delivered(world) == set()

    tagged(world, credit_card("2"), {"stage": "production"})
    (finding,) = reconciled(world)

    assert (finding.what, finding.healed_by) == (What.RETAGGED, "share")
    assert delivered(world) == {("adventure", "2")}
    assert world.azure.registry["hub", credit_card("2")].tags["stage"] == "production"
    assert reconciled(world, times=2) == []


def test_given_a_delivered_version_that_loses_the_tag_of_its_subscription_when_reconciled_then_its_delivery_is_shown() -> None:
    wish = Subscription("live", ("northwind",), (every(Kind.MODEL, PRODUCTION),), workspace("adventure"), (Register(),))
    world = watched_world(Tenant("adventure", TenantState.ACTIVE, (workspace("adventure"),), subscriptions=(wish,)))
    appears(world, credit_card(), tags={"stage": "production", "team": "cards"})
    reconciled(world)
    there = world.azure.registry["hub", credit_card()]
    world.azure.registry["hub", credit_card()] = replace(there, tags={**there.tags, "approved": "by the provider"})

    tagged(world, credit_card(), {"team": "cards"})
    (finding, *_) = reconciled(world)
    (shown,) = reconciled(world)

    assert (finding.what, shown.what, shown.tenant) == (What.RETAGGED, What.NOT_ALLOWED, "adventure")
    tags = world.azure.registry["hub", credit_card()].tags
    assert tags.keys() == {"team", "approved", "fanout_share", "fanout_origin", "fanout_registry_id"}
    assert reconciled(world, times=2) == [shown, shown]


def test_given_tags_that_were_copied_from_another_asset_of_ours_when_it_is_shared_again_then_its_own_stay() -> None:
    world = watched_world()
    appears(world, credit_card(), tags={"fanout_origin": "azureml://elsewhere", "team": "cards"})
    reconciled(world)
    before = world.azure.registry["hub", credit_card()].tags

    register(world, credit_card(), message_id="again")
    world.run()

    assert world.azure.registry["hub", credit_card()].tags == before
    assert before["fanout_origin"] != "azureml://elsewhere"


def test_given_tags_that_change_minutes_after_the_share_when_reconciled_then_the_queue_takes_it_for_no_repetition() -> None:
    wish = Subscription("live", ("northwind",), (every(Kind.MODEL, PRODUCTION),), workspace("adventure"), (Register(),))
    world = watched_world(Tenant("adventure", TenantState.ACTIVE, (workspace("adventure"),), subscriptions=(wish,)))
    appears(world, credit_card())
    reconcile_pass.handle(world)
    world.run()

    tagged(world, credit_card(), {"stage": "production"})
    reconcile_pass.handle(world)
    world.run()

    assert delivered(world) == {("adventure", "1")}


def test_given_tags_that_nobody_asks_for_when_they_change_then_nothing_is_done() -> None:
    world = watched_world()
    appears(world, credit_card())
    reconciled(world)

    tagged(world, credit_card(), {"seen_by": "ada"})

    assert reconciled(world, times=2) == []


def test_given_a_delivered_model_when_the_receiver_publishes_too_then_it_is_not_shared_back() -> None:
    both = replace(subscriber("adventure", Register()), publications=publishing(subscriber("adventure"), *EVERY_MODEL).publications)
    world = watched_world(both)
    register(world, credit_card())
    world.run()

    assert reconciled(world, times=2) == []
    assert shared(world) == {"credit-card:1"}


def test_given_a_model_that_was_pulled_by_hand_when_reconciled_then_it_is_not_shared_back() -> None:
    world = watched_world()
    appears(world, credit_card(), uri="azureml://registries/hub/models/credit-card/versions/1")

    assert reconciled(world) == []


def test_given_a_workspace_that_does_not_answer_when_reconciled_then_it_is_told_and_the_next_run_finds_what_is_there() -> None:
    world = watched_world()
    appears(world, credit_card())
    world.azure.failing["names"] = Unavailable("timed out")

    (finding,) = reconciled(world)
    reconciled(world)

    assert (finding.what, finding.workspace) == (What.UNREACHABLE, PUBLISHER.name)
    assert delivered(world) == {("adventure", "1")}


def test_given_a_dry_run_when_models_were_missed_then_they_are_shown_and_nothing_is_sent_nor_written() -> None:
    world = watched_world()
    appears(world, credit_card())
    time_passes(world)
    accepted, writes = world.queues.accepted, world.reconciling.writes

    (finding,) = previewed(world)

    assert (finding.what, finding.tenant, finding.healed_by) == (What.UNSHARED, "northwind", "share")
    assert (world.queues.accepted, world.reconciling.writes) == (accepted, writes)


def test_given_more_names_than_one_run_may_look_at_when_runs_follow_then_all_are_found() -> None:
    world = watched_world()
    names = [f"card-{number}" for number in range(7)]
    for name in names:
        appears(world, Asset(Kind.MODEL, name, "1"))

    reconciled(world, times=12, looks=2)

    assert shared(world) == {f"{name}:1" for name in names}
