"""A command that comes again, late, or together with another one: it has its effect once, whole, and nothing swallows it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from handlers import commands as command_handler
from shared.actions import Register
from shared.errors import Owner, Permanent
from shared.messages import Outgoing, Queue, Received
from shared.states import DeliveryState, ShareState
from shared.tenants import Approver, Publication
from tests.fakes import World
from tests.unit.command_world import (
    FORBIDDEN,
    PUSH,
    SHARE,
    asking,
    before_call,
    delivery_to,
    dies,
    endpoint_named,
    failed_world,
    handle_now,
    pull_of,
    put,
    tenants_that_have_it,
    with_tenant,
)
from tests.unit.test_command_flow import (
    rejected,
    send,
    shared_world,
    the_delivery,
    the_share,
    with_tenants,
    without_subscription,
)
from tests.unit.test_disturbances import with_registry
from tests.unit.world import EVERY_MODEL, a_world, credit_card, register, subscriber, workspace

# ---- the same message again


def test_a_retry_from_before_the_last_one_has_no_second_effect() -> None:
    world = failed_world()
    retry = {"type": "retry", "delivery": str(the_delivery(world).address)}
    for message in ("retry-1", "retry-2"):
        world.azure.failing["register"] = FORBIDDEN
        send(world, message, **retry)
    world.clock.time += timedelta(hours=1)
    send(world, "retry-1", **retry)
    assert the_delivery(world).state is DeliveryState.FAILED


def test_a_message_that_was_sent_without_an_id_is_known_again_when_the_queue_brings_it_twice() -> None:
    world = failed_world()
    body = json.dumps({"type": "retry", "delivery": str(the_delivery(world).address)}).encode()
    for sequence_number in (7, 7, 8):
        world.azure.failing["register"] = FORBIDDEN
        command_handler.handle(Received(body, "", sequence_number), world)
        world.run()
    assert len(the_delivery(world).commands) == 2


@pytest.mark.parametrize("verdict", [{"type": "cancel"}, {"type": "reject", "by": "jo"}], ids=["cancel", "reject"])
def test_what_was_ended_and_asked_for_anew_is_not_ended_by_the_same_message(verdict: dict[str, str]) -> None:
    world = shared_world(asking(Approver.SUBSCRIBER, subscriber("adventure", Register())))
    ending = {**verdict, "delivery": str(the_delivery(world).address)}
    send(world, "end-1", **ending)
    assert the_delivery(world).state is DeliveryState.CANCELLED
    send(world, **PUSH)
    world.clock.time += timedelta(hours=1)
    send(world, "end-1", **ending)
    assert the_delivery(world).state is DeliveryState.AWAITING_APPROVAL
    assert world.queues.rejected == []


def test_an_approval_of_what_failed_since_approves_nothing_that_is_asked_for_anew() -> None:
    world = shared_world(asking(Approver.SUBSCRIBER, subscriber("adventure", Register())))
    world.azure.failing["register"] = FORBIDDEN
    approval = {"type": "approve", "delivery": str(the_delivery(world).address), "by": "jo"}
    send(world, "approve-1", **approval)
    send(world, **PUSH)
    world.clock.time += timedelta(hours=1)
    send(world, "approve-1", **approval)
    assert the_delivery(world).state is DeliveryState.AWAITING_APPROVAL


def test_a_cancelled_share_that_is_retried_is_not_cancelled_by_the_same_message() -> None:
    world = a_world(subscriber("adventure", Register()))
    world.azure.seconds = 600
    register(world, credit_card())
    world.run(stop=lambda: bool(world.azure.effects))
    cancel = {"type": "cancel", "share": str(the_share(world).address)}
    handle_now(world, **cancel)
    world.run()
    assert the_share(world).state is ShareState.FAILED
    put(world, type="retry", share=str(the_share(world).address))
    world.run(stop=lambda: the_share(world).state is ShareState.REQUESTED)
    handle_now(world, **cancel)
    world.run()
    assert the_share(world).state is ShareState.SHARED


def test_a_push_sent_again_once_the_rules_are_mended_reaches_whom_it_left_out() -> None:
    world = shared_world(subscriber("fabrikam", Register()), without_subscription("tailspin"))
    push = {**PUSH, "to": ["fabrikam", "tailspin"]}
    send(world, "push-1", **push)
    assert rejected(world) == "not_subscribed"
    with_tenants(world, subscriber("tailspin", Register()))
    world.clock.time += timedelta(hours=1)
    send(world, "push-1", **push)
    assert tenants_that_have_it(world) == {"fabrikam", "tailspin"}


def test_each_push_that_leaves_somebody_out_opens_again_what_failed_once() -> None:
    world = failed_world()
    for message in ("push-1", "push-2", "push-1"):
        world.azure.failing["register"] = FORBIDDEN
        send(world, message, **{**PUSH, "to": ["adventure", "nobody"]})
        world.clock.time += timedelta(hours=1)
    assert the_delivery(world).commands == ("push-1 in part", "push-2 in part")


def test_a_push_opens_again_what_failed_though_its_process_dies_on_the_way() -> None:
    world = failed_world()
    before_call(world, "reopen", dies)
    send(world, **PUSH)
    assert the_delivery(world).state is DeliveryState.DELIVERED


def test_a_rejected_message_is_as_it_came_however_often_it_was_postponed() -> None:
    world = a_world()
    long_id = "order-" + 100 * "6"
    message = Outgoing(json.dumps(SHARE).encode(), long_id, correlation_id="order-66", properties={"shop": "west"})
    world.queues.send(Queue.COMMANDS, [message])
    world.run()
    (back,) = world.queues.rejected
    reason = {"fanout_code", "fanout_reason", "fanout_owner", "fanout_remedy", "fanout_came_by"}
    assert (back.body, back.message_id, back.correlation_id) == (message.body, long_id, "order-66")
    assert {name: value for name, value in back.properties.items() if name not in reason} == {"shop": "west"}


# ---- two commands at once


def test_a_pull_that_loses_one_delivery_to_a_retry_still_brings_the_other() -> None:
    world = shared_world(without_subscription("fabrikam"))
    pull = pull_of("fabrikam", "register", endpoint_named("cards"))
    world.azure.failing |= {"register": FORBIDDEN, "deploy": FORBIDDEN}
    send(world, **pull)
    registration = next(row for row in world.rows.closed.values() if row.action == Register())
    before_call(world, "reopen", lambda: handle_now(world, type="retry", delivery=str(registration.address)))
    send(world, **pull)
    assert [row.state for row in world.rows.closed.values()] == [DeliveryState.DELIVERED, DeliveryState.DELIVERED]


def test_a_share_that_loses_one_registry_to_a_retry_still_reaches_the_other() -> None:
    world = a_world(subscriber("adventure", Register()))
    with_registry(world, "second-hub")
    world.azure.failing["import"] = Permanent("forbidden", "no role", Owner.PROVIDER, "assign it")
    register(world, credit_card())
    world.run()
    both = tuple(Publication(name, name, EVERY_MODEL, ("*",)) for name in ("hub", "second-hub"))
    with_tenant(world, "northwind", publications=both)
    share = str(the_share(world).address)
    before_call(world, "replace", lambda: handle_now(world, type="retry", share=share))
    send(world, **SHARE)
    assert {row.registry: row.state for row in world.rows.shares.values()} == {
        "hub": ShareState.SHARED,
        "second-hub": ShareState.SHARED,
    }


# ---- a pull by many actions


def test_the_deliveries_of_a_pull_are_planned_all_at_once() -> None:
    world = shared_world(without_subscription("fabrikam"))
    put(world, **pull_of("fabrikam", "register", *(endpoint_named(f"cards-{n}") for n in range(19))))
    world.run(stop=lambda: bool(world.rows.deliveries))
    assert len(world.rows.deliveries) == 20


def test_a_pull_by_more_actions_than_are_planned_at_once_is_refused() -> None:
    world = shared_world(without_subscription("fabrikam"))
    send(world, **pull_of("fabrikam", *(endpoint_named(f"cards-{n}") for n in range(21))))
    assert rejected(world) == "bad_command"
    assert world.rows.closed == {}


@pytest.mark.parametrize("before", ["register", {"register": {"mode": "copy"}}], ids=["reference", "copy"])
def test_a_pull_in_another_mode_than_it_was_delivered_by_says_so(before: Any) -> None:
    world = shared_world(without_subscription("fabrikam"))
    other = {"register": {"mode": "copy"}} if before == "register" else "register"
    send(world, **pull_of("fabrikam", before))
    mode = the_delivery(world).mode
    send(world, **pull_of("fabrikam", other))
    assert rejected(world) == "delivered_already"
    assert the_delivery(world).mode is mode


def test_what_was_delivered_in_another_mode_keeps_back_no_other_action_of_a_pull() -> None:
    world = shared_world(subscriber("fabrikam", Register()))
    send(world, **pull_of("fabrikam", {"register": {"mode": "copy"}}, endpoint_named("cards")))
    assert rejected(world) == "delivered_already"
    assert (workspace("fabrikam"), "cards") in world.azure.endpoints


# ---- push


def test_what_a_push_opens_again_waits_for_the_approval_that_its_subscription_asks_for() -> None:
    world = shared_world(without_subscription("fabrikam"))
    world.azure.failing["register"] = FORBIDDEN
    send(world, **pull_of("fabrikam"))
    with_tenants(world, asking(Approver.PROVIDER, subscriber("fabrikam", Register())))
    send(world, **PUSH)
    assert the_delivery(world).state is DeliveryState.AWAITING_APPROVAL


def test_what_failed_after_its_approval_asks_for_another_when_it_is_pushed_again() -> None:
    world = shared_world(asking(Approver.PROVIDER, subscriber("fabrikam", Register())))
    world.azure.failing["register"] = FORBIDDEN
    send(world, type="approve", delivery=str(the_delivery(world).address), by="jo")
    send(world, **PUSH)
    assert the_delivery(world).state is DeliveryState.AWAITING_APPROVAL


def a_cancelled_push() -> World:
    world = shared_world(subscriber("adventure", Register()))
    with_tenants(world, subscriber("fabrikam", Register()), without_subscription("tailspin"))
    put(world, **PUSH)
    world.run(stop=lambda: the_share(world).state is ShareState.FANNING_OUT)
    handle_now(world, type="cancel", share=str(the_share(world).address))
    world.run()
    return world


def test_a_cancelled_push_leaves_the_asset_shared() -> None:
    world = a_cancelled_push()
    assert the_share(world).state is ShareState.SHARED
    assert world.outcomes.of_type("ShareFailed") == []
    assert tenants_that_have_it(world) == {"adventure"}


@pytest.mark.parametrize(("command", "receiver"), [(PUSH, "fabrikam"), (pull_of("tailspin"), "tailspin")], ids=["push", "pull"])
def test_after_a_cancelled_push_the_asset_is_delivered_as_before(command: dict[str, Any], receiver: str) -> None:
    world = a_cancelled_push()
    send(world, **command)
    assert delivery_to(world, receiver).state is DeliveryState.DELIVERED


# ---- correlation id


def retry_of(world: World) -> dict[str, Any]:
    return {"type": "retry", "delivery": str(the_delivery(world).address)}


@pytest.mark.parametrize("command", [retry_of, lambda _: PUSH, lambda _: pull_of("adventure")], ids=["retry", "push", "pull"])
def test_what_a_command_opens_again_is_told_with_its_correlation_id(command: Any) -> None:
    world = failed_world()
    world.outcomes.wanted = True
    send(world, **command(world))
    (told,) = world.outcomes.of_type("AssetDelivered")
    assert told.correlation_id == "order-66"


def test_a_correlation_id_among_the_properties_is_as_long_as_service_bus_has_it() -> None:
    world = shared_world(without_subscription("fabrikam"))
    body = json.dumps(pull_of("fabrikam")).encode()
    world.queues.send(Queue.COMMANDS, [Outgoing(body, "pull", properties={"correlation_id": "x" * 200})])
    world.run()
    assert the_delivery(world).correlation_id == "x" * 128
