"""Messages as they lie in a queue: looked at without touching them, and one of them taken out.

Service Bus gives out the oldest first, and counts each delivery that comes to nothing; ten of them, by default, and a message is
dead. So what lies before the one that is wanted is not given back but deferred, at most once: it stays where it is, whoever
peeks sees it, and it can be had by its sequence number. Nobody but operators receives from the queues that this is for.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azure.servicebus import ServiceBusClient, ServiceBusMessageState, ServiceBusReceivedMessage, ServiceBusReceiver
from azure.servicebus.exceptions import MessageLockLostError, MessageNotFoundError, ServiceBusAuthorizationError, ServiceBusError

from shared.errors import Lost, Owner, Permanent, Transient
from shared.messages import Queue, Received
from shared.secrets import without_secrets

PAGE = 100
LONGEST_WAIT = 5  # seconds for a message that was seen to be there


class ServiceBusKeptMessages:
    """One open receiver for each queue: to open one takes half a second. For one thread."""

    def __init__(self, client: ServiceBusClient) -> None:
        self._client = client
        self._receivers: dict[Queue, ServiceBusReceiver] = {}

    def peek(self, queue: Queue, after: int = 0) -> Iterator[Received]:
        while page := self._page(queue, after, PAGE):
            yield from map(_received, page)
            after = page[-1].sequence_number or after

    def take_out(self, queue: Queue, sequence_number: int, once: Callable[[], None]) -> None:
        with self._errors(queue):
            receiver = self._receiver(queue)
            message = self._locked(queue, sequence_number)
            try:
                once()
            except BaseException:
                receiver.abandon_message(message)
                raise
            try:
                receiver.complete_message(message)
            except MessageLockLostError as lost:
                raise Lost(f"the lock of message {sequence_number} ran out: it is still in queue {queue}") from lost

    def _locked(self, queue: Queue, sequence_number: int) -> ServiceBusReceivedMessage:
        receiver = self._receiver(queue)
        seen = self._page(queue, sequence_number - 1, 1)
        if not seen or seen[0].sequence_number != sequence_number:
            raise Lost(f"queue {queue} has no message {sequence_number} any more")
        if seen[0].state is ServiceBusMessageState.DEFERRED:
            return _by_number(receiver, sequence_number)
        while received := receiver.receive_messages(1, max_wait_time=LONGEST_WAIT):
            if received[0].sequence_number == sequence_number:
                return received[0]
            receiver.defer_message(received[0])
        raise Lost(f"somebody else has message {sequence_number} of queue {queue} at this moment")

    def _page(self, queue: Queue, after: int, count: int) -> list[ServiceBusReceivedMessage]:
        with self._errors(queue):
            return self._receiver(queue).peek_messages(count, sequence_number=after + 1)

    def _receiver(self, queue: Queue) -> ServiceBusReceiver:
        if queue not in self._receivers:
            self._receivers[queue] = self._client.get_queue_receiver(queue.value)
        return self._receivers[queue]

    @contextmanager
    def _errors(self, queue: Queue) -> Iterator[None]:
        try:
            yield
        except ServiceBusAuthorizationError as refused:
            text = without_secrets(f"receive from queue {queue}: {refused}")
            remedy = "assign Azure Service Bus Data Receiver on the queue to who runs this"
            raise Permanent("queue_forbidden", text, Owner.PROVIDER, remedy) from refused
        except (ServiceBusError, OSError) as failure:
            if receiver := self._receivers.pop(queue, None):
                receiver.close()
            raise Transient(without_secrets(f"receive from queue {queue}: {failure}")) from failure


def _by_number(receiver: ServiceBusReceiver, sequence_number: int) -> ServiceBusReceivedMessage:
    try:
        return receiver.receive_deferred_messages([sequence_number])[0]
    except (MessageNotFoundError, IndexError) as gone:
        raise Lost(f"message {sequence_number} is gone, or somebody else has it at this moment") from gone


def _received(message: ServiceBusReceivedMessage) -> Received:
    return Received(
        b"".join(message.body),
        str(message.message_id or ""),
        message.sequence_number or 0,
        correlation_id=message.correlation_id,
        content_type=message.content_type,
        properties=_properties(message.application_properties or {}),
        enqueued_at=message.enqueued_time_utc,
    )


def _properties(found: Mapping[Any, Any]) -> dict[str, object]:
    """The SDK gives texts back as bytes."""
    return {_text(name): _text(value) if isinstance(value, bytes) else value for name, value in found.items()}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
