"""Worlds for tests of one subscriber's endpoint: the versions that arrive, what the endpoint holds, what the rows say."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.actions import Endpoint as Action
from shared.endpoints import Deployment, Endpoint, deployment_name
from shared.messages import Outgoing, Queue
from shared.rows import DeliveryRow
from shared.states import DeliveryState
from tests.fakes import World
from tests.unit.world import CARDS, a_world, credit_card, register, subscriber, workspace

FABRIKAM = workspace("fabrikam")


def a_subscriber_of(action: Action) -> World:
    return a_world(subscriber("fabrikam", action))


def publish(world: World, *versions: str) -> None:
    """Each version arrives before the next one is registered."""
    for version in versions:
        register(world, credit_card(version))
        world.run()


def publish_until(world: World, version: str, stop: Callable[[], bool]) -> None:
    register(world, credit_card(version))
    world.run(stop=stop)
    assert stop()


def send(world: World, **command: Any) -> None:
    message = Outgoing(json.dumps(command).encode(), f"message-{len(world.queues.seen)}")
    world.queues.send(Queue.COMMANDS, [message])


def recall(world: World, version: str) -> None:
    asset = {"kind": "model", "name": "credit-card", "version": version}
    send(world, type="recall", asset=asset, reason="biased")


def command(world: World, kind: str, version: str) -> None:
    send(world, type=kind, delivery=str(deliveries(world)[version].address))


def deliveries(world: World) -> dict[str, DeliveryRow]:
    """By version, open or closed."""
    return {row.asset.version: row for row in (*world.rows.deliveries.values(), *world.rows.closed.values())}


def states(world: World) -> dict[str, DeliveryState]:
    return {version: row.state for version, row in deliveries(world).items()}


def the_endpoint(world: World, action: Action = CARDS) -> Endpoint:
    """Once all is done that Azure has begun."""
    world.clock.time += timedelta(minutes=10)
    found = world.azure.endpoint(FABRIKAM, action)
    assert found
    return found


def deployment_of(version: str, action: Action = CARDS) -> str:
    asset = credit_card(version)
    return deployment_name(asset, str(DeliveryRow.address_of(asset, "hub", FABRIKAM, action.route)))


def versions_of(endpoint: Endpoint) -> set[str]:
    """Those of Fanout's deployments."""
    return {each.version for each in endpoint.ours().values()}


def serving(endpoint: Endpoint) -> dict[str, int]:
    """The traffic by version, or by name where it is the tenant's own."""
    names = {each.name: each.version if each.is_ours else each.name for each in endpoint.deployments}
    return {names[name]: percent for name, percent in endpoint.traffic.items() if percent}


def deploy_by_hand(world: World, name: str, percent: int, action: Action = CARDS) -> None:
    """A tenant's own deployment, its traffic taken from all others in proportion; on its own endpoint where there is none."""
    there = world.azure.endpoints.get((FABRIKAM, action.name)) or Endpoint(action.name, "succeeded", {"team": "risk"})
    others = {each: share * (100 - percent) // 100 for each, share in there.traffic.items()}
    traffic = {each: share for each, share in {**others, name: percent}.items() if share}
    own = Deployment(name, "succeeded")
    world.azure.put(FABRIKAM, replace(there, deployments=(*there.deployments, own), traffic=traffic))


def traffic_on_the_way(world: World) -> list[str]:
    return [effect for effect in world.azure.effects if effect.startswith("traffic")]
