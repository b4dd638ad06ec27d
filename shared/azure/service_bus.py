"""The queues: one open sender each, behind a lock. Senders are not thread-safe, and opening one takes half a second."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from azure.core.credentials import TokenCredential
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusMessageBatch, ServiceBusSender
from azure.servicebus.exceptions import MessageSizeExceededError, ServiceBusError

from shared.errors import Owner, Permanent, Transient
from shared.messages import Outgoing, Queue
from shared.secrets import without_secrets

IMPATIENT = {"retry_total": 1, "try_timeout": 8}  # seconds of one try


def open_service_bus(
    connection_string: str | None, address: str | None, credential: Callable[[], TokenCredential], *, impatient: bool = False
) -> ServiceBusClient:
    """An impatient one gives up within 20 seconds. Permanent `bad_setting` for a connection string that is none."""
    options: dict[str, Any] = IMPATIENT if impatient else {}
    try:
        if connection_string:
            return ServiceBusClient.from_connection_string(connection_string, **options)
        return ServiceBusClient(address or "", credential(), **options)
    except ValueError as wrong:
        text = without_secrets(f"setting ServiceBus: {wrong}")
        remedy = "set ServiceBus to a connection string, as the namespace shows it"
        raise Permanent("bad_setting", text, Owner.PROVIDER, remedy) from wrong


class ServiceBusQueues:
    def __init__(self, client: ServiceBusClient) -> None:
        self._client = client
        self._locks = {queue: threading.Lock() for queue in Queue}
        self._senders: dict[Queue, ServiceBusSender] = {}

    def send(self, queue: Queue, messages: Sequence[Outgoing]) -> None:
        """All of them, in as few transfers as their size allows. Transient when the queue does not take them."""
        with self._locks[queue]:
            try:
                sender = self._sender(queue)
                for batch in _batches(sender, map(_service_bus_message, messages)):
                    sender.send_messages(batch)
            except (ServiceBusError, OSError) as failure:
                self._drop(queue)
                raise Transient(without_secrets(f"send to queue {queue}: {failure}")) from failure
            except BaseException:
                self._drop(queue)
                raise

    def _sender(self, queue: Queue) -> ServiceBusSender:
        if queue not in self._senders:
            self._senders[queue] = self._client.get_queue_sender(queue.value)
        return self._senders[queue]

    def _drop(self, queue: Queue) -> None:
        """A sender that failed may be stuck: the next call opens another."""
        sender = self._senders.pop(queue, None)
        if sender:
            sender.close()


def _batches(
    sender: ServiceBusSender, messages: Iterable[ServiceBusMessage]
) -> Iterator[ServiceBusMessage | ServiceBusMessageBatch]:
    pending = list(messages)
    if len(pending) == 1:
        yield pending[0]
        return
    batch = sender.create_message_batch()
    for message in pending:
        try:
            batch.add_message(message)
        except MessageSizeExceededError:
            yield batch
            batch = sender.create_message_batch()
            batch.add_message(message)
    yield batch


def _service_bus_message(message: Outgoing) -> ServiceBusMessage:
    return ServiceBusMessage(
        message.body,
        message_id=message.message_id or None,
        scheduled_enqueue_time_utc=message.at,
        correlation_id=message.correlation_id,
        content_type=message.content_type,
        application_properties={name: _typed(value) for name, value in message.properties.items()},
    )


def _typed(value: object) -> Any:
    """As it came. The SDK takes a large integer only with its AMQP type said."""
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**31) <= value < 2**31:
        return {"TYPE": "LONG" if value < 2**63 else "ULONG", "VALUE": value} if -(2**63) <= value < 2**64 else str(value)
    return value if isinstance(value, str | bytes | bool | int | float | None) else str(value)
