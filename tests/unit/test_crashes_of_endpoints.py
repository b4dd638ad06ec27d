"""The process dies at each of its calls in turn, while versions are deployed to endpoints, fail there, are called off or recalled.

Whatever the call, and whether it had taken effect: the same serves in the end, who listens is told the same, once, and the
endpoint is free for the next version.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.rules import BatchEndpoint, Endpoint
from tests.fakes import World
from tests.saboteur import sabotage
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
)
from tests.unit.world import CARDS, credit_card, register

ONLINE = replace(CARDS, traffic=(10, 50, 100), sample_request="{}")
NIGHTLY = BatchEndpoint("cards", "cpu-cluster", keep=0)
NEXT = "9"

type Scene = Callable[[], World]


def with_version_1(action: Endpoint = ONLINE) -> World:
    """Somebody listens to what comes from now on."""
    world = a_subscriber_of(action)
    world.azure.seconds = 1  # fewer looks, and so fewer calls to die at
    publish(world, "1")
    world.outcomes.wanted = True
    return world


def upgraded(world: World) -> World:
    register(world, credit_card("2"))
    return world


# ---- scenes


def a_new_endpoint() -> World:
    world = a_subscriber_of(ONLINE)
    world.outcomes.wanted = True
    register(world, credit_card("1"))
    return world


def an_upgrade() -> World:
    return upgraded(with_version_1())


def an_upgrade_that_removes_the_old_one() -> World:
    return upgraded(with_version_1(replace(ONLINE, keep=0)))


def an_upgrade_beside_a_tenants_own() -> World:
    world = with_version_1()
    deploy_by_hand(world, "champion", 30)
    return upgraded(world)


def an_upgrade_that_finds_no_quota() -> World:
    world = with_version_1()
    world.azure.failing_versions = {"2"}
    return upgraded(world)


def an_upgrade_that_refuses_its_sample() -> World:
    world = with_version_1()
    world.azure.dull_versions = {"2"}
    return upgraded(world)


def an_upgrade_of_a_batch_endpoint() -> World:
    return upgraded(with_version_1(NIGHTLY))


def an_upgrade_of_a_batch_endpoint_that_fails() -> World:
    world = with_version_1(NIGHTLY)
    world.azure.failing_versions = {"2"}
    return upgraded(world)


def an_endpoint_adopted_with_the_tenants_traffic_on_it() -> World:
    world = a_subscriber_of(replace(ONLINE, adopt=True))
    world.outcomes.wanted = True
    deploy_by_hand(world, "champion", 100)
    register(world, credit_card("1"))
    return world


def an_upgrade_where_the_tenant_gave_us_some_of_its_endpoint() -> World:
    world = a_subscriber_of(replace(ONLINE, adopt=True))
    deploy_by_hand(world, "champion", 100)
    publish(world, "1")
    there = the_endpoint(world)
    world.azure.put(FABRIKAM, replace(there, traffic={"champion": 60, deployment_of("1"): 40}))
    world.outcomes.wanted = True
    return upgraded(world)


def an_endpoint_that_is_the_tenants() -> World:
    world = a_subscriber_of(ONLINE)
    world.outcomes.wanted = True
    deploy_by_hand(world, "champion", 100)
    register(world, credit_card("1"))
    return world


def two_versions_at_once() -> World:
    world = with_version_1()
    register(world, credit_card("3"))
    return upgraded(world)


def a_cancel_while_it_is_deployed() -> World:
    world = with_version_1()
    publish_until(world, "2", lambda: any("deploy v2" in effect for effect in world.azure.effects))
    command(world, "cancel", "2")
    return world


def a_cancel_half_way() -> World:
    world = with_version_1()
    publish_until(world, "2", lambda: len(traffic_on_the_way(world)) == 2)
    command(world, "cancel", "2")
    return world


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


def a_recall_while_it_is_deployed() -> World:
    world = with_version_1()
    publish_until(world, "2", lambda: any("deploy v2" in effect for effect in world.azure.effects))
    recall(world, "2")
    return world


def a_recall_half_way() -> World:
    world = with_version_1()
    publish_until(world, "2", lambda: len(traffic_on_the_way(world)) == 2)
    recall(world, "2")
    return world


SCENES: list[Scene] = [
    a_new_endpoint,
    an_upgrade,
    an_upgrade_that_removes_the_old_one,
    an_upgrade_beside_a_tenants_own,
    an_upgrade_that_finds_no_quota,
    an_upgrade_that_refuses_its_sample,
    an_upgrade_of_a_batch_endpoint,
    an_upgrade_of_a_batch_endpoint_that_fails,
    an_endpoint_adopted_with_the_tenants_traffic_on_it,
    an_upgrade_where_the_tenant_gave_us_some_of_its_endpoint,
    an_endpoint_that_is_the_tenants,
    two_versions_at_once,
    a_cancel_while_it_is_deployed,
    a_cancel_half_way,
    a_recall_of_what_serves,
    a_recall_of_a_batch_endpoints_default,
    a_recall_of_the_only_version,
    a_recall_while_it_is_deployed,
    a_recall_half_way,
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


def is_free(world: World) -> bool:
    """Nobody whose delivery is open has the endpoint."""
    return not any(target.claimant in world.rows.deliveries for target in world.rows.targets.values())


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_crash_at_any_call_changes_nothing_in_the_end(scene: Scene, when: str) -> None:
    calm = scene()
    saboteur = sabotage(calm)
    calm.run()
    expected = outcome(calm)
    for call in range(1, saboteur.calls + 1):
        world = scene()
        getattr(sabotage(world), when).add(call)
        world.run(until=timedelta(hours=6))
        assert outcome(world) == expected, f"{when} call {call}"
        assert is_free(world), f"{when} call {call}"
