"""The process dies at each of its calls in turn, while versions are deployed to endpoints, fail there, are called off or recalled.

Whatever the call, and whether it had taken effect: the same serves in the end, and who listens is told the same, once.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.actions import BatchEndpoint, Endpoint
from shared.states import DeliveryState
from shared.tenants import Window
from tests.fakes import World
from tests.saboteur import Saboteur, sabotage
from tests.unit.command_world import with_tenant
from tests.unit.endpoint_world import (
    FABRIKAM,
    a_subscriber_of,
    command,
    deliveries,
    deploy_by_hand,
    deployment_of,
    publish,
    publish_until,
    recall,
    serving,
    states,
    the_endpoint,
    traffic_on_the_way,
    versions_of,
)
from tests.unit.world import CARDS, credit_card, register

ONLINE = replace(CARDS, traffic=(10, 100), sample_request="{}")
NIGHTLY = BatchEndpoint("cards", "cpu-cluster", keep=0)
QUICKLY = 0.5  # seconds: every change is through at the first look, which makes fewer calls to die at

type Scene = Callable[[], World]


def nothing_yet(action: Endpoint = ONLINE) -> World:
    world = a_subscriber_of(action)
    world.azure.seconds = QUICKLY
    world.outcomes.wanted = True
    return world


def with_version_1(action: Endpoint = ONLINE) -> World:
    world = nothing_yet(action)
    publish(world, "1")
    return world


def upgraded(world: World) -> World:
    register(world, credit_card("2"))
    return world


# ---- scenes


def a_new_endpoint() -> World:
    world = nothing_yet()
    register(world, credit_card("1"))
    return world


def within_a_window(world: World) -> World:
    """Twice an hour, beyond what is scheduled ahead at first."""
    wishes = world.rules.rules.tenants["fabrikam"].subscriptions
    window = Window("*/30 * * * *", timedelta(minutes=10), "UTC")
    with_tenant(world, "fabrikam", subscriptions=tuple(replace(wish, window=window) for wish in wishes))
    world.clock.time += timedelta(minutes=11)
    return world


def a_new_endpoint_that_waits_for_its_window() -> World:
    world = within_a_window(nothing_yet())
    register(world, credit_card("1"))
    return world


def an_upgrade_that_removes_the_old_one() -> World:
    return upgraded(with_version_1(replace(ONLINE, keep=0, traffic=(10, 50, 100))))


def an_upgrade_beside_a_tenants_own() -> World:
    world = with_version_1()
    deploy_by_hand(world, "champion", 30)
    return upgraded(world)


def an_upgrade_that_takes_its_time() -> World:
    world = with_version_1()
    world.azure.seconds = 2
    return upgraded(world)


def an_upgrade_that_finds_no_quota() -> World:
    world = with_version_1()
    deploy_by_hand(world, "champion", 30)
    world.azure.failing_versions = {"2"}
    return upgraded(world)


def an_upgrade_that_refuses_its_sample() -> World:
    world = with_version_1()
    deploy_by_hand(world, "champion", 30)
    world.azure.dull_versions = {"2"}
    return upgraded(world)


def an_upgrade_of_a_batch_endpoint() -> World:
    return upgraded(with_version_1(NIGHTLY))


def an_upgrade_of_a_batch_endpoint_that_fails() -> World:
    world = with_version_1(NIGHTLY)
    world.azure.failing_versions = {"2"}
    return upgraded(world)


def an_endpoint_that_is_the_tenants() -> World:
    world = nothing_yet()
    deploy_by_hand(world, "champion", 100)
    register(world, credit_card("1"))
    return world


def an_endpoint_that_is_adopted() -> World:
    world = nothing_yet(replace(ONLINE, adopt=True))
    deploy_by_hand(world, "champion", 100)
    register(world, credit_card("1"))
    return world


def an_upgrade_where_the_tenant_gave_us_some_of_its_endpoint() -> World:
    world = nothing_yet(replace(ONLINE, adopt=True))
    deploy_by_hand(world, "champion", 100)
    publish(world, "1")
    world.azure.put(FABRIKAM, replace(the_endpoint(world), traffic={"champion": 60, deployment_of("1"): 40}))
    return upgraded(world)


def is_being_deployed(world: World) -> bool:
    return any("deploy v2" in effect for effect in world.azure.effects)


def is_half_way(world: World) -> bool:
    return len(traffic_on_the_way(world)) == 2


def cancelled_once(moment: Callable[[World], bool]) -> World:
    """The row says so, and nothing has come of it yet."""
    world = with_version_1()
    deploy_by_hand(world, "champion", 30)
    publish_until(world, "2", lambda: moment(world))
    command(world, "cancel", "2")
    world.run(stop=lambda: deliveries(world)["2"].cancelled_by is not None)
    return world


def a_cancel_while_it_is_deployed() -> World:
    return cancelled_once(is_being_deployed)


def a_cancel_half_way() -> World:
    return cancelled_once(is_half_way)


def recalled_once(moment: Callable[[World], bool]) -> World:
    world = with_version_1()
    publish_until(world, "2", lambda: moment(world))
    recall(world, "2")
    world.run(stop=lambda: states(world)["2"] is DeliveryState.RECALLING)
    return world


def a_recall_while_it_is_deployed() -> World:
    return recalled_once(is_being_deployed)


def a_recall_half_way() -> World:
    return recalled_once(is_half_way)


def a_recall_of_what_serves() -> World:
    world = with_version_1()
    publish(world, "2")
    recall(world, "2")
    return world


def a_recall_of_a_batch_endpoints_default() -> World:
    world = with_version_1(replace(NIGHTLY, keep=1))
    publish(world, "2")
    recall(world, "2")
    return world


def a_recall_of_the_only_version() -> World:
    world = with_version_1()
    recall(world, "1")
    return world


SCENES: list[Scene] = [
    a_new_endpoint,
    a_new_endpoint_that_waits_for_its_window,
    an_upgrade_that_removes_the_old_one,
    an_upgrade_beside_a_tenants_own,
    an_upgrade_that_takes_its_time,
    an_upgrade_that_finds_no_quota,
    an_upgrade_that_refuses_its_sample,
    an_upgrade_of_a_batch_endpoint,
    an_upgrade_of_a_batch_endpoint_that_fails,
    an_endpoint_that_is_the_tenants,
    an_endpoint_that_is_adopted,
    an_upgrade_where_the_tenant_gave_us_some_of_its_endpoint,
    a_cancel_while_it_is_deployed,
    a_cancel_half_way,
    a_recall_while_it_is_deployed,
    a_recall_half_way,
    a_recall_of_what_serves,
    a_recall_of_a_batch_endpoints_default,
    a_recall_of_the_only_version,
]


# ---- what must be the same


def outcome(world: World) -> dict[str, object]:
    """Without Azure's text of a failure: it is lost where the process died before it had noted the operation."""
    endpoint, rows = the_endpoint(world), deliveries(world).values()
    return {
        "endpoint": (endpoint.state, dict(endpoint.tags), dict(endpoint.traffic)),
        "deployments": sorted((each.name, each.state) for each in endpoint.deployments),
        "made": sorted(effect for effect in world.azure.effects if effect.startswith(("deploy", "endpoint", "import"))),
        "deliveries": {row.asset.version: (row.state, row.traffic, row.done) for row in rows},
        "shares": {share.asset.version: share.state for share in world.rows.shares.values()},
        "open": set(world.rows.deliveries),
        "told": sorted((each.type, each.topic, each.subject, str(_without_reason(each.data))) for each in _told(world)),
        "rejected": [message.properties for message in world.queues.rejected],
    }


def _told(world: World) -> list[Any]:
    return list(world.outcomes.published.values())


def _without_reason(data: Any) -> dict[str, object]:
    return {name: value for name, value in data.items() if name != "reason"}


def is_over(world: World) -> bool:
    """No delivery is open, so none claims the endpoint, and no message is left."""
    return not world.rows.deliveries and not world.queues.due


def staged(scene: Scene) -> tuple[World, Saboteur]:
    random.seed(7)  # the jitter of the polls decides which call is which
    world = scene()
    return world, sabotage(world)


def calm(scene: Scene) -> tuple[World, int]:
    """The scene's end without a crash, and how many calls led there."""
    world, saboteur = staged(scene)
    world.run()
    return world, saboteur.calls


def crashed(scene: Scene, when: str, call: int) -> World:
    world, saboteur = staged(scene)
    getattr(saboteur, when).add(call)
    world.run(until=timedelta(hours=6))
    return world


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_crash_at_any_call_changes_nothing_in_the_end(scene: Scene, when: str) -> None:
    undisturbed, calls = calm(scene)
    expected = outcome(undisturbed)
    for call in range(1, calls + 1):
        world = crashed(scene, when, call)
        assert outcome(world) == expected, f"{when} call {call}"
        assert is_over(world), f"{when} call {call}"


# ---- where a crash decides who comes first


def two_versions_at_once() -> World:
    world = with_version_1()
    register(world, credit_card("3"))
    return upgraded(world)


def two_versions_that_wait_for_their_window() -> World:
    world = within_a_window(with_version_1())
    register(world, credit_card("3"))
    return upgraded(world)


def a_cancel_that_may_come_too_late() -> World:
    world = with_version_1()
    publish_until(world, "2", lambda: is_half_way(world))
    command(world, "cancel", "2")
    return world


def a_recall_that_may_come_before_the_end_or_after() -> World:
    world = with_version_1()
    publish_until(world, "2", lambda: is_half_way(world))
    recall(world, "2")
    return world


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("scene", "may_be"),
    [
        (two_versions_at_once, {DeliveryState.DELIVERED, DeliveryState.SUPERSEDED}),
        (two_versions_that_wait_for_their_window, {DeliveryState.DELIVERED, DeliveryState.SUPERSEDED}),
        (a_cancel_that_may_come_too_late, {DeliveryState.DELIVERED, DeliveryState.CANCELLED}),
        (a_recall_that_may_come_before_the_end_or_after, {DeliveryState.RECALLED}),
    ],
    ids=["two versions", "two held versions", "cancel", "recall"],
)
def test_a_crash_at_any_call_leaves_the_newest_that_was_delivered_serving(
    scene: Scene, may_be: set[DeliveryState], when: str
) -> None:
    for call in range(1, calm(scene)[1] + 1):
        world = crashed(scene, when, call)
        found = states(world)
        delivered = {version for version, state in found.items() if state is DeliveryState.DELIVERED}
        assert found["2"] in may_be, f"{when} call {call}"
        assert serving(the_endpoint(world)) == {max(delivered): 100}, f"{when} call {call}"
        assert versions_of(the_endpoint(world)) <= delivered, f"{when} call {call}"
        assert is_over(world), f"{when} call {call}"
