"""The process dies at each of its calls in turn, while assets of every kind are shared, copied, pushed, pulled and recalled.

Whatever the call, and whether it had taken effect, all ends as if nothing had happened; and who listens is told once.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared import commands
from shared.actions import Mode
from shared.assets import Asset, Kind, RegistryAsset
from shared.errors import Owner, Permanent
from shared.messages import Outgoing, Queue
from shared.rows import DeliveryRow
from shared.tenants import Approver, Tenant, TenantState, Window
from tests.fakes import World
from tests.saboteur import sabotage
from tests.unit.test_every_kind import ENVIRONMENT, STEP, registered, with_components, world_of
from tests.unit.world import PUBLISHER, workspace

CARDS = Asset(Kind.DATA, "cards", "1")
MODEL = Asset(Kind.MODEL, "credit-card", "1")
FABRIKAM = workspace("fabrikam")

type Scene = Callable[[], World]


def heard(world: World) -> World:
    world.outcomes.wanted = True
    return world


def send(world: World, message_id: str, body: Mapping[str, Any]) -> None:
    world.queues.send(Queue.COMMANDS, [Outgoing(json.dumps(body).encode(), message_id, correlation_id="order-66")])


def share(world: World, asset: Asset) -> None:
    world.queues.send(Queue.COMMANDS, [Outgoing(commands.share_of(PUBLISHER, asset), f"share-{asset}")])


def named(asset: Asset) -> dict[str, str]:
    return {"kind": asset.kind, "name": asset.name, "version": asset.version}


def pull_of(asset: Asset) -> dict[str, Any]:
    return {"type": "pull", "tenant": "fabrikam", "workspace": str(FABRIKAM), "asset": named(asset)}


def with_fabrikam(world: World, change: Callable[[Tenant], Tenant]) -> World:
    tenants = dict(world.rules.rules.tenants)
    tenants["fabrikam"] = change(tenants["fabrikam"])
    world.rules.rules = replace(world.rules.rules, tenants=tenants)
    return world


def without_subscriptions(tenant: Tenant) -> Tenant:
    return replace(tenant, subscriptions=())


def asking_first(tenant: Tenant) -> Tenant:
    return replace(tenant, subscriptions=tuple(replace(each, approval=Approver.SUBSCRIBER) for each in tenant.subscriptions))


def within_a_window(tenant: Tenant) -> Tenant:
    """It opens half an hour after the world begins, beyond what is scheduled ahead."""
    window = Window("30 12 * * *", timedelta(minutes=90), "UTC")
    return replace(tenant, subscriptions=tuple(replace(each, window=window) for each in tenant.subscriptions))


def a_shared(asset: Asset, world: World) -> World:
    registered(world, asset, uri="azureml://paths/cards")
    share(world, asset)
    world.run()
    return world


# ---- the scenes: what is on the queue when the process begins to die


def a_component_with_environment_and_code_is_shared() -> World:
    world = heard(world_of())
    with_components(world)
    share(world, STEP)
    return world


def a_component_of_a_private_environment_is_shared() -> World:
    world = heard(world_of(Kind.COMPONENT))
    with_components(world)
    share(world, STEP)
    return world


def an_environment_and_a_model_are_shared() -> World:
    world = heard(world_of())
    registered(world, ENVIRONMENT, {"image": "mcr.microsoft.com/x:1"})
    registered(world, MODEL, uri="azureml://paths/card")
    share(world, ENVIRONMENT)
    share(world, MODEL)
    return world


def the_failed_share_of_data_is_retried() -> World:
    world = heard(world_of())
    world.azure.failing["import"] = Permanent("forbidden", "no role", Owner.PROVIDER, "assign it")
    world = a_shared(CARDS, world)
    (row,) = world.rows.shares.values()
    send(world, "retry", {"type": "retry", "share": str(row.address)})
    return world


def data_is_copied() -> World:
    world = heard(world_of(mode=Mode.COPY))
    registered(world, CARDS, uri="azureml://paths/cards")
    share(world, CARDS)
    return world


def data_is_pushed_to_who_came_later() -> World:
    base = world_of().rules.rules
    world = a_shared(CARDS, heard(with_fabrikam(world_of(), without_subscriptions)))
    world.rules.rules = base
    send(world, "push", {"type": "push", "asset": named(CARDS), "to": "subscribers"})
    return world


def data_is_pushed_to_whom_it_failed() -> World:
    world = heard(world_of())
    world.azure.failing["register"] = Permanent("forbidden", "no role", Owner.SUBSCRIBER, "assign it")
    world = a_shared(CARDS, world)
    send(world, "push", {"type": "push", "asset": named(CARDS), "to": "subscribers"})
    return world


def data_is_pulled() -> World:
    world = a_shared(CARDS, heard(with_fabrikam(world_of(), without_subscriptions)))
    send(world, "pull", pull_of(CARDS))
    return world


def what_was_made_in_the_registry_is_pulled() -> World:
    world = heard(with_fabrikam(world_of(), without_subscriptions))
    world.azure.registry["hub", MODEL] = RegistryAsset(MODEL, "hub", "https://store/hub/1", "mlflow_model")
    send(world, "pull", pull_of(MODEL))
    return world


def delivered_data_is_recalled() -> World:
    world = a_shared(CARDS, heard(world_of()))
    send(world, "recall", {"type": "recall", "asset": named(CARDS), "reason": "leaks card numbers"})
    return world


def data_is_recalled_that_one_has_and_another_has_still_to_approve() -> World:
    world = heard(world_of())
    tenants = dict(world.rules.rules.tenants)
    tailspin = Tenant("tailspin", TenantState.ACTIVE, (workspace("tailspin"),))
    wish = replace(tenants["fabrikam"].subscriptions[0], into=workspace("tailspin"))
    tenants["tailspin"] = asking_first(replace(tailspin, subscriptions=(wish,)))
    world.rules.rules = replace(world.rules.rules, tenants=tenants)
    world = a_shared(CARDS, world)
    assert len(world.rows.deliveries) == len(world.rows.closed) == 1
    send(world, "recall", {"type": "recall", "asset": named(CARDS), "reason": "leaks card numbers"})
    return world


def data_is_approved() -> World:
    world = a_shared(CARDS, heard(with_fabrikam(world_of(), asking_first)))
    (delivery,) = world.rows.deliveries.values()
    send(world, "approve", {"type": "approve", "delivery": str(delivery.address), "by": "jo@fabrikam"})
    return world


def data_is_held_until_a_window_opens() -> World:
    world = heard(with_fabrikam(world_of(), within_a_window))
    registered(world, CARDS, uri="azureml://paths/cards")
    share(world, CARDS)
    return world


SCENES: list[Scene] = [
    a_component_with_environment_and_code_is_shared,
    a_component_of_a_private_environment_is_shared,
    an_environment_and_a_model_are_shared,
    the_failed_share_of_data_is_retried,
    data_is_copied,
    data_is_pushed_to_who_came_later,
    data_is_pushed_to_whom_it_failed,
    data_is_pulled,
    what_was_made_in_the_registry_is_pulled,
    delivered_data_is_recalled,
    data_is_recalled_that_one_has_and_another_has_still_to_approve,
    data_is_approved,
    data_is_held_until_a_window_opens,
]


def outcome(world: World) -> dict[str, object]:
    """What there is in the end, without what time decides."""
    azure, rows = world.azure, world.rows
    return {
        "workspaces": {
            f"{at.name}: {asset}": replace(there, created_at=datetime.min) for (at, asset), there in azure.assets.items()
        },
        "registry": {str(asset): there for (_, asset), there in azure.registry.items()},
        "code and copies": (set(azure.codes), set(azure.copied)),
        "effects": sorted(azure.effects),
        "shares": {str(row.asset): (row.state, row.reason, row.recall, row.correlation_id) for row in rows.shares.values()},
        "deliveries": {str(row.address): (row.state, row.mode, checksum(row), row.done) for row in rows.closed.values()},
        "open": set(rows.deliveries),
        "told": sorted((each.type, each.topic, each.subject, str(each.data)) for each in world.outcomes.published.values()),
        "rejected": [message.properties for message in world.queues.rejected],
    }


def checksum(row: DeliveryRow) -> str:
    """The last word of what a copy brought: the numbers before it may be lost."""
    return (row.copied or "").rpartition(" ")[2]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_crash_at_any_call_changes_nothing_in_the_end(scene: Scene, when: str) -> None:
    calm = scene()
    saboteur = sabotage(calm)
    calm.run()
    expected = outcome(calm)
    assert saboteur.calls
    for call in range(1, saboteur.calls + 1):
        world = scene()
        getattr(sabotage(world), when).add(call)
        world.run(until=timedelta(hours=6))
        assert outcome(world) == expected, f"{when} call {call}"


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_undisturbed_the_scene_comes_to_its_end(scene: Scene) -> None:
    world = scene()
    world.run()
    assert world.rows.deliveries == {}
    assert world.outcomes.published
    assert world.queues.rejected == []
