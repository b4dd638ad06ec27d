"""A row whose outcome is not out yet: a command waits for that, and neither is lost; a recall alone waits for nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest

from shared.actions import Register
from shared.outcomes import Outcome
from shared.states import DeliveryState, ShareState
from shared.tenants import Approver
from tests.fakes import FakeOutcomes, World
from tests.unit.command_world import (
    FORBIDDEN,
    PUSH,
    RECALL,
    SHARE,
    asking,
    handle_now,
    pull_of,
    put,
    tenants_that_have_it,
    told,
    topic_down,
)
from tests.unit.test_command_flow import send, the_delivery, the_share, with_tenants
from tests.unit.world import a_world, credit_card, register, subscriber


def delivery_is(state: DeliveryState, world: World) -> Callable[[], bool]:
    return lambda: any(row.state is state for row in world.rows.deliveries.values())


@contextmanager
def untold(world: World, state: DeliveryState) -> Iterator[None]:
    """The delivery has come to this state, and whoever listens has not heard of it; afterwards all goes on."""
    register(world, credit_card())
    world.outcomes.wanted = True
    world.run(stop=lambda: bool(world.rows.deliveries))
    with topic_down(world):
        world.run(stop=delivery_is(state, world))
        yield
        world.run(timedelta(minutes=5))
    world.run(timedelta(hours=3))


def test_an_approval_waits_until_it_is_told_that_one_is_asked_for() -> None:
    world = a_world(asking(Approver.SUBSCRIBER, subscriber("fabrikam", Register())))
    with untold(world, DeliveryState.AWAITING_APPROVAL):
        put(world, type="approve", delivery=str(the_delivery(world).address), by="jo")
    assert told(world, "fabrikam") == ["DeliveryAwaitingApproval", "AssetDelivered"]


def test_a_rejection_waits_until_it_is_told_that_an_approval_is_asked_for() -> None:
    world = a_world(asking(Approver.SUBSCRIBER, subscriber("fabrikam", Register())))
    with untold(world, DeliveryState.AWAITING_APPROVAL):
        put(world, type="reject", delivery=str(the_delivery(world).address), by="jo")
    assert the_delivery(world).state is DeliveryState.CANCELLED
    assert told(world, "fabrikam") == ["DeliveryAwaitingApproval"]


def test_a_retry_waits_until_the_failure_is_told() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["register"] = FORBIDDEN
    with untold(world, DeliveryState.FAILED):
        put(world, type="retry", delivery=str(the_delivery(world).address))
    assert told(world, "adventure") == ["DeliveryFailed", "AssetDelivered"]


def test_a_pull_waits_until_the_failure_is_told() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["register"] = FORBIDDEN
    with untold(world, DeliveryState.FAILED):
        put(world, **pull_of("adventure"))
    assert told(world, "adventure") == ["DeliveryFailed", "AssetDelivered"]


def test_a_push_waits_until_it_is_told_that_the_asset_is_shared() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card())
    with topic_down(world):
        world.run(timedelta(minutes=20))
        with_tenants(world, subscriber("fabrikam", Register()))
        put(world, **PUSH)
        world.run(timedelta(minutes=5))
    world.run()
    assert told(world, "northwind") == ["AssetShared"]
    assert tenants_that_have_it(world) == {"adventure", "fabrikam"}


@pytest.mark.parametrize("again", ["retry", "share"])
def test_a_share_asked_for_again_waits_until_its_failure_is_told(again: str) -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["import"] = FORBIDDEN
    register(world, credit_card())
    with topic_down(world):
        world.run(timedelta(minutes=5))
        put(world, **({"type": "retry", "share": str(the_share(world).address)} if again == "retry" else SHARE))
        world.run(timedelta(minutes=5))
    world.run()
    assert told(world, "northwind") == ["ShareFailed", "AssetShared"]


class Answered(FakeOutcomes):
    """Somebody approves as soon as he hears that his approval is asked for, before the row can note that he was told."""

    def __init__(self, world: World) -> None:
        super().__init__(wanted=True)
        self._world = world

    def publish(self, outcomes: Sequence[Outcome]) -> None:
        super().publish(outcomes)
        for outcome in outcomes:
            if outcome.type == "Fanout.DeliveryAwaitingApproval":
                handle_now(self._world, type="approve", delivery=outcome.data["delivery"], by="a pipeline")


def test_an_approval_that_comes_at_once_lets_the_delivery_go_on() -> None:
    world = a_world(asking(Approver.SUBSCRIBER, subscriber("fabrikam", Register())))
    world.outcomes = Answered(world)
    register(world, credit_card())
    world.run()
    assert the_delivery(world).state is DeliveryState.DELIVERED
    assert told(world, "fabrikam") == ["DeliveryAwaitingApproval", "AssetDelivered"]


def test_a_recall_does_not_wait_until_a_failure_is_told() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.failing["register"] = FORBIDDEN
    with untold(world, DeliveryState.FAILED):
        put(world, **RECALL)
        world.run(timedelta(minutes=5))
        assert the_delivery(world).state is DeliveryState.RECALLED
    assert told(world, "adventure") == ["AssetRecalled"]


def test_a_recall_does_not_wait_until_it_is_told_that_the_asset_is_shared() -> None:
    world = a_world(subscriber("adventure", Register()))
    register(world, credit_card())
    with topic_down(world):
        world.run(timedelta(minutes=20))
        put(world, **RECALL)
        world.run(timedelta(minutes=20))
        assert the_share(world).state is ShareState.RECALLED
    world.run()
    assert told(world, "northwind") == []
    assert told(world, "provider") == ["AssetRecalled"]


def test_a_push_is_no_news_of_the_asset() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.outcomes.wanted = True
    register(world, credit_card())
    world.run()
    world.outcomes.published.clear()
    send(world, **PUSH)
    assert world.outcomes.published == {}
