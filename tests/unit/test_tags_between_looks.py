"""Tags that change when the reconciler does not look: before its first look at a version, or while nobody asks for tags."""

from shared.actions import Register
from shared.assets import Kind
from shared.reconciling import What
from shared.tenants import Subscription, Tenant, TenantState
from tests.fakes import World
from tests.unit.reconcile_world import (
    PRODUCTION,
    appears,
    delivered,
    every,
    passed_through,
    publishing,
    reconciled,
    tagged,
    time_passes,
    whats,
    with_rules,
)
from tests.unit.test_reconcile_publications import ALL, VAULTED, paused, with_publications, world_with
from tests.unit.world import a_world, credit_card, register, subscriber, workspace

IN_PRODUCTION, WITHDRAWN = {"stage": "production"}, {"stage": "withdrawn"}
LIVE = Subscription("live", ("northwind",), (every(Kind.MODEL, PRODUCTION),), workspace("adventure"), (Register(),))
ADVENTURE = Tenant("adventure", TenantState.ACTIVE, (workspace("adventure"),), subscriptions=(LIVE,))
FABRIKAM = subscriber("fabrikam", Register())


def lets_out_what_is_in_production(world: World) -> None:
    with_rules(world, publishing(world.rules.rules.tenants["northwind"], every(Kind.MODEL, PRODUCTION)))


def shared_by_its_event(world: World, tags: dict[str, str]) -> None:
    reconciled(world)
    appears(world, credit_card(), tags=tags)
    register(world, credit_card())
    world.run()


def test_given_a_tag_that_comes_right_after_the_event_when_reconciled_then_who_wants_it_gets_the_version() -> None:
    world = a_world(ADVENTURE)
    shared_by_its_event(world, {})

    tagged(world, credit_card(), IN_PRODUCTION)
    reconciled(world)

    assert delivered(world) == {("adventure", "1")}
    assert reconciled(world, times=2) == []


def test_given_a_tag_that_is_lost_right_after_the_event_when_reconciled_then_nobody_else_gets_the_version() -> None:
    world = a_world()
    lets_out_what_is_in_production(world)
    shared_by_its_event(world, IN_PRODUCTION)

    tagged(world, credit_card(), WITHDRAWN)
    reconciled(world)
    with_rules(world, FABRIKAM)
    reconciled(world, times=2)

    assert delivered(world) == set()


def test_given_a_tag_that_was_lost_when_a_publication_comes_to_ask_for_it_then_nobody_gets_the_version() -> None:
    world = a_world()
    shared_by_its_event(world, IN_PRODUCTION)
    reconciled(world)

    tagged(world, credit_card(), WITHDRAWN)
    reconciled(world)
    lets_out_what_is_in_production(world)
    with_rules(world, FABRIKAM)
    reconciled(world, times=2)

    assert delivered(world) == set()


def test_given_a_tag_that_came_when_a_subscription_comes_to_ask_for_it_then_it_gets_the_version() -> None:
    world = a_world()
    shared_by_its_event(world, {})
    reconciled(world)

    tagged(world, credit_card(), IN_PRODUCTION)
    assert reconciled(world) == []
    with_rules(world, ADVENTURE)
    reconciled(world)

    assert delivered(world) == {("adventure", "1")}
    assert reconciled(world, times=2) == []


def test_given_a_tag_that_comes_while_a_publication_is_paused_when_that_is_resumed_then_who_wants_it_there_gets_the_version() -> (
    None
):
    world = world_with(ALL, VAULTED)
    shared_by_its_event(world, {})
    with_publications(world, ALL, paused(VAULTED))
    with_rules(world, ADVENTURE)
    tagged(world, credit_card(), IN_PRODUCTION)
    reconciled(world)

    with_publications(world, VAULTED)
    reconciled(world, times=2)

    assert {row.registry for row in world.rows.closed.values() if row.tenant == "adventure"} == {"hub", "vault"}


def test_given_a_share_by_new_tags_that_was_rejected_when_somebody_reconciles_then_it_is_asked_for_again() -> None:
    world = a_world(ADVENTURE)
    shared_by_its_event(world, {})
    reconciled(world)
    tagged(world, credit_card(), IN_PRODUCTION)
    time_passes(world)
    assert whats(passed_through(world)) == [(What.RETAGGED, "northwind", "1")]
    world.queues.due.clear()
    assert reconciled(world, times=2) == []

    assert whats(passed_through(world)) == [(What.RETAGGED, "northwind", "1")]
    world.run()

    assert delivered(world) == {("adventure", "1")}
    assert passed_through(world) == []
