"""What was delivered, and is gone, or is allowed no more: put back, or shown."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from handlers.reconcile_registries import NEWEST
from shared.actions import Register
from shared.assets import Asset, Kind
from shared.errors import Owner, Permanent
from shared.reconciling import Finding, What
from shared.tenants import Publication
from tests.fakes import World
from tests.unit.command_world import pull_of
from tests.unit.reconcile_world import (
    appears,
    delivered,
    delivered_world,
    every,
    holds,
    passed_through,
    previewed,
    publishing,
    reconciled,
    shared,
    whats,
    with_rules,
)
from tests.unit.test_command_flow import send
from tests.unit.world import CARDS, EVERY_MODEL, credit_card, register, subscriber, workspace

ADVENTURE, FABRIKAM = subscriber("adventure", Register()), subscriber("fabrikam", Register())


def test_given_an_asset_that_its_tenant_deleted_when_reconciled_then_it_is_registered_again() -> None:
    world = delivered_world()
    del world.azure.assets[workspace("adventure"), credit_card("3")]

    found = reconciled(world)

    assert whats(found) == [(What.GONE, "adventure", "3")]
    assert holds(world, workspace("adventure"), "3")
    assert reconciled(world) == []


def test_given_a_newest_version_that_failed_when_the_one_before_is_deleted_then_that_is_registered_again() -> None:
    world = delivered_world(versions=("1",))
    world.azure.failing["register"] = Permanent("forbidden", "no role", Owner.SUBSCRIBER, "assign it")
    register(world, credit_card("2"))
    world.run()
    del world.azure.assets[workspace("adventure"), credit_card("1")]

    reconciled(world)

    assert holds(world, workspace("adventure"), "1")


def test_given_an_asset_that_its_tenant_archived_when_reconciled_then_it_is_shown_and_stays_archived() -> None:
    world = delivered_world()
    world.workspaces.archive(workspace("adventure"), credit_card("3"))
    effects = list(world.azure.effects)

    (finding,) = reconciled(world)

    assert (finding.what, finding.healed_by) == (What.ARCHIVED, None)
    assert world.azure.effects == effects


def test_given_an_endpoint_that_its_tenant_deleted_when_reconciled_then_it_is_shown_and_not_paid_for_again() -> None:
    world = delivered_world(subscriber("adventure", CARDS), versions=("1",))
    world.azure.endpoints.clear()

    (finding,) = reconciled(world)

    assert (finding.what, finding.healed_by) == (What.REMOVED, None)
    assert world.azure.endpoints == {}


def test_given_a_delivery_that_is_allowed_no_more_when_previewed_then_it_is_shown_and_when_reconciled_then_not_recalled() -> None:
    world = delivered_world()
    with_rules(world, replace(ADVENTURE, subscriptions=()))

    shown = [each for each in previewed(world) if each.what is What.NOT_ALLOWED]
    reconciled(world)

    assert {each.asset for each in shown} == {f"model credit-card:{version}" for version in ("1", "2", "3")}
    assert holds(world, workspace("adventure"), "1", "2", "3")


@pytest.mark.parametrize("look", [previewed, passed_through])
def test_given_more_versions_than_the_newest_when_none_is_allowed_any_more_then_who_asks_is_shown_all(
    look: Callable[[World], list[Finding]],
) -> None:
    versions = tuple(str(number) for number in range(1, NEWEST + 4))
    world = delivered_world(versions=versions)
    northwind = world.rules.rules.tenants["northwind"]
    with_rules(world, replace(northwind, publications=(Publication("all", "hub", EVERY_MODEL, ("fabrikam",)),)))

    shown = [(each.asset, each.tenant) for each in look(world) if each.what is What.NOT_ALLOWED]

    assert sorted(shown) == sorted((f"model credit-card:{version}", "adventure") for version in versions)
    assert holds(world, workspace("adventure"), *versions)


def test_given_a_pull_that_is_allowed_no_more_when_previewed_then_it_is_shown() -> None:
    world = delivered_world(replace(ADVENTURE, subscriptions=()), versions=("1",))
    send(world, **pull_of("adventure"))
    northwind = world.rules.rules.tenants["northwind"]
    assert [each for each in previewed(world) if each.what is What.NOT_ALLOWED] == []

    with_rules(world, replace(northwind, publications=(Publication("all", "hub", EVERY_MODEL, ("fabrikam",)),)))

    assert [each.tenant for each in previewed(world) if each.what is What.NOT_ALLOWED] == ["adventure"]


def test_given_versions_that_served_at_an_endpoint_when_none_is_allowed_any_more_then_the_one_that_serves_is_shown() -> None:
    world = delivered_world(subscriber("adventure", CARDS), versions=())
    for version in ("1", "2", "3"):
        register(world, credit_card(version))
        world.run()
    assert len(delivered(world)) == 3
    with_rules(world, replace(ADVENTURE, subscriptions=()))

    shown = [each.asset for each in previewed(world) if each.what is What.NOT_ALLOWED]

    assert shown == ["model credit-card:3"]


def test_given_more_deliveries_than_one_run_may_look_at_when_runs_follow_then_all_drift_is_found() -> None:
    """Also that of names that come late in every run."""
    names = [f"tenant-{number}" for number in range(6)]
    world = delivered_world(*(subscriber(name, Register()) for name in names), versions=())
    assets = [Asset(Kind.MODEL, name, "1") for name in ("a-first", "z-last")]
    for asset in assets:
        register(world, asset)
    world.run()
    for name in names:
        for asset in assets:
            del world.azure.assets[workspace(name), asset]

    reconciled(world, times=200, drift=3)  # one of twelve is left out of all with a probability of 12 · 0.75^200

    assert all((workspace(name), asset) in world.azure.assets for name in names for asset in assets)


def test_given_many_deliveries_when_something_is_registered_that_raises_no_event_then_it_waits_for_no_look_at_these() -> None:
    world = delivered_world(*(subscriber(f"tenant-{number}", Register()) for number in range(30)), versions=())
    with_rules(world, publishing(world.rules.rules.tenants["northwind"], *map(every, Kind)))
    for name in "abcdefgh":
        register(world, Asset(Kind.MODEL, name, "1"))
    world.run()
    reconciled(world, times=3)

    for number in range(4):
        appears(world, Asset(Kind.DATA, f"rows-{number}", "1"))
        reconciled(world, times=3, looks=8, drift=1)
        assert f"rows-{number}:1" in shared(world)


def test_given_a_version_for_nobody_that_one_got_when_it_is_deleted_there_then_it_comes_back_and_goes_nowhere_else() -> None:
    world = delivered_world(versions=("1",))
    for address, share in world.rows.shares.items():
        world.rows.shares[address] = replace(share, fan_out=False)
    del world.azure.assets[workspace("adventure"), credit_card()]
    with_rules(world, FABRIKAM)

    reconciled(world, times=2)

    assert holds(world, workspace("adventure"), "1")
    assert delivered(world) == {("adventure", "1")}
