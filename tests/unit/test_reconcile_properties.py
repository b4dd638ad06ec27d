"""What holds of the reconciler whatever was lost, wherever it died, and whoever else was at work."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers import reconcile_pass
from handlers.reconcile_round import Bounds
from shared.actions import Register
from shared.assets import Asset, Kind
from shared.errors import Lost
from shared.reconciling import Finding
from tests.fakes import Crash, World
from tests.saboteur import sabotage
from tests.unit.reconcile_world import (
    PRODUCTION,
    appears,
    delivered,
    every,
    publishing,
    reconciled,
    shared,
    time_passes,
    with_rules,
)
from tests.unit.world import CARDS, a_world, credit_card, register, subscriber


@dataclass(frozen=True)
class Registration:
    name: str
    in_production: bool
    heard: bool
    then_reconciled: bool


registrations = st.lists(
    st.builds(Registration, st.sampled_from(["credit", "fraud"]), st.booleans(), st.booleans(), st.booleans()), max_size=12
)


def a_quiet_world() -> World:
    """Two subscribers of a publisher that lets out what is in production; nothing was registered yet."""
    world = a_world(subscriber("adventure", Register()), subscriber("fabrikam", Register(), CARDS))
    with_rules(world, publishing(world.rules.rules.tenants["northwind"], every(Kind.MODEL, PRODUCTION)))
    reconciled(world)
    return world


def played(story: list[Registration], *, all_heard: bool) -> World:
    world = a_quiet_world()
    for number, each in enumerate(story, 1):
        asset = Asset(Kind.MODEL, each.name, str(number))
        appears(world, asset, tags={"stage": "production" if each.in_production else "trial"})
        if all_heard or each.heard:
            register(world, asset)
        if each.then_reconciled:
            reconciled(world, looks=2)
        elif all_heard:
            world.run()
    reconciled(world, times=3)
    return world


def outcome(world: World) -> tuple[set[str], set[tuple[str, str, str]]]:
    """The shares, and how each registering ended. At an endpoint an older version is superseded, or was live for a while."""
    registered = [row for row in world.rows.closed.values() if row.action == Register()]
    return shared(world), {(row.tenant, str(row.asset), str(row.state)) for row in registered}


@given(registrations)
@settings(max_examples=40, deadline=None)
def test_whatever_events_are_lost_the_rows_are_those_of_all_events(story: list[Registration]) -> None:
    with_losses, without = played(story, all_heard=False), played(story, all_heard=True)

    assert outcome(with_losses) == outcome(without)
    assert not with_losses.rows.deliveries
    assert not with_losses.queues.rejected


@given(registrations)
@settings(max_examples=20, deadline=None)
def test_a_run_after_all_is_done_finds_nothing_and_changes_nothing(story: list[Registration]) -> None:
    world = played(story, all_heard=False)
    effects, rows = list(world.azure.effects), dict(world.rows.closed)

    assert reconciled(world, times=2) == []
    assert (world.azure.effects, world.rows.closed) == (effects, rows)


def missed_world() -> World:
    world = a_world(subscriber("adventure", Register()))
    reconciled(world)
    for version in ("1", "2"):
        appears(world, credit_card(version))
    with_rules(world, subscriber("fabrikam", Register()))
    return world


def calls_of_a_run() -> int:
    world = missed_world()
    saboteur = sabotage(world)
    reconcile_pass.handle(world)
    return saboteur.calls


CALLS = calls_of_a_run()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, CALLS + 1))
def test_a_run_that_dies_at_any_call_is_made_good_by_the_next(number: int, moment: str) -> None:
    world = missed_world()
    saboteur = sabotage(world)
    getattr(saboteur, moment).add(number)
    time_passes(world)
    with suppress(Crash):
        reconcile_pass.handle(world)

    reconciled(world, times=2)

    assert delivered(world) == {(tenant, version) for tenant in ("adventure", "fabrikam") for version in ("1", "2")}


def test_given_a_run_that_was_thought_dead_when_another_took_over_then_it_gives_way_and_all_is_done_once() -> None:
    world = missed_world()
    time_passes(world)
    others: list[Finding] = []

    def slept_too_long(_finding: Finding) -> None:
        if not others:
            world.clock.time += reconcile_pass.TURN + timedelta(seconds=1)
            reconcile_pass.run(world, others.append, Bounds(world.clock.now() + timedelta(minutes=1), 1_000))

    with pytest.raises(Lost):
        reconcile_pass.run(world, slept_too_long, Bounds(world.clock.now() + timedelta(hours=1), 1_000))
    world.run()

    assert others
    assert delivered(world) == {(tenant, version) for tenant in ("adventure", "fabrikam") for version in ("1", "2")}
    assert len([effect for effect in world.azure.effects if effect.startswith("import")]) == 2
