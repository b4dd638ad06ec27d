"""What is open is known to the timer at every moment: should its messages be lost just then, it comes to its end all the same."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers import reconcile, reconcile_pass
from shared.actions import Register
from shared.rows import Address, DeliveryRow, ShareRow, deliveries_of, is_done
from shared.states import DeliveryState, ShareState
from tests.fakes import FakeQueues, FakeRows, World
from tests.saboteur import sabotage
from tests.unit.command_world import PUSH, handle_now, tenants_that_have_it
from tests.unit.example_rows import A_DELIVERY
from tests.unit.test_command_flow import with_tenants
from tests.unit.test_crashes_of_every_kind import SCENES, Scene
from tests.unit.world import a_world, credit_card, register, subscriber


def unknown_to_the_timer(world: World) -> set[Address]:
    shares = {row.address for row in world.rows.shares.values() if not is_done(row)}
    deliveries = {deliveries_of(row.asset) for row in world.rows.deliveries.values()}
    return (shares | deliveries) - world.open_work.addresses


def calls_of(scene: Scene) -> int:
    world = scene()
    saboteur = sabotage(world)
    world.run()
    return saboteur.calls


def died_after(call: int, scene: Scene) -> World:
    world = scene()
    saboteur = sabotage(world)
    saboteur.after.add(call)
    world.run(stop=lambda: saboteur.calls >= call)
    return world


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_what_is_open_when_a_process_dies_is_known_to_the_timer(scene: Scene) -> None:
    for call in range(1, calls_of(scene) + 1):
        assert unknown_to_the_timer(died_after(call, scene)) == set(), f"after call {call}"


@pytest.mark.parametrize("count", [1, 1000, 1001, 2500])
def test_rows_that_stay_overdue_keep_no_other_from_being_nudged(count: int) -> None:
    world = a_world()
    rows = [replace(A_DELIVERY, row=f"{n:026}") for n in range(count)]
    world.rows.deliveries |= {row.address: row for row in rows}
    world.open_work.add(deliveries_of(A_DELIVERY.asset))
    for _ in range(3):
        world.clock.time += timedelta(minutes=10)
        reconcile.handle(world)
    nudged = {due.message.message_id.partition(":")[0] for due in world.queues.due}
    assert nudged == {str(row.address) for row in rows}


class OvertakenRows(FakeRows):
    """Another host acts as soon as a share is written as shared, before this one goes on."""

    meanwhile: Callable[[], None] | None = None

    def replace[R: ShareRow | DeliveryRow](self, row: R) -> R:
        written = super().replace(row)
        if written.state is ShareState.SHARED and self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return written


def test_a_share_that_is_pushed_at_the_moment_it_ends_is_known_to_the_timer() -> None:
    world = a_world(subscriber("adventure", Register()))
    rows = OvertakenRows()
    world.rows = world.open_work.rows = rows

    def is_pushed_and_its_wake_up_lost() -> None:
        with_tenants(world, subscriber("fabrikam", Register()))
        known, world.queues = world.queues, FakeQueues(world.clock)
        handle_now(world, **PUSH)
        world.queues = known

    rows.meanwhile = is_pushed_and_its_wake_up_lost
    register(world, credit_card())
    world.run()
    assert tenants_that_have_it(world) == {"adventure", "fabrikam"}


def said(caplog: pytest.LogCaptureFixture, what: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith(f"{what} ")]


def test_the_timer_says_how_old_the_oldest_delivery_is_that_nothing_holds_back(caplog: pytest.LogCaptureFixture) -> None:
    world = a_world()
    now = world.clock.now()
    ages = {DeliveryState.RUNNING: 5, DeliveryState.PLANNED: 7, DeliveryState.HELD: 90, DeliveryState.AWAITING_APPROVAL: 80}
    for number, (state, hours) in enumerate(ages.items()):
        row = replace(A_DELIVERY, row=f"{number:026}", state=state, created_at=now - timedelta(hours=hours), next_at=now)
        world.rows.deliveries[row.address] = row
    world.open_work.add(deliveries_of(A_DELIVERY.asset))
    with caplog.at_level(logging.INFO):
        reconcile.handle(world)
    assert said(caplog, "open work") == ["open work rows=4 oldest_minutes=420"]


def test_the_timer_speaks_each_time_it_comes_to_its_end(caplog: pytest.LogCaptureFixture) -> None:
    world = a_world()
    with caplog.at_level(logging.INFO):
        reconcile.handle(world)
        reconcile_pass.handle(world)
    assert said(caplog, "open work") == ["open work rows=0 oldest_minutes=0"]
    assert len(said(caplog, "reconciled")) == 1
