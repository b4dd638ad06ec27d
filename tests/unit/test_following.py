"""What `--wait` makes of a command: looked at between any two steps of the app, it never tells an outcome too early."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.cli.following import Following, Outcome
from handlers.cli.sending import Sent
from shared import commands
from shared.actions import Register
from shared.messages import Outgoing, Queue, Received
from shared.rows import is_done
from shared.states import DeliveryState
from shared.tenants import Approver
from tests.fakes import World
from tests.unit.command_world import FORBIDDEN, PUSH, RECALL, SHARE, SickWorkspaces, asking, delivery_to, failed_world, pull_of
from tests.unit.endpoint_world import a_subscriber_of, deliveries, publish, publish_until
from tests.unit.test_command_flow import CARD, shared_world, without_subscription
from tests.unit.world import CARDS, PUBLISHER, a_world, credit_card, register, subscriber, workspace


@dataclass
class FakeKeptMessages:
    """The messages that the world's queues hold."""

    world: World

    def peek(self, queue: Queue, after: int = 0) -> Iterator[Received]:
        held = [(due.number, due.message) for due in self.world.queues.due if due.queue is queue]
        kept = list(enumerate(self.world.queues.rejected, 1)) if queue is Queue.REJECTED else sorted(held, key=lambda one: one[0])
        for number, message in kept:
            if number > after:
                yield Received(message.body, message.message_id, number, message.correlation_id, properties=message.properties)

    def take_out(self, queue: Queue, sequence_number: int, once: Callable[[], None]) -> None:
        raise NotImplementedError


class Operator:
    """Sends commands to a world, and follows the last one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.kept_messages = FakeKeptMessages(world)

    @property
    def rows(self) -> Any:
        return self._world.rows

    @property
    def rules(self) -> Any:
        return self._world.rules

    def send(self, message_id: str = "mine", **command: Any) -> Following:
        body = json.dumps(command).encode()
        self._world.queues.send(Queue.COMMANDS, [Outgoing(body, message_id, correlation_id="order-1")])
        return Following(Sent(commands.parse(body), message_id, "order-1"), self)


def followed(world: World, **command: Any) -> tuple[Following, list[Outcome]]:
    """The outcomes as they are told before each of the app's steps, and after the last."""
    following, seen = Operator(world).send(**command), []

    def look() -> bool:
        seen.append(following.look())
        return seen[-1] is not Outcome.OPEN

    world.run(stop=look)
    return following, [*seen, following.look()]


def published() -> World:
    """Northwind has registered a model that nobody shared yet."""
    world = a_world(subscriber("fabrikam", Register(), CARDS), subscriber("tailwind", Register()))
    register(world, credit_card())
    world.queues.due.clear()
    return world


def test_given_a_share_when_followed_then_it_is_done_once_every_delivery_is() -> None:
    following, seen = followed(published(), **SHARE)

    assert seen[-1] is Outcome.DONE
    assert len(following.rows) == 4  # the share, Fabrikam's two deliveries, Tailwind's one
    assert all(is_done(row) for row in following.rows.values())


def test_given_a_share_without_fan_out_when_followed_then_it_is_done_with_the_share() -> None:
    following, seen = followed(published(), **SHARE, fan_out=False)

    assert seen[-1] is Outcome.DONE
    assert len(following.rows) == 1


def test_given_an_event_that_was_first_when_shared_then_what_it_brought_is_told_at_once() -> None:
    world = shared_world(subscriber("fabrikam", Register()))

    following, seen = followed(world, **SHARE)

    assert seen[-1] is Outcome.DONE
    assert {getattr(row, "tenant", "the share") for row in following.rows.values()} == {"the share", "fabrikam"}


def test_given_deliveries_that_ended_before_when_shared_then_what_failed_is_told_and_what_was_ended_or_pulled_is_not() -> None:
    world = shared_world(subscriber("adventure", Register()), subscriber("fabrikam", Register()), without_subscription("tailwind"))
    followed(world, message_id="pulled", **pull_of("tailwind"))
    failed, cancelled, pulled = (delivery_to(world, tenant) for tenant in ("adventure", "fabrikam", "tailwind"))
    world.rows.closed[pulled.address] = replace(pulled, correlation_id="order-0")
    world.rows.closed[failed.address] = failed.failed(FORBIDDEN.reason)
    world.rows.closed[cancelled.address] = replace(cancelled, state=DeliveryState.CANCELLED)

    following, seen = followed(world, **SHARE)

    assert seen[-1] is Outcome.FAILED
    assert {getattr(row, "tenant", "the share") for row in following.rows.values()} == {"the share", "adventure"}


def test_given_a_delivery_by_another_route_that_waits_when_one_is_pushed_again_then_it_is_not_waited_for() -> None:
    tenant = subscriber("fabrikam", Register(), CARDS)
    (wish,) = tenant.subscriptions
    wishes = (replace(wish, actions=(Register(),)), replace(wish, name="live", actions=(CARDS,), approval=Approver.SUBSCRIBER))
    world = shared_world(replace(tenant, subscriptions=wishes))

    following, seen = followed(world, **{**PUSH, "to": ["fabrikam"], "actions": ["register"]})

    assert seen[-1] is Outcome.DONE
    assert not [row for row in following.rows.values() if row.state is DeliveryState.AWAITING_APPROVAL]


def test_given_a_delivery_that_fails_when_shared_then_the_outcome_is_a_failure() -> None:
    world = published()
    world.azure.failing["register"] = FORBIDDEN

    following, seen = followed(world, **SHARE)

    assert seen[-1] is Outcome.FAILED
    assert {row.reason.code for row in following.rows.values() if row.reason} == {"forbidden"}


def test_given_a_delivery_that_failed_when_retried_then_its_old_failure_is_not_the_outcome() -> None:
    world = failed_world()
    world.azure.failing.clear()

    _, seen = followed(world, type="retry", delivery=str(delivery_to(world, "adventure").address))

    assert Outcome.FAILED not in seen
    assert seen[-1] is Outcome.DONE


def test_given_a_delivery_that_failed_when_pushed_then_it_is_followed_and_who_has_it_already_is_not() -> None:
    world = a_world(subscriber("adventure", Register()), subscriber("fabrikam", Register()))
    register(world, credit_card())
    world.run()
    failed = delivery_to(world, "adventure")
    world.rows.closed[failed.address] = failed.failed(FORBIDDEN.reason)

    following, seen = followed(world, **PUSH)

    assert seen[-1] is Outcome.DONE
    assert {getattr(row, "tenant", None) for row in following.rows.values()} == {None, "adventure"}


def test_given_a_push_into_one_workspace_when_followed_then_another_that_is_under_way_is_not() -> None:
    world = a_world(subscriber("fabrikam", Register()), asking(Approver.PROVIDER, subscriber("tailwind", Register())))
    register(world, credit_card())
    world.run()

    following, seen = followed(world, **PUSH, into=[str(workspace("fabrikam"))])

    assert seen[-1] is Outcome.DONE
    assert [getattr(row, "tenant", None) for row in following.rows.values()] == [None]


def test_given_a_pull_when_followed_then_its_own_deliveries_are_the_outcome() -> None:
    world = shared_world(without_subscription("adventure"), subscriber("fabrikam", Register()))

    following, seen = followed(world, **pull_of("adventure", "register"))

    assert seen[-1] is Outcome.DONE
    assert [row.address for row in following.rows.values()] == [delivery_to(world, "adventure").address]


def test_given_what_is_delivered_already_when_pulled_then_that_is_the_outcome() -> None:
    world = shared_world(without_subscription("adventure"))
    followed(world, **pull_of("adventure"))

    following, seen = followed(world, message_id="again", **pull_of("adventure"))

    assert seen[-1] is Outcome.DONE
    assert len(following.rows) == 1


def test_given_a_command_that_is_not_allowed_when_followed_then_its_rejection_ends_the_wait() -> None:
    world = shared_world(subscriber("fabrikam", Register()))

    following, seen = followed(world, **pull_of("nobody"))

    assert seen[-1] is Outcome.REJECTED
    assert following.rejection
    assert following.rejection.properties["fanout_code"] == "not_allowed"


def test_given_a_workspace_that_does_not_answer_when_shared_then_the_wait_goes_on_over_all_attempts() -> None:
    world = published()
    answers, world.workspaces = world.workspaces, SickWorkspaces(world.azure, PUBLISHER.name)
    following = Operator(world).send(**SHARE)

    world.run(stop=lambda: following.look() is not Outcome.OPEN or following.attempt == 3)
    attempts = following.attempt
    world.workspaces = answers
    world.run(stop=lambda: following.look() is not Outcome.OPEN)

    assert attempts == 3
    assert following.look() is Outcome.DONE


def test_given_a_cancelled_delivery_when_followed_then_that_is_what_was_wanted() -> None:
    world = a_world(asking(Approver.PROVIDER, subscriber("fabrikam", Register())))
    register(world, credit_card())
    world.run()

    _, seen = followed(world, type="cancel", delivery=str(delivery_to(world, "fabrikam").address), by="jo")

    assert seen[-1] is Outcome.DONE


def test_given_a_cancelled_delivery_that_cannot_be_removed_when_followed_then_that_is_a_failure() -> None:
    world = a_subscriber_of(CARDS)
    publish(world, "1")
    publish_until(world, "2", lambda: any(effect.startswith("deploy v2") for effect in world.azure.effects))
    world.azure.failing["delete"] = FORBIDDEN

    following, seen = followed(world, type="cancel", delivery=str(deliveries(world)["2"].address), by="jo")

    assert [row.state.value for row in following.rows.values()] == ["failed"]
    assert seen[-1] is Outcome.FAILED


@pytest.mark.parametrize("command", [PUSH, SHARE, pull_of("fabrikam")], ids=["push", "share", "pull"])
def test_given_what_is_recalled_on_its_way_when_followed_then_nobody_got_what_was_asked_for(command: dict[str, Any]) -> None:
    world = shared_world(subscriber("fabrikam", Register()))
    world.rows.closed.clear()
    world.azure.assets = {at: there for at, there in world.azure.assets.items() if at[0] == PUBLISHER}
    operator = Operator(world)
    following = operator.send(**command)
    world.run(stop=lambda: bool(world.rows.deliveries))

    operator.send("recalling", **RECALL)
    world.run()

    assert following.look() is Outcome.FAILED
    assert {row.state.value for row in following.rows.values()} == {"recalled"}


@pytest.mark.parametrize(("verdict", "state"), [("approve", "delivered"), ("reject", "cancelled")])
def test_given_a_delivery_that_awaits_approval_when_decided_then_its_end_is_the_outcome(verdict: str, state: str) -> None:
    world = a_world(asking(Approver.SUBSCRIBER, subscriber("fabrikam", Register())))
    register(world, credit_card())
    world.run()

    following, seen = followed(world, type=verdict, delivery=str(delivery_to(world, "fabrikam").address), by="jo")

    assert seen[-1] is Outcome.DONE
    assert [row.state.value for row in following.rows.values()] == [state]


def test_given_a_delivery_that_stays_open_when_shared_then_the_wait_does_not_end() -> None:
    world = a_world(asking(Approver.SUBSCRIBER, subscriber("fabrikam", Register())))
    register(world, credit_card())
    world.queues.due.clear()

    _, seen = followed(world, **SHARE)

    assert set(seen) == {Outcome.OPEN}


def test_given_a_recall_when_followed_then_it_is_done_once_all_is_taken_back() -> None:
    world = shared_world(subscriber("fabrikam", Register(), CARDS))

    following, seen = followed(world, **RECALL)

    assert seen[-1] is Outcome.DONE
    assert [row.state.value for row in following.rows.values()] == ["recalled"] * 3


def test_given_another_origins_asset_of_that_name_when_shared_then_its_state_is_not_the_outcome() -> None:
    world = shared_world(subscriber("fabrikam", Register()))
    elsewhere = workspace("elsewhere")
    tenants = world.rules.rules.tenants
    northwind = replace(tenants["northwind"], workspaces=(PUBLISHER, elsewhere))
    world.rules.rules = replace(world.rules.rules, tenants={**tenants, "northwind": northwind})
    register(world, credit_card(), elsewhere)
    world.queues.due.clear()

    following, seen = followed(world, type="share", workspace=str(elsewhere), asset=CARD)

    assert seen[-1] is Outcome.REJECTED
    assert following.rows == {}


@given(
    subscribers=st.sets(st.sampled_from("abcde"), max_size=5),
    failing=st.booleans(),
    every=st.integers(1, 7),
    ahead=st.integers(0, 30),
)
def test_however_seldom_one_looks_and_whoever_was_first_the_outcome_is_that_of_all_rows(
    subscribers: set[str], failing: bool, every: int, ahead: int
) -> None:
    """The event's own share is `ahead` of what is asked for, by so many of the app's steps."""
    world = a_world(*(subscriber(name, Register()) for name in sorted(subscribers)))
    register(world, credit_card())
    if failing:
        world.azure.failing["register"] = FORBIDDEN
    done = iter(range(10_000))
    world.run(stop=lambda: next(done) >= ahead)
    following, steps = Operator(world).send(**SHARE), iter(range(10_000))

    world.run(stop=lambda: next(steps) % every == 0 and following.look() is not Outcome.OPEN)

    assert following.look() is (Outcome.FAILED if failing and subscribers else Outcome.DONE)
    assert {getattr(row, "tenant", "the share") for row in following.rows.values()} == {"the share", *subscribers}
