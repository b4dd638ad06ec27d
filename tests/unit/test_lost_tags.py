"""What loses the tags that let it out: nobody else gets it, and where it was delivered that is shown."""

from dataclasses import replace

from shared.actions import Register
from shared.assets import Kind
from shared.reconciling import What
from tests.fakes import World
from tests.unit.command_world import SHARE, before_call, dies, put
from tests.unit.reconcile_world import (
    PRODUCTION,
    appears,
    delivered,
    every,
    publishing,
    reconciled,
    tagged,
    time_passes,
    whats,
    with_rules,
)
from tests.unit.test_command_flow import rejected, send
from tests.unit.test_reconcile_publications import ALL, VAULTED, world_with
from tests.unit.world import a_world, credit_card, subscriber

ADVENTURE, FABRIKAM = subscriber("adventure", Register()), subscriber("fabrikam", Register())
WITHDRAWN = {"stage": "withdrawn"}


def in_production_alone() -> World:
    """Northwind lets out what is in production, and adventure has version 1."""
    world = a_world(ADVENTURE)
    with_rules(world, publishing(world.rules.rules.tenants["northwind"], every(Kind.MODEL, PRODUCTION)))
    reconciled(world)
    appears(world, credit_card(), tags={"stage": "production"})
    reconciled(world, times=2)
    assert delivered(world) == {("adventure", "1")}
    return world


def tags_in_plan(world: World, registry: str = "hub") -> str:
    return world.rows.plans[credit_card().key, registry].asset.tags["stage"]


def test_what_loses_the_tag_that_lets_it_out_goes_to_nobody_any_more() -> None:
    world = in_production_alone()
    tagged(world, credit_card(), WITHDRAWN)
    time_passes(world, 25 * 60)
    reconciled(world, times=2)
    with_rules(world, FABRIKAM)
    reconciled(world, times=2)
    assert delivered(world) == {("adventure", "1")}


def test_what_lost_the_tag_that_let_it_out_is_shown_where_it_was_delivered() -> None:
    world = in_production_alone()
    tagged(world, credit_card(), WITHDRAWN)
    found = whats(reconciled(world, times=3))
    assert found == [(What.RETAGGED, "northwind", "1"), (What.NOT_ALLOWED, "adventure", "1"), (What.NOT_ALLOWED, "adventure", "1")]


def test_what_gets_back_the_tag_that_lets_it_out_goes_to_who_subscribed_meanwhile() -> None:
    world = in_production_alone()
    tagged(world, credit_card(), WITHDRAWN)
    with_rules(world, FABRIKAM)
    reconciled(world, times=2)
    tagged(world, credit_card(), {"stage": "production"})
    reconciled(world, times=2)
    assert delivered(world) == {("adventure", "1"), ("fabrikam", "1")}


def test_what_never_had_the_tag_is_not_asked_for_when_it_gets_another() -> None:
    world = in_production_alone()
    appears(world, credit_card("2"), tags=WITHDRAWN)
    reconciled(world)
    tagged(world, credit_card("2"), {"stage": "trial"})
    assert reconciled(world) == []


def test_what_loses_the_tag_of_one_of_its_publications_leaves_by_the_other_alone() -> None:
    world = world_with(ALL, replace(VAULTED, assets=(every(Kind.MODEL, PRODUCTION),)))
    appears(world, credit_card(), tags={"stage": "production"})
    reconciled(world, times=2)
    tagged(world, credit_card(), WITHDRAWN)
    reconciled(world)
    with_rules(world, ADVENTURE)
    reconciled(world, times=2)
    assert [tags_in_plan(world, registry) for registry in ("hub", "vault")] == ["withdrawn", "withdrawn"]
    assert {row.registry for row in world.rows.closed.values()} == {"hub"}


def test_who_shares_what_lost_its_tag_is_told_that_it_is_private_and_nobody_else_gets_it() -> None:
    world = in_production_alone()
    tagged(world, credit_card(), WITHDRAWN)
    send(world, **SHARE)
    assert rejected(world) == "private"
    with_rules(world, FABRIKAM)
    reconciled(world, times=2)
    assert delivered(world) == {("adventure", "1")}


def test_a_tag_that_is_lost_is_not_overlooked_though_the_process_dies() -> None:
    world = in_production_alone()
    tagged(world, credit_card(), WITHDRAWN)
    put(world, **SHARE)
    before_call(world, "save_plan", dies)
    world.run()
    assert tags_in_plan(world) == "withdrawn"


def test_a_tag_that_is_lost_during_the_import_is_not_overlooked() -> None:
    world = in_production_alone()
    appears(world, credit_card("2"), tags={"stage": "production"})
    put(world, **{**SHARE, "asset": credit_card("2").document})
    world.run(stop=lambda: ("hub", credit_card("2")) in world.azure.registry)
    tagged(world, credit_card("2"), WITHDRAWN)
    put(world, **{**SHARE, "asset": credit_card("2").document})
    world.run()
    assert world.rows.plans[credit_card("2").key, "hub"].asset.tags["stage"] == "withdrawn"
