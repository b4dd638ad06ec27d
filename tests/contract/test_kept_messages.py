"""Messages as they lie in a queue, by the real SDK against the local Service Bus: seen by whoever peeks, taken out one by one."""

from collections.abc import Iterator

import pytest
from azure.servicebus import ServiceBusClient

from infra.local.service_bus.testing import Desk, RunningBroker
from shared.azure.kept_messages import ServiceBusKeptMessages
from shared.azure.service_bus import ServiceBusQueues
from shared.errors import Lost, Transient
from shared.messages import Outgoing, Queue, Received

QUEUES = {"commands": {}, "rejected": {"MaxDeliveryCount": 2, "LockDuration": "PT1M"}}


@pytest.fixture
def client(broker: RunningBroker) -> Iterator[ServiceBusClient]:
    with ServiceBusClient.from_connection_string(broker.connection_string, retry_total=0) as client:
        yield client


@pytest.fixture
def kept(client: ServiceBusClient, desk: Desk) -> ServiceBusKeptMessages:
    """Of a queue `rejected` that is empty."""
    kept = ServiceBusKeptMessages(client)
    for message in list(kept.peek(Queue.REJECTED)):
        kept.take_out(Queue.REJECTED, message.sequence_number, lambda: None)
    return kept


def send(client: ServiceBusClient, *bodies: str) -> None:
    messages = [
        Outgoing(body.encode(), f"id-{body}", correlation_id="order-1", properties={"fanout_code": "no"}) for body in bodies
    ]
    ServiceBusQueues(client).send(Queue.REJECTED, messages)


def bodies(kept: ServiceBusKeptMessages) -> list[str]:
    return [message.body.decode() for message in kept.peek(Queue.REJECTED)]


def numbered(kept: ServiceBusKeptMessages) -> dict[str, Received]:
    return {message.body.decode(): message for message in kept.peek(Queue.REJECTED)}


def test_whoever_peeks_sees_all_of_each_message_and_keeps_nobody_from_it(
    kept: ServiceBusKeptMessages, client: ServiceBusClient
) -> None:
    send(client, "a", "b")

    first, second = kept.peek(Queue.REJECTED)

    assert (first.body, first.message_id, first.correlation_id) == (b"a", "id-a", "order-1")
    assert first.properties == {"fanout_code": "no"}
    assert first.enqueued_at
    assert [message.body for message in kept.peek(Queue.REJECTED, after=first.sequence_number)] == [second.body]
    assert bodies(kept) == ["a", "b"]


def test_more_messages_than_a_page_are_peeked_page_by_page(kept: ServiceBusKeptMessages, client: ServiceBusClient) -> None:
    names = [f"{number:03}" for number in range(230)]
    send(client, *names)

    assert bodies(kept) == names


def test_one_is_taken_out_from_among_others_which_all_stay(kept: ServiceBusKeptMessages, client: ServiceBusClient) -> None:
    send(client, "a", "b", "c")
    done: list[str] = []

    kept.take_out(Queue.REJECTED, numbered(kept)["b"].sequence_number, lambda: done.append("sent"))

    assert done == ["sent"]
    assert bodies(kept) == ["a", "c"]


def test_those_that_others_were_taken_from_behind_are_never_worn_out(
    kept: ServiceBusKeptMessages, client: ServiceBusClient
) -> None:
    send(client, "oldest", *(str(number) for number in range(6)))

    for number in range(6):
        kept.take_out(Queue.REJECTED, numbered(kept)[str(number)].sequence_number, lambda: None)
    still_there = bodies(kept)
    kept.take_out(Queue.REJECTED, numbered(kept)["oldest"].sequence_number, lambda: None)

    assert still_there == ["oldest"]
    assert bodies(kept) == []


def test_what_could_not_be_sent_stays(kept: ServiceBusKeptMessages, client: ServiceBusClient) -> None:
    send(client, "a")
    number = numbered(kept)["a"].sequence_number

    with pytest.raises(Transient):
        kept.take_out(Queue.REJECTED, number, unreachable)
    stays = bodies(kept)
    kept.take_out(Queue.REJECTED, number, lambda: None)

    assert stays == ["a"]
    assert bodies(kept) == []


def test_who_is_killed_in_between_leaves_it_there(
    kept: ServiceBusKeptMessages, broker: RunningBroker, client: ServiceBusClient
) -> None:
    send(client, "a")
    number = numbered(kept)["a"].sequence_number
    with pytest.raises(Died), ServiceBusClient.from_connection_string(broker.connection_string) as theirs:
        DyingKeptMessages(theirs).take_out(Queue.REJECTED, number, dies)

    with pytest.raises(Lost, match="somebody else has message"):
        kept.take_out(Queue.REJECTED, number, lambda: None)
    broker.advance(120)  # their lock runs out
    kept.take_out(Queue.REJECTED, number, lambda: None)

    assert bodies(kept) == []


def test_one_that_is_gone_is_told(kept: ServiceBusKeptMessages) -> None:
    with pytest.raises(Lost, match="has no message 99999 any more"):
        kept.take_out(Queue.REJECTED, 99_999, lambda: None)


def test_a_queue_that_cannot_be_reached_is_transient() -> None:
    nowhere = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true"
    with (
        ServiceBusClient.from_connection_string(nowhere, retry_total=0) as client,
        pytest.raises(Transient, match="queue rejected"),
    ):
        list(ServiceBusKeptMessages(client).peek(Queue.REJECTED))


class Died(BaseException):
    """The process is gone."""


class DyingKeptMessages(ServiceBusKeptMessages):
    """Whose process cannot even give a message back."""

    def _receiver(self, queue: Queue):  # type: ignore[no-untyped-def]
        receiver = super()._receiver(queue)
        receiver.abandon_message = dies  # type: ignore[method-assign, assignment]
        return receiver


def dies(*_: object) -> None:
    raise Died


def unreachable() -> None:
    raise Transient("the queue is down")
