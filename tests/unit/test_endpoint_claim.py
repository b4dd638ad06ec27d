"""Who may change an endpoint: one delivery at a time, the newest in the end, and whoever has to undo its own work in turn."""

from dataclasses import replace

import pytest

from handlers import endpoint_claim
from handlers.endpoint_claim import Standing
from handlers.turns import Turn
from shared.actions import BatchEndpoint, Endpoint, Register
from shared.endpoints import Deployment, deployment_name, deployment_tags
from shared.rows import DeliveryRow
from shared.states import DeliveryState, is_final
from tests.fakes import World
from tests.unit.example_rows import A_DELIVERY
from tests.unit.world import CARDS, a_world, credit_card, workspace


def a_delivery(world: World, version: str, state: DeliveryState = DeliveryState.RUNNING, action: Endpoint = CARDS) -> DeliveryRow:
    """Of version 1 to 9, open or closed as its state says."""
    asset = credit_card(version)
    at = DeliveryRow.address_of(asset, "hub", workspace("fabrikam"), action.route)
    row = replace(
        A_DELIVERY, asset=asset, partition=at.partition, row=at.row, action=action, state=state, rank=f"2026-03-0{version}"
    )
    row = replace(row, etag=f"first-{version}")
    (world.rows.closed if is_final(state) and not row.untold else world.rows.deliveries)[row.address] = row
    return row


def claim(world: World, row: DeliveryRow) -> Standing:
    assert not isinstance(row.action, Register)
    return endpoint_claim.claim(Turn(row, 1, world), row.action)


def take(world: World, row: DeliveryRow) -> bool:
    return endpoint_claim.take(Turn(row, 1, world), CARDS)


def becomes(world: World, row: DeliveryRow, state: DeliveryState, *, untold: bool = False) -> None:
    world.rows.deliveries.pop(row.address)
    (world.rows.deliveries if untold else world.rows.closed)[row.address] = replace(row, state=state, untold=untold)


def test_the_first_to_come_has_it_until_its_delivery_ends() -> None:
    world = a_world()
    one, two = a_delivery(world, "1"), a_delivery(world, "2")
    assert claim(world, one) is Standing.MINE
    assert claim(world, two) is Standing.OTHERS
    assert claim(world, one) is Standing.MINE
    becomes(world, one, DeliveryState.DELIVERED)
    assert claim(world, two) is Standing.MINE


def test_a_delivery_that_ended_and_has_only_to_be_told_of_has_no_claim() -> None:
    world = a_world()
    one, two = a_delivery(world, "1"), a_delivery(world, "2")
    claim(world, one)
    becomes(world, one, DeliveryState.DELIVERED, untold=True)
    assert claim(world, two) is Standing.MINE


@pytest.mark.parametrize(
    ("newer", "expected"),
    [
        (DeliveryState.RUNNING, Standing.OTHERS),
        (DeliveryState.DELIVERED, Standing.SUPERSEDED),
        (DeliveryState.SUPERSEDED, Standing.SUPERSEDED),
        (DeliveryState.FAILED, Standing.MINE),
        (DeliveryState.CANCELLED, Standing.MINE),
        (DeliveryState.RECALLED, Standing.MINE),
    ],
)
def test_an_older_version_gives_way_to_a_newer_one_unless_that_came_to_nothing(newer: DeliveryState, expected: Standing) -> None:
    world = a_world()
    one, two = a_delivery(world, "1"), a_delivery(world, "2")
    claim(world, two)
    if newer is not DeliveryState.RUNNING:
        becomes(world, two, newer)
    assert claim(world, one) is expected


def test_whoever_takes_it_to_undo_its_work_waits_for_its_turn_and_does_not_become_the_wanted_one() -> None:
    world = a_world()
    one, two = a_delivery(world, "1"), a_delivery(world, "2")
    claim(world, two)
    assert not take(world, one)
    becomes(world, two, DeliveryState.DELIVERED)
    assert take(world, one)
    assert claim(world, one) is Standing.SUPERSEDED


def test_what_is_restored_becomes_the_wanted_one_again() -> None:
    world = a_world()
    one, two, three = (a_delivery(world, version) for version in "123")
    for row in (one, two):
        claim(world, row)
        becomes(world, row, DeliveryState.DELIVERED)
    claim(world, three)
    restored = Deployment(deployment_name(two.asset, str(two.address)), "succeeded", deployment_tags(two))
    endpoint_claim.release(Turn(three, 1, world), CARDS, restored)
    becomes(world, three, DeliveryState.RECALLED)
    again = replace(one, state=DeliveryState.PLANNED)
    assert claim(world, again) is Standing.SUPERSEDED
    (target,) = world.rows.targets.values()
    assert (target.desired, target.rank, target.claimant) == (two.address, two.rank, None)


def test_an_online_and_a_batch_endpoint_of_one_name_are_two() -> None:
    world = a_world()
    online, batch = a_delivery(world, "1"), a_delivery(world, "1", action=BatchEndpoint("cards", "cpu-cluster"))
    assert claim(world, online) is Standing.MINE
    assert claim(world, batch) is Standing.MINE
