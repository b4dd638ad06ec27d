"""The whole flow over ports in memory: what arrives, how often Azure is changed, and what no crash and no duplicate changes."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.actions import Register
from shared.assets import Asset, WorkspaceAsset
from shared.endpoints import deployment_name
from shared.errors import Transient
from shared.rows import DeliveryRow
from shared.rules import RegistryRule
from shared.states import DeliveryState, ShareState
from shared.tenants import Publication, TenantState
from tests.fakes import Crash, World, refusal
from tests.unit.world import CARDS, EVERY_MODEL, PUBLISHER, a_world, credit_card, register, rules, subscriber, workspace

NAMES = ("adventure", "fabrikam", "tailwind")


def three_subscribers(**options: Any) -> World:
    return a_world(
        subscriber("adventure", Register()),
        subscriber("fabrikam", CARDS),
        subscriber("tailwind", Register(), replace(CARDS, name="tails")),
        **options,
    )


def outcome(world: World) -> tuple[object, ...]:
    """What the tenants have and what the rows say, without what time and chance decide."""
    return (
        sorted((str(at), str(asset)) for at, asset in world.azure.assets),
        sorted((endpoint.name, sorted(endpoint.traffic.items()), endpoint.state) for endpoint in world.azure.endpoints.values()),
        sorted((str(row.address), row.state) for row in world.rows.closed.values()),
        sorted((str(row.address), row.state) for row in world.rows.shares.values()),
        sorted(world.azure.effects),
    )


def serving(world: World, asset: Asset) -> str:
    """The name of the deployment that brings this version to fabrikam's endpoint."""
    route = CARDS.route
    return deployment_name(asset, str(DeliveryRow.address_of(asset, "hub", workspace("fabrikam"), route)))


def test_a_registered_model_arrives_at_all_who_subscribed() -> None:
    world = three_subscribers()
    register(world, credit_card())
    world.run()
    assert {share.state for share in world.rows.shares.values()} == {ShareState.SHARED}
    assert {row.state for row in world.rows.closed.values()} == {DeliveryState.DELIVERED}
    assert (workspace("adventure"), credit_card()) in world.azure.assets
    assert world.azure.endpoints[workspace("fabrikam"), "cards"].traffic == {serving(world, credit_card()): 100}
    assert world.rows.deliveries == {}
    assert world.open_work.addresses <= {row for row in world.open_work.addresses if row.row == ""}


def test_the_same_event_many_times_has_one_effect() -> None:
    world = three_subscribers()
    for n in range(20):
        register(world, credit_card(), message_id=f"copy-{n}")
    world.run()
    assert sorted(world.azure.effects) == sorted(set(world.azure.effects))
    assert sum(effect.startswith("import") for effect in world.azure.effects) == 1


def test_an_echo_is_not_shared_back() -> None:
    world = three_subscribers()
    register(world, credit_card())
    world.run()
    before = list(world.azure.effects)
    register(world, credit_card(), at=workspace("adventure"))
    world.run()
    assert world.azure.effects == before
    assert world.queues.rejected == []


def calls_of(world: World) -> "Saboteur":
    saboteur = Saboteur()
    for port in ("queues", "rows", "open_work", "registries", "workspaces"):
        setattr(world, port, Sabotaged(getattr(world, port), saboteur))
    return saboteur


class Saboteur:
    """Kills the process at the calls whose numbers it is given, before or after they took effect."""

    def __init__(self) -> None:
        self.calls = 0
        self.before: set[int] = set()
        self.after: set[int] = set()


class Sabotaged:
    def __init__(self, port: object, saboteur: Saboteur) -> None:
        self._port, self._saboteur = port, saboteur

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self._saboteur.calls += 1
            number = self._saboteur.calls
            if number in self._saboteur.before:
                raise Crash
            answer = found(*arguments, **options)
            if number in self._saboteur.after:
                raise Crash
            return answer

        return call


def undisturbed() -> tuple[int, tuple[object, ...]]:
    random.seed(7)  # the jitter of the polls decides how many calls there are, and every test worker must collect the same
    world = three_subscribers()
    register(world, credit_card())
    saboteur = calls_of(world)
    world.run()
    return saboteur.calls, outcome(world)


CALLS, EXPECTED = undisturbed()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, CALLS + 1))
def test_a_crash_at_any_call_changes_nothing_in_the_end(call: int, when: str) -> None:
    world = three_subscribers()
    register(world, credit_card())
    saboteur = calls_of(world)
    getattr(saboteur, when).add(call)
    world.run()
    assert outcome(world) == EXPECTED


@given(before=st.sets(st.integers(1, 200), max_size=6), after=st.sets(st.integers(1, 200), max_size=6))
@settings(max_examples=60, deadline=None)
def test_many_crashes_change_nothing_in_the_end(before: set[int], after: set[int]) -> None:
    world = three_subscribers()
    register(world, credit_card())
    saboteur = calls_of(world)
    saboteur.before, saboteur.after = before, after
    world.run(until=timedelta(hours=12))
    assert outcome(world) == EXPECTED


def looks(rate: float, seed: int) -> int:
    chance = random.Random(seed)
    world = a_world(
        *(subscriber(f"tenant{n}", Register()) for n in range(10)),
        *(subscriber(f"host{n}", replace(CARDS, name=f"cards{n}")) for n in range(10)),
        duplicate=lambda: chance.random() < rate,
    )
    world.azure.seconds = 300
    register(world, credit_card())
    world.run()
    assert len(world.rows.closed) == 20
    return world.looks


def test_a_fifth_of_wake_ups_twice_makes_a_fifth_more_looks() -> None:
    plain = sum(looks(0.0, seed) for seed in range(20))
    doubled = sum(looks(0.2, seed) for seed in range(20))
    assert doubled / plain < 1.25


@given(order=st.permutations(["1", "2", "3", "4", "5"]), gap=st.sampled_from([0, 7, 60]))
@settings(max_examples=30, deadline=None)
def test_an_endpoint_ends_with_the_newest_version_whatever_the_order(order: list[str], gap: int) -> None:
    world = a_world(subscriber("fabrikam", CARDS))
    for version in order:
        register(world, credit_card(version))
        world.run(until=timedelta(seconds=gap))
    world.run()
    endpoint = world.azure.endpoints[workspace("fabrikam"), "cards"]
    assert endpoint.traffic == {serving(world, credit_card("5")): 100}
    assert len(endpoint.deployments) <= 2
    states = {row.asset.version: row.state for row in world.rows.closed.values()}
    assert states["5"] is DeliveryState.DELIVERED
    assert set(states.values()) <= {DeliveryState.DELIVERED, DeliveryState.SUPERSEDED}


def test_a_permanent_failure_of_one_tenant_leaves_the_others_alone() -> None:
    world = three_subscribers()
    world.azure.failing["deploy"] = refusal("out_of_quota")
    register(world, credit_card())
    world.run()
    states = sorted(row.state for row in world.rows.closed.values())
    assert states == [DeliveryState.DELIVERED] * 3 + [DeliveryState.FAILED]
    failed = next(row for row in world.rows.closed.values() if row.state is DeliveryState.FAILED)
    assert failed.reason
    assert failed.reason.code == "out_of_quota"


def test_an_import_whose_answer_was_lost_is_looked_for_before_it_is_begun_again() -> None:
    world = three_subscribers()
    world.azure.failing["import"] = Transient("the connection broke", uncertain=True)
    register(world, credit_card())
    world.run()
    assert outcome(world) == EXPECTED


def test_an_import_whose_answer_was_lost_is_not_begun_again_after_another_failure() -> None:
    world = three_subscribers()
    world.azure.failing["import"] = Transient("the connection broke", uncertain=True)
    register(world, credit_card())
    world.run(stop=lambda: "import" not in world.azure.failing)
    world.azure.failing["asset"] = Transient("busy")
    world.run(until=timedelta(seconds=20))
    (share,) = world.rows.shares.values()
    assert share.state is ShareState.IMPORTING
    assert "import credit-card:1" not in " ".join(world.azure.effects)


def test_a_model_of_other_content_under_the_same_name_is_a_conflict_and_stays() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card(), at=workspace("adventure"))
    there = world.azure.assets[workspace("adventure"), credit_card()]
    register(world, credit_card())
    world.run()
    (delivery,) = world.rows.closed.values()
    assert delivery.state is DeliveryState.FAILED
    assert delivery.reason
    assert delivery.reason.code == "conflict"
    assert world.azure.assets[workspace("adventure"), credit_card()] is there


def test_a_tenants_own_model_is_shared_though_a_delivery_of_that_name_failed_there() -> None:
    adventure = subscriber("adventure", Register())
    world = a_world(replace(adventure, publications=(Publication("own", "other-hub", EVERY_MODEL, ("*",)),)))
    provider = world.rules.rules.provider
    wider = replace(provider, registries=(*provider.registries, RegistryRule("other-hub", ("*",))))
    world.rules.rules = replace(world.rules.rules, provider=wider)
    register(world, credit_card())
    world.azure.assets[workspace("adventure"), credit_card()] = WorkspaceAsset(credit_card(), "azureml://own", world.clock.now())
    world.run()
    register(world, credit_card(), at=workspace("adventure"))
    world.run()
    assert {share.registry: share.state for share in world.rows.shares.values()}["other-hub"] is ShareState.SHARED


def test_another_origin_for_the_same_registry_version_is_rejected_naming_both() -> None:
    world = a_world()
    other = workspace("other")
    tenants = dict(world.rules.rules.tenants)
    tenants["tailspin"] = replace(tenants["northwind"], id="tailspin", workspaces=(other,))
    world.rules.rules = replace(world.rules.rules, tenants=tenants)
    register(world, credit_card())
    world.run()
    register(world, credit_card(), at=other)
    world.run()
    (rejected,) = world.queues.rejected
    assert rejected.properties["fanout_code"] == "conflict"
    assert PUBLISHER.name in str(rejected.properties["fanout_reason"])
    assert other.name in str(rejected.properties["fanout_reason"])


def test_a_tenant_paused_in_between_is_held_and_goes_on_when_active() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card())
    world.run(stop=lambda: bool(world.rows.deliveries))
    world.rules.rules = rules(subscriber("adventure", Register(), state=TenantState.PAUSED))
    world.run(until=timedelta(minutes=30))
    assert {row.state for row in world.rows.deliveries.values()} == {DeliveryState.HELD}
    world.rules.rules = rules(subscriber("adventure", Register()))
    world.run()
    assert {row.state for row in world.rows.closed.values()} == {DeliveryState.DELIVERED}


def test_a_subscription_that_ended_in_between_cancels() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card())
    world.run(stop=lambda: bool(world.rows.deliveries))
    world.rules.rules = rules(subscriber("adventure"))
    world.run()
    assert {row.state for row in world.rows.closed.values()} == {DeliveryState.CANCELLED}
    assert (workspace("adventure"), credit_card()) not in world.azure.assets


def test_a_lost_wake_up_is_healed_by_the_timer() -> None:
    world = three_subscribers()
    register(world, credit_card())
    world.run(until=timedelta(seconds=1))
    world.queues.due.clear()
    world.run()
    assert outcome(world) == EXPECTED
