"""Deliveries of subscriptions that release within a window, from the publisher's registration on.

The world begins on Sunday, 1 March 2026, at 12:00 UTC; Adventure's window opens on Sundays at 01:00 in Berlin, for four hours.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers import reconcile, wakeups
from shared.actions import Action, BatchEndpoint, Mode, Register
from shared.actions import Endpoint as EndpointAction
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceId
from shared.errors import Transient
from shared.messages import Received, of_wake_up, to_wake_up
from shared.rows import DeliveryRow
from shared.rules import Rules
from shared.states import DeliveryState
from shared.tenants import AssetPattern, RuleState, TenantState, Window
from shared.wakeups import WakeUp
from tests.fake_azure import FakeAzure, FakeWorkspaces
from tests.fakes import FakeRules, World
from tests.unit.command_world import PUSH, RECALL, handle_now, tenants_that_have_it, with_tenant, without_tenant
from tests.unit.test_command_flow import the_delivery
from tests.unit.test_disturbances import with_publisher
from tests.unit.world import CARDS, a_world, credit_card, register, subscriber, workspace

ADVENTURE = workspace("adventure")
SUNDAY_NIGHT = Window("0 1 * * SUN", timedelta(hours=4), "Europe/Berlin")
OPENING = datetime(2026, 3, 8, 0, tzinfo=UTC)
IN_STEPS = replace(CARDS, traffic=(10, 50, 100))
ACTIONS: list[Action] = [Register(), CARDS, BatchEndpoint("nightly", "cpu")]


def windowed(window: Window | None, *actions: Action) -> dict[str, object]:
    """What changes of Adventure when its subscription releases in this window."""
    tenant = subscriber("adventure", *actions)
    return {"subscriptions": tuple(replace(each, window=window) for each in tenant.subscriptions)}


def a_windowed_world(*actions: Action, window: Window = SUNDAY_NIGHT) -> World:
    world = a_world(subscriber("adventure", *actions))
    with_tenant(world, "adventure", **windowed(window, *actions))
    return world


def run_until(world: World, time: datetime) -> None:
    world.run(time - world.clock.now())
    world.clock.time = time


def held_world(*actions: Action) -> World:
    """Version 1 is held since Sunday noon."""
    world = a_windowed_world(*(actions or (Register(),)))
    register(world, credit_card())
    world.run()
    assert the_delivery(world).state is DeliveryState.HELD
    return world


def deliveries(world: World) -> dict[str, DeliveryRow]:
    return {row.asset.version: row for row in (*world.rows.deliveries.values(), *world.rows.closed.values())}


def has_it(world: World) -> bool:
    return "adventure" in tenants_that_have_it(world)


# ---- until it opens, and then


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.route)
def test_outside_its_window_a_delivery_has_no_effect(action: Action) -> None:
    world = held_world(action)
    shared = list(world.azure.effects)
    run_until(world, OPENING - timedelta(seconds=1))
    assert (the_delivery(world).state, the_delivery(world).next_at) == (DeliveryState.HELD, OPENING)
    assert world.azure.effects == shared


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.route)
def test_it_is_delivered_as_the_window_opens(action: Action) -> None:
    world = held_world(action)
    run_until(world, OPENING + timedelta(hours=2))
    row = the_delivery(world)
    assert row.state is DeliveryState.DELIVERED
    assert all(attempt.at - OPENING < timedelta(minutes=10) for attempt in row.attempts[1:])


def test_a_delivery_that_is_planned_while_the_window_is_open_does_not_wait() -> None:
    world = a_windowed_world(Register(), window=Window("0 12 * * *", timedelta(hours=2), "UTC"))
    register(world, credit_card())
    world.run(timedelta(hours=1))
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_it_says_once_until_when_it_is_held() -> None:
    world = held_world()
    run_until(world, OPENING - timedelta(minutes=1))
    (noted,) = the_delivery(world).attempts
    assert noted.outcome == "held until 2026-03-08T00:00Z: subscription all releases in its window"


def test_nobody_looks_at_what_is_held_before_its_window_opens() -> None:
    world = held_world()
    looks, accepted = world.looks, world.queues.accepted
    run_until(world, OPENING - timedelta(minutes=16))
    assert (world.looks, world.queues.accepted) == (looks, accepted)
    run_until(world, OPENING - timedelta(seconds=1))
    assert world.looks == looks


def test_a_window_shorter_than_the_timers_period_is_not_missed() -> None:
    world = a_windowed_world(Register(), window=Window("2 1 * * SUN", timedelta(minutes=1), "Europe/Berlin"))
    register(world, credit_card())
    run_until(world, OPENING + timedelta(minutes=3))
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_a_window_that_opens_and_closes_between_two_runs_of_a_rare_timer_is_not_missed() -> None:
    """It runs each hour, on the hour."""
    world = a_windowed_world(Register(), window=Window("20 1 * * SUN", timedelta(minutes=30), "Europe/Berlin"))
    register(world, credit_card())
    world.run(timedelta(hours=1))
    world.clock.time = OPENING
    reconcile.handle(world, OPENING + timedelta(hours=1))
    (woken,) = world.queues.due
    assert woken.at == the_delivery(world).next_at == OPENING + timedelta(minutes=20)


def test_a_window_that_is_gone_before_a_rare_timer_runs_again_holds_nothing() -> None:
    world = held_world()
    world.clock.time = OPENING - timedelta(minutes=40)
    with_tenant(world, "adventure", **windowed(None, Register()))
    reconcile.handle(world, OPENING + timedelta(hours=1))
    assert [woken.at for woken in world.queues.due] == [world.clock.now()]


def test_a_lost_wake_up_is_healed_by_the_timer_without_further_delay() -> None:
    world = held_world()
    run_until(world, OPENING - timedelta(seconds=1))
    world.queues.due.clear()
    run_until(world, OPENING + timedelta(minutes=10, seconds=1))
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_what_comes_too_late_for_one_window_waits_for_the_next() -> None:
    world = held_world()
    world.clock.time = OPENING + timedelta(hours=5)  # nothing ran meanwhile
    world.run()
    assert the_delivery(world).next_at == OPENING + timedelta(days=7)
    assert not has_it(world)
    run_until(world, OPENING + timedelta(days=7, hours=1))
    assert has_it(world)


@pytest.mark.parametrize(
    ("start", "opening"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
    ids=["02:30 does not exist", "02:30 exists twice"],
)
def test_on_the_days_when_the_clocks_change_it_is_delivered_as_the_window_opens(start: datetime, opening: datetime) -> None:
    world = a_windowed_world(Register(), window=Window("30 2 * * *", timedelta(minutes=20), "Europe/Berlin"))
    world.clock.time = start
    register(world, credit_card())
    run_until(world, opening - timedelta(seconds=1))
    assert not has_it(world)
    run_until(world, opening + timedelta(minutes=1))
    assert has_it(world)


def test_where_it_is_open_twice_a_day_it_was_open_once() -> None:
    """The second 02:30 is no opening: what was registered in between waits for the next day."""
    world = a_windowed_world(Register(), window=Window("30 2 * * *", timedelta(minutes=20), "Europe/Berlin"))
    world.clock.time = datetime(2026, 10, 25, 1, tzinfo=UTC)
    register(world, credit_card())
    world.run(timedelta(hours=3))
    assert the_delivery(world).next_at == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


# ---- what has begun


def until_step(world: World, step: str) -> None:
    world.run(timedelta(days=30), stop=lambda: any(step in row.step for row in world.rows.deliveries.values()))
    assert any(step in row.step for row in world.rows.deliveries.values())


@pytest.mark.parametrize("step", ["endpoint", "deployment"])
def test_what_has_begun_goes_on_to_its_end_though_the_window_closes(step: str) -> None:
    world = held_world(IN_STEPS)
    until_step(world, step)
    with_tenant(world, "adventure", **windowed(Window("0 1 1 1 *", timedelta(minutes=1), "UTC"), IN_STEPS))
    world.run()
    assert deliveries(world)["1"].state is DeliveryState.DELIVERED


def test_the_steps_of_traffic_are_not_held_between_them() -> None:
    world = held_world(IN_STEPS)
    run_until(world, OPENING + timedelta(hours=2))
    register(world, credit_card("2"))
    until_step(world, "traffic 10")
    with_tenant(world, "adventure", **windowed(Window("0 1 1 1 *", timedelta(minutes=1), "UTC"), IN_STEPS))
    world.run()
    assert deliveries(world)["2"].state is DeliveryState.DELIVERED


def test_what_was_paused_half_way_goes_on_as_it_is_resumed() -> None:
    world = held_world(IN_STEPS)
    until_step(world, "deployment")
    with_tenant(world, "adventure", state=TenantState.PAUSED)
    run_until(world, OPENING + timedelta(hours=12))
    assert the_delivery(world).state is DeliveryState.HELD
    with_tenant(world, "adventure", state=TenantState.ACTIVE)
    run_until(world, OPENING + timedelta(hours=14))
    assert the_delivery(world).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("uncertain", [False, True], ids=["refused", "answer lost"])
@pytest.mark.parametrize(("action", "change"), [(Register(), "register"), (CARDS, "create endpoint")], ids=["register", "endpoint"])
def test_a_first_change_that_was_not_made_waits_for_the_next_opening(action: Action, change: str, uncertain: bool) -> None:
    """Nothing has begun by it, as a look shows."""
    world = a_windowed_world(action, window=replace(SUNDAY_NIGHT, open_for=timedelta(minutes=30)))
    world.azure.failing[change] = Transient("busy", retry_after=3600, uncertain=uncertain)
    register(world, credit_card())
    run_until(world, OPENING + timedelta(hours=2))
    assert (the_delivery(world).state, the_delivery(world).next_at) == (DeliveryState.HELD, OPENING + timedelta(days=7))
    run_until(world, OPENING + timedelta(days=7, hours=1))
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_one_that_is_held_after_all_lets_others_at_the_endpoint() -> None:
    world = a_windowed_world(CARDS, window=replace(SUNDAY_NIGHT, open_for=timedelta(minutes=30)))
    world.azure.failing["create endpoint"] = Transient("busy", retry_after=3600, uncertain=True)
    register(world, credit_card())
    run_until(world, OPENING + timedelta(hours=2))
    target = world.rows.target("adventure", ADVENTURE, CARDS.route)
    assert target is not None
    assert target.claimant is None


@pytest.mark.parametrize("action", [Register(), CARDS], ids=lambda action: action.route)
def test_a_first_change_that_was_made_though_its_answer_was_lost_goes_on(action: Action) -> None:
    world = a_windowed_world(action, window=replace(SUNDAY_NIGHT, open_for=timedelta(minutes=30)))
    world.use(AnswersLost(world.clock))
    register(world, credit_card())
    run_until(world, OPENING + timedelta(hours=3))
    assert the_delivery(world).state is DeliveryState.DELIVERED


class AnswersLost(FakeAzure):
    """It registers models and makes endpoints, and is not heard to say so."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.workspaces = _WorkspacesUnheard(self)

    def begin_endpoint(self, workspace: WorkspaceId, action: EndpointAction, tags: Mapping[str, str]) -> str | None:
        super().begin_endpoint(workspace, action, tags)
        raise Transient("timed out", retry_after=3600, uncertain=True)


class _WorkspacesUnheard(FakeWorkspaces):
    def register(self, workspace: WorkspaceId, asset: RegistryAsset, properties: Mapping[str, str]) -> None:
        super().register(workspace, asset, properties)
        raise Transient("timed out", retry_after=3600, uncertain=True)


def test_a_copy_goes_on_though_the_window_closes() -> None:
    copy = Register(Mode.COPY)
    world = held_world(copy)
    world.run(timedelta(days=30), stop=lambda: the_delivery(world).since is not None)
    assert the_delivery(world).state is DeliveryState.RUNNING
    with_tenant(world, "adventure", **windowed(Window("0 1 1 1 *", timedelta(minutes=1), "UTC"), copy))
    world.run()
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_a_wake_up_that_comes_a_little_early_does_not_come_again_at_once() -> None:
    world = held_world()
    world.clock.time = OPENING - timedelta(milliseconds=1)
    row = the_delivery(world)
    wake_up = of_wake_up(WakeUp.of(row.address, row.rev))
    wakeups.handle(Received(wake_up.body, wake_up.message_id, 99_999), world)
    assert the_delivery(world).next_at - world.clock.time > timedelta(seconds=0.5)


def test_one_that_failed_before_it_was_held_goes_as_soon_as_the_rules_let_it() -> None:
    world = a_windowed_world(Register(), window=replace(SUNDAY_NIGHT, open_for=timedelta(minutes=30)))
    world.azure.failing["register"] = Transient("busy", retry_after=3600)
    register(world, credit_card())
    run_until(world, OPENING + timedelta(hours=2))
    with_tenant(world, "adventure", **windowed(None, Register()))
    world.run(timedelta(minutes=6))
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_nobody_looks_again_and_again_where_another_subscription_holds_it_now() -> None:
    world = held_world()
    (wish,) = world.rules.rules.tenants["adventure"].subscriptions
    with_tenant(world, "adventure", subscriptions=(replace(wish, name="another"),))
    world.run(timedelta(hours=1))
    looks = world.looks
    world.run(timedelta(days=1))
    assert world.looks == looks
    assert the_delivery(world).subscription == "another"


@pytest.mark.parametrize(
    "change",
    [
        {"state": RuleState.PAUSED},
        {"assets": (AssetPattern(Kind.MODEL, "fraud-*"),)},
        {"assets": (AssetPattern(Kind.MODEL, "*", except_=("credit-*",)),)},
        {"from_tenants": ("southridge",)},
        {"into": workspace("elsewhere")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_another_subscription_wants_at_once_by_now_is_not_held(change: dict[str, Any]) -> None:
    world = held_world()
    (wish,) = world.rules.rules.tenants["adventure"].subscriptions
    another = replace(wish, name="another", window=None)
    with_tenant(world, "adventure", subscriptions=(replace(wish, **change), another))
    world.run(timedelta(minutes=6))
    assert (the_delivery(world).state, the_delivery(world).subscription) == (DeliveryState.DELIVERED, "another")


def test_what_azure_asked_to_leave_alone_is_not_woken_sooner_by_the_timer() -> None:
    world = held_world()
    world.azure.failing["register"] = Transient("busy", retry_after=3600)
    run_until(world, OPENING + timedelta(minutes=55))
    assert (the_delivery(world).state, the_delivery(world).failures) == (DeliveryState.HELD, 1)
    run_until(world, OPENING + timedelta(hours=2))
    assert the_delivery(world).state is DeliveryState.DELIVERED


# ---- rules and commands that come meanwhile


@pytest.mark.parametrize(
    "window",
    [None, Window("0 * * * *", timedelta(hours=1), "UTC"), Window("0 18 * * *", timedelta(hours=1), "UTC")],
    ids=["at once", "open now", "opens tonight"],
)
def test_a_changed_window_decides_as_it_is_today(window: Window | None) -> None:
    world = held_world()
    with_tenant(world, "adventure", **windowed(window, Register()))
    run_until(world, datetime(2026, 3, 1, 18, 5, 2, tzinfo=UTC))
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_a_window_that_opens_later_now_holds_it_longer() -> None:
    world = held_world()
    with_tenant(world, "adventure", **windowed(Window("0 1 9 * *", timedelta(hours=1), "UTC"), Register()))
    run_until(world, OPENING + timedelta(hours=1))
    assert the_delivery(world).next_at == datetime(2026, 3, 9, 1, tzinfo=UTC)
    assert not has_it(world)


@pytest.mark.parametrize(
    "change",
    [lambda world: with_tenant(world, "adventure", subscriptions=()), lambda world: without_tenant(world, "adventure")],
    ids=["unsubscribed", "gone"],
)
def test_one_that_is_not_wanted_any_more_is_cancelled_before_its_window_opens(change: Callable[[World], None]) -> None:
    world = held_world()
    change(world)
    world.run(timedelta(minutes=6))
    assert the_delivery(world).state is DeliveryState.CANCELLED


def test_a_paused_tenants_is_held_also_while_the_window_is_open() -> None:
    world = held_world()
    with_tenant(world, "adventure", state=TenantState.PAUSED)
    run_until(world, OPENING + timedelta(hours=3))
    assert [each.outcome for each in the_delivery(world).attempts][1:] == ["held: tenant adventure is paused"]
    with_tenant(world, "adventure", state=TenantState.ACTIVE)
    run_until(world, OPENING + timedelta(hours=3, minutes=20))
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_a_tenant_that_is_resumed_after_the_window_closed_waits_for_the_next() -> None:
    world = held_world()
    with_tenant(world, "adventure", state=TenantState.PAUSED)
    run_until(world, OPENING + timedelta(hours=5))
    with_tenant(world, "adventure", state=TenantState.ACTIVE)
    world.run(timedelta(minutes=20))
    assert (the_delivery(world).state, the_delivery(world).next_at) == (DeliveryState.HELD, OPENING + timedelta(days=7))


def test_a_held_one_can_be_cancelled() -> None:
    world = held_world()
    handle_now(world, type="cancel", delivery=str(the_delivery(world).address))
    world.run(timedelta(minutes=6))
    assert the_delivery(world).state is DeliveryState.CANCELLED


def test_a_held_one_can_be_recalled() -> None:
    world = held_world()
    handle_now(world, **RECALL)
    world.run(timedelta(hours=1))
    assert the_delivery(world).state is DeliveryState.RECALLED
    run_until(world, OPENING + timedelta(hours=1))
    assert not has_it(world)


def test_a_pull_waits_for_no_window() -> None:
    world = a_windowed_world()
    register(world, credit_card())
    world.run()
    asset = {"kind": "model", "name": "credit-card", "version": "1"}
    handle_now(world, type="pull", tenant="adventure", workspace=str(ADVENTURE), asset=asset)
    world.run(timedelta(hours=1))
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_a_push_waits_for_the_window_like_any_other_delivery() -> None:
    world = a_world(subscriber("adventure"))
    register(world, credit_card())
    world.run()
    with_tenant(world, "adventure", **windowed(SUNDAY_NIGHT, Register()))
    handle_now(world, **PUSH)
    world.run(timedelta(hours=1))
    assert the_delivery(world).next_at == OPENING


# ---- several


@pytest.mark.parametrize(("first", "second"), ["12", "21"], ids=["older first", "newer first"])
def test_of_two_that_are_held_the_newest_is_deployed_alone(first: str, second: str) -> None:
    world = a_windowed_world(CARDS)
    for version in (first, second):
        register(world, credit_card(version))
        world.run()
    run_until(world, OPENING + timedelta(hours=3))
    assert {version: row.state for version, row in deliveries(world).items()} == {
        "1": DeliveryState.SUPERSEDED,
        "2": DeliveryState.DELIVERED,
    }
    assert not any("v1" in effect for effect in world.azure.effects)


def test_another_subscription_reaches_the_endpoint_while_a_newer_version_is_held() -> None:
    world = held_world(CARDS)
    tailspin = with_publisher(world, "tailspin")
    (windowed_wish,) = world.rules.rules.tenants["adventure"].subscriptions
    northwinds = replace(windowed_wish, from_tenants=("northwind",))
    tailspins = replace(windowed_wish, name="other", from_tenants=("tailspin",), window=None)
    with_tenant(world, "adventure", subscriptions=(northwinds, tailspins))
    register(world, credit_card("3"))
    register(world, Asset(Kind.MODEL, "fraud", "2"), at=tailspin)
    world.run(timedelta(hours=1))
    assert {version: row.state for version, row in deliveries(world).items()} == {
        "1": DeliveryState.HELD,
        "2": DeliveryState.DELIVERED,
        "3": DeliveryState.HELD,
    }
    run_until(world, OPENING + timedelta(hours=1))
    assert {version: row.state for version, row in deliveries(world).items()} == {
        "1": DeliveryState.SUPERSEDED,
        "2": DeliveryState.DELIVERED,
        "3": DeliveryState.DELIVERED,
    }


class CountedRules(FakeRules):
    asked = 0

    def current(self) -> Rules:
        self.asked += 1
        return super().current()


def test_the_timer_reads_the_rules_once_and_only_where_something_is_held() -> None:
    world = a_windowed_world(Register())
    world.rules = CountedRules(world.rules.rules)
    reconcile.handle(world)
    assert world.rules.asked == 0
    for version in ("1", "2", "3"):
        register(world, credit_card(version))
    world.run(timedelta(hours=1))
    world.rules.asked = 0
    reconcile.handle(world)
    assert world.rules.asked == 1


def test_all_that_waits_for_one_opening_is_woken_then_and_crowds_out_nothing_that_is_overdue() -> None:
    world = held_world()
    held = the_delivery(world)
    world.clock.time = OPENING - timedelta(minutes=10)
    others = [replace(held, row=f"a-{number:05}") for number in range(5 * reconcile.MOST)]
    late = replace(held, row="z", state=DeliveryState.RUNNING, next_at=OPENING - timedelta(hours=1))
    world.rows.deliveries |= {each.address: each for each in (*others, late)}
    world.queues.due.clear()
    reconcile.handle(world)
    woken = {to_wake_up(Received(each.message.body)).address: each.at for each in world.queues.due}
    assert woken == {each.address: OPENING for each in (held, *others)} | {late.address: world.clock.now()}
