"""Worlds for tests of what commands meet: races, crashes, a topic that is down, workspaces that do not answer."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from handlers import commands as command_handler
from shared.actions import Register
from shared.assets import Asset, WorkspaceAsset, WorkspaceId
from shared.errors import Owner, Permanent, Transient, Unavailable
from shared.messages import Outgoing, Queue, Received
from shared.rows import DeliveryRow
from shared.states import DeliveryState
from shared.tenants import Approver, Tenant
from tests.fake_azure import FakeAzure, FakeWorkspaces
from tests.fakes import Crash, FakeRows, World
from tests.unit.test_command_flow import CARD, the_delivery
from tests.unit.world import PUBLISHER, a_world, credit_card, register, subscriber, workspace

FORBIDDEN = Permanent("forbidden", "no role", Owner.SUBSCRIBER, "assign it")
SHARE: dict[str, Any] = {"type": "share", "workspace": str(PUBLISHER), "asset": CARD}
PUSH: dict[str, Any] = {"type": "push", "asset": CARD, "to": "subscribers"}
RECALL: dict[str, Any] = {"type": "recall", "asset": CARD, "reason": "leaks card numbers"}


def pull_of(tenant: str, *actions: Any) -> dict[str, Any]:
    command = {"type": "pull", "tenant": tenant, "workspace": str(workspace(tenant)), "asset": CARD}
    return {**command, "actions": list(actions)} if actions else command


def endpoint_named(name: str) -> dict[str, Any]:
    return {"online_endpoint": {"name": name, "instance_type": "Standard_DS3_v2", "instance_count": 1}}


def put(world: World, message_id: str = "", **command: Any) -> None:
    """A command on the queue, which nobody has taken up yet."""
    name = message_id or f"message-{len(world.queues.seen)}"
    world.queues.send(Queue.COMMANDS, [Outgoing(json.dumps(command).encode(), name, correlation_id="order-66")])


def handle_now(world: World, **command: Any) -> None:
    """Another host carries a command out at this very moment."""
    command_handler.handle(Received(json.dumps(command).encode(), f"elsewhere-{command['type']}", 99_999), world)


def with_tenant(world: World, name: str, **changes: Any) -> None:
    """The rules of a tenant change."""
    known = world.rules.rules
    tenants = {**known.tenants, name: replace(known.tenants[name], **changes)}
    world.rules.rules = replace(known, tenants=tenants, revision=known.revision + 1)


def without_tenant(world: World, name: str) -> None:
    known = world.rules.rules
    tenants = {each: tenant for each, tenant in known.tenants.items() if each != name}
    world.rules.rules = replace(known, tenants=tenants, revision=known.revision + 1)


def asking(approver: Approver, tenant: Tenant) -> Tenant:
    """The tenant, whose deliveries all wait for an approval."""
    return replace(tenant, subscriptions=tuple(replace(wish, approval=approver) for wish in tenant.subscriptions))


def failed_world() -> World:
    """Adventure's delivery has failed, for a reason that is mended since."""
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["register"] = FORBIDDEN
    register(world, credit_card())
    world.run()
    assert the_delivery(world).state is DeliveryState.FAILED
    return world


def delivery_to(world: World, tenant: str) -> DeliveryRow:
    rows = [*world.rows.deliveries.values(), *world.rows.closed.values()]
    (row,) = [row for row in rows if row.tenant == tenant]
    return row


def tenants_that_have_it(world: World) -> set[str]:
    return {at.name for at, asset in world.azure.assets if asset == credit_card()} - {PUBLISHER.name}


@contextmanager
def topic_down(world: World) -> Iterator[None]:
    """Whoever listens cannot be reached meanwhile."""
    world.outcomes.wanted = True
    world.outcomes.failing = [Transient("the topic is down")] * 10_000
    yield
    world.outcomes.failing = []


def told(world: World, topic: str) -> list[str]:
    """The types of the outcomes that a tenant was told, in order."""
    return [outcome.type.removeprefix("Fanout.") for outcome in world.outcomes.published.values() if outcome.topic == topic]


class _Raced:
    """A port, and what happens elsewhere just before one of its calls."""

    def __init__(self, port: object, call: str, number: int, meanwhile: Callable[[], None]) -> None:
        self._port, self._call, self._left, self._meanwhile = port, call, number, meanwhile

    def __getattr__(self, name: str) -> Any:
        if name == self._call:
            self._left -= 1
            if self._left == 0:
                self._meanwhile()
        return getattr(self._port, name)


def before_call(world: World, call: str, meanwhile: Callable[[], None], number: int = 1) -> None:
    """Just before the rows' next call of this name, or the one so many later, something happens elsewhere, once."""
    world.rows = cast(FakeRows, _Raced(world.rows, call, number, meanwhile))


def dies() -> None:
    raise Crash


class SickWorkspaces(FakeWorkspaces):
    """Some of them do not answer."""

    def __init__(self, azure: FakeAzure, *sick: str) -> None:
        super().__init__(azure)
        self.sick = sick

    def asset(self, workspace: WorkspaceId, asset: Asset) -> WorkspaceAsset | None:
        if workspace.name in self.sick:
            raise Unavailable("timed out")
        return super().asset(workspace, asset)
