"""How the reconciler walks: a run ends in time, whatever Azure does, and those that follow come to everything."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers import reconcile_pass
from handlers.reconcile_round import Bounds
from shared.actions import Register
from shared.assets import Asset, Kind
from shared.deadline import LONGEST_MESSAGE
from shared.errors import Transient
from shared.listings import Listed, Listing
from shared.reconciling import Finding, What
from shared.rules import Rules
from shared.tenants import Tenant, TenantState
from tests.fake_azure import FakeRegistries, FakeWorkspaces
from tests.fakes import Crash, FakeRules, World
from tests.slow_azure import SlowAzure, slowed
from tests.unit.reconcile_world import appears, holds, reconciled, shared, time_passes, with_rules
from tests.unit.world import a_world, credit_card, register, subscriber, workspace

A_RUN = reconcile_pass.LONGEST + 2 * timedelta(seconds=LONGEST_MESSAGE)  # at most: it ends with the name that it is at
HARDLY = timedelta(seconds=20)  # per look

NAMES = [f"card-{number}" for number in range(7)]


def timer_runs(world: World, times: int = 1) -> list[timedelta]:
    """How long each took, until it ended or was killed."""
    lasted = []
    for _ in range(times):
        time_passes(world)
        began = world.clock.now()
        with suppress(Crash):
            reconcile_pass.handle(world)
        lasted.append(world.clock.now() - began)
    return lasted


def publishers(count: int) -> list[Tenant]:
    """Each with a workspace of its own."""
    northwind = a_world().rules.rules.tenants["northwind"]
    return [replace(northwind, id=f"tenant-{n}", workspaces=(workspace(f"tenant-{n}"),)) for n in range(count)]


def a_world_with_names(*names: str) -> World:
    """The reconciler has been by, before these were registered."""
    world = a_world()
    reconciled(world)
    for name in names:
        appears(world, Asset(Kind.MODEL, name, "1"))
    return world


def all_of(names: list[str]) -> set[str]:
    return {f"{name}:1" for name in names}


# ---- the timer's run is short, and goes on where the last one stopped


def test_given_workspaces_that_do_not_answer_when_the_timer_runs_then_it_ends_in_time_and_the_next_runs_come_to_all() -> None:
    world = a_world(*publishers(30))
    slowed(world, takes=HARDLY, mute=True)
    asked: list[Finding] = []

    for _ in range(60):
        time_passes(world)
        began = world.clock.now()
        reconcile_pass.run(world, asked.append, Bounds(began + reconcile_pass.LONGEST, reconcile_pass.MOST_LOOKS))
        assert world.clock.now() - began <= A_RUN

    assert {each.workspace for each in asked} >= {f"tenant-{n}" for n in range(30)}


def test_given_many_deliveries_of_a_version_when_each_look_is_slow_then_runs_end_in_time_and_all_drift_is_found() -> None:
    names = [f"tenant-{number}" for number in range(12)]
    world = a_world(*(subscriber(name, Register()) for name in names))
    register(world, credit_card())
    world.run()
    reconciled(world, times=2)
    for name in names:
        del world.azure.assets[workspace(name), credit_card()]
    azure = slowed(world, takes=HARDLY)

    lasted = timer_runs(world, times=100)
    azure.takes = timedelta(0)
    world.run()

    assert max(lasted) <= A_RUN
    assert all(holds(world, workspace(name), "1") for name in names)


def test_given_rules_that_take_long_to_load_when_the_timer_runs_then_that_is_not_taken_from_the_run() -> None:
    world = a_world_with_names(*NAMES)
    world.rules = SlowRules(world)

    timer_runs(world, times=1)
    world.run()

    assert shared(world) == all_of(NAMES)


class SlowRules(FakeRules):
    """A process that has just begun loads them at every first look: here, each."""

    def __init__(self, world: World) -> None:
        super().__init__(world.rules.rules)
        self._world, self._loaded = world, False

    def current(self) -> Rules:
        if not self._loaded:
            self._world.clock.time += timedelta(minutes=2)
            self._loaded = True
        return super().current()


def test_every_look_of_a_run_is_made_in_the_time_that_is_left_for_its_name() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card())
    world.run()
    azure = slowed(world)

    timer_runs(world, times=2)

    assert azure.left
    assert all(left is not None and left <= LONGEST_MESSAGE for left in azure.left)


# ---- a run that is killed


class OnePage(FakeRegistries):
    """All names come at once."""

    def names(self, registry: str, kind: Kind, page: str = "") -> Listing:
        first = super().names(registry, kind, page)
        return Listing((*first.names, *self.names(registry, kind, first.next).names)) if first.next else first


@pytest.mark.parametrize("looks", range(6, 14))  # four of them list the names
def test_given_runs_that_are_killed_after_some_looks_when_others_follow_then_they_come_to_all(looks: int) -> None:
    world = a_world()
    for name in NAMES:
        register(world, Asset(Kind.MODEL, name, "1"))
    world.run()
    reconciled(world, times=2)
    with_rules(world, subscriber("adventure", Register()))
    azure = slowed(world)
    world.registries = OnePage(azure)

    for _ in range(40):
        azure.kills = frozenset({len(azure.left) + looks})
        timer_runs(world)
    azure.kills = frozenset()
    world.run()

    assert {row.asset.name for row in world.rows.closed.values()} == set(NAMES)


class Deadly(FakeWorkspaces):
    """To look at one name ends the process."""

    def newest(self, *asked: object, **options: object):  # type: ignore[no-untyped-def] # as the port has it
        if "card-2" in asked:
            raise Crash
        return super().newest(*asked, **options)  # type: ignore[arg-type]


def test_given_a_name_that_kills_each_run_when_others_follow_then_they_come_to_what_is_behind_it() -> None:
    world = a_world_with_names(*NAMES)
    world.workspaces = Deadly(world.azure)

    timer_runs(world, times=6)
    world.run()

    assert shared(world) == all_of(NAMES) - {"card-2:1"}


# ---- the turn


def test_given_a_run_of_everything_that_takes_long_when_it_is_slow_then_it_keeps_its_turn_to_the_end() -> None:
    world = a_world(*(subscriber(f"tenant-{n}", Register()) for n in range(8)))
    for name in NAMES:
        register(world, Asset(Kind.MODEL, name, "1"))
    world.run()
    KeepsItsTurn.slow(world)

    reconcile_pass.whole_pass(world, lambda _finding: None)

    assert world.reconciling.cursor().until is None


class KeepsItsTurn(SlowAzure):
    """Who looks has the turn, and will have it when the look ends."""

    world: World

    @classmethod
    def slow(cls, world: World) -> None:
        there = world.azure
        azure = cls(world.clock, takes=timedelta(seconds=45))
        azure.assets, azure.registry, azure.world = there.assets, there.registry, world
        world.use(azure)

    def _look(self) -> None:
        super()._look()
        until = self.world.reconciling.cursor().until
        assert until
        assert until > self.clock.now()


class BrokenRules(FakeRules):
    """What changed cannot be read."""

    def news(self, after: int, upto: int):  # type: ignore[no-untyped-def] # raises
        raise Transient("timed out")


def test_given_a_run_that_fails_when_it_ends_then_it_gives_its_turn_back() -> None:
    world = a_world()
    world.rules = BrokenRules(world.rules.rules)

    with pytest.raises(Transient):
        reconcile_pass.handle(world)

    assert world.reconciling.cursor().until is None


def test_given_a_run_that_its_user_interrupts_then_it_gives_its_turn_back() -> None:
    world = a_world_with_names(*NAMES)

    def interrupted(_finding: Finding) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reconcile_pass.whole_pass(world, interrupted)

    assert world.reconciling.cursor().until is None


# ---- what does not stop it


def test_given_a_fault_at_one_name_when_reconciled_then_it_is_told_and_those_behind_it_are_looked_at() -> None:
    world = a_world_with_names(*NAMES)
    world.azure.failing["newest"] = KeyError("createdAt")

    found = reconciled(world)

    assert [(each.what, each.why) for each in found if each.what is What.UNREACHABLE] == [
        (What.UNREACHABLE, "unexpected: KeyError('createdAt')")
    ]
    assert shared(world) == all_of(NAMES[1:])


class Shifting(FakeWorkspaces):
    """A name is listed twice: others were added before it while the pages were read."""

    def names(self, *asked: object, **options: object) -> Listing:
        found = super().names(*asked, **options)  # type: ignore[arg-type]
        return replace(found, names=(*found.names, Listed("card-0", "1")) if found.names else ())


def test_given_a_name_that_is_listed_twice_when_reconciled_then_the_run_goes_on() -> None:
    world = a_world_with_names(*NAMES)
    world.workspaces = Shifting(world.azure)

    reconciled(world)

    assert shared(world) == all_of(NAMES)


# ---- rules that always change


def rules_change(world: World, number: int) -> None:
    with_rules(world, Tenant(f"new-{number}", TenantState.ACTIVE, ()), subscriber(f"tenant-{number % 3}", Register()))


def test_given_rules_that_change_between_all_runs_when_reconciled_then_each_change_is_followed_to_its_end() -> None:
    world = a_world(subscriber("adventure", Register()))
    for name in NAMES:
        register(world, Asset(Kind.MODEL, name, "1"))
    world.run()
    reconciled(world, times=12, looks=6)
    with_rules(world, subscriber("fabrikam", Register()))

    for number in range(20):
        rules_change(world, number)
        reconciled(world, looks=4)

    assert {row.asset.name for row in world.rows.closed.values() if row.tenant == "fabrikam"} == set(NAMES)


def test_given_rules_that_change_between_all_runs_when_something_drifts_then_it_is_found_all_the_same() -> None:
    world = a_world(subscriber("adventure", Register()))
    for name in NAMES:
        register(world, Asset(Kind.MODEL, name, "1"))
    world.run()
    reconciled(world, times=12, looks=6)
    del world.azure.assets[workspace("adventure"), Asset(Kind.MODEL, NAMES[-1], "1")]

    for number in range(30):
        rules_change(world, number)
        reconciled(world, looks=4)

    assert (workspace("adventure"), Asset(Kind.MODEL, NAMES[-1], "1")) in world.azure.assets
