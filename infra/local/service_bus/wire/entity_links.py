"""Links to queues: a sender's, over which messages come in, and a receiver's, over which they go out."""

import uuid
from collections.abc import Callable
from typing import Any

from infra.local.service_bus.amqp import performatives as amqp
from infra.local.service_bus.amqp.decoding import Described, MalformedError, decode
from infra.local.service_bus.amqp.performatives import Attach, Transfer
from infra.local.service_bus.faults import Fault, Operation
from infra.local.service_bus.queues.errors import ArgumentError, ServerBusyError, ServiceBusError
from infra.local.service_bus.queues.message import Message
from infra.local.service_bus.queues.queue import Queue
from infra.local.service_bus.wire.gate import ConnectionDropped, Gate
from infra.local.service_bus.wire.links import Channel, IncomingLink, OutgoingLink
from infra.local.service_bus.wire.messages import DATA, encode_message, read_submission, sections
from infra.local.service_bus.wire.settlement import settle

BATCH_FORMAT = 0x80013700  # Service Bus's message format for many messages in one transfer

type Await = Callable[[int, "DeliveryLink", uuid.UUID], None]


class SubmissionLink(IncomingLink):
    """A sender's link."""

    def __init__(self, channel: Channel, request: Attach, handle: int, queue: Queue, gate: Gate) -> None:
        super().__init__(channel, request, handle)
        self._queue = queue
        self._gate = gate

    def receive(self, first: Transfer, payload: bytes) -> bytes:
        """A batch is accepted whole or not at all."""
        payloads = _batched(payload) if first.message_format == BATCH_FORMAT else [payload]
        submissions = [read_submission(one) for one in payloads]
        for submission in submissions:
            self._gate.log(self._queue.settings.name, Operation.SEND, submission.message_id)
        fault = self._gate.strike(self._queue.settings.name, Operation.SEND)
        for submission in submissions:
            self._queue.check(submission)
        for submission in submissions:
            self._queue.accept(submission)
        self._gate.leave(fault)
        return amqp.accepted()


class DeliveryLink(OutgoingLink):
    """A receiver's link. `await_settlement` is told of each delivery that the client has to settle."""

    def __init__(self, channel: Channel, request: Attach, handle: int, queue: Queue, gate: Gate, await_settlement: Await) -> None:
        super().__init__(channel, request, handle)
        self.deletes_on_receipt = request.snd_settle_mode == amqp.SETTLED_BY_SENDER
        self._queue = queue
        self._gate = gate
        self._await_settlement = await_settlement
        self._fault: Fault | None = None

    def attach(self) -> None:
        super().attach()
        self._queue.add_receiver(self)

    def left(self) -> None:
        super().left()
        self._queue.remove_receiver(self)

    def send_waiting(self) -> None:
        self._queue.deliver_waiting()

    def accepts(self, message: Message) -> bool:
        if not self.can_send:
            return False
        try:
            self._fault = self._gate.enter(self._queue.settings.name, Operation.RECEIVE, message.message_id)
        except ServerBusyError as busy:
            self.close(busy)
            return False
        except ConnectionDropped:
            self.left()
            self.channel.hang_up()
            return False
        return True

    def deliver(self, message: Message) -> None:
        """The delivery tag is the lock token: clients take it from there."""
        payload = encode_message(message)
        if message.lock is None:
            self.send(payload, uuid.uuid4().bytes_le, settled=True)
        else:
            delivery_id = self.send(payload, message.lock.token.bytes_le, settled=False)
            self._await_settlement(delivery_id, self, message.lock.token)
        if self._fault is not None:
            self.left()
            self.channel.hang_up()

    def settle(self, token: uuid.UUID, state: Described | None) -> bytes:
        """The outcome to answer: the client's own when it was done. Raises ConnectionDropped."""
        try:
            return self._settle(token, state)
        except ServiceBusError as error:
            return amqp.rejected(amqp.error(error.condition, error.description))

    def _settle(self, token: uuid.UUID, state: Described | None) -> bytes:
        descriptor = state.descriptor if state else amqp.RELEASED
        fields: list[Any] = [*(state.value if state else []), None, None]
        first, second = fields[:2]
        if descriptor == amqp.ACCEPTED:
            settle(self._gate, self._queue, token, Operation.COMPLETE)
            return amqp.accepted()
        if descriptor == amqp.REJECTED:
            settle(self._gate, self._queue, token, Operation.DEAD_LETTER, *_reason(first))
            return amqp.rejected()
        if descriptor == amqp.MODIFIED:
            settle(self._gate, self._queue, token, Operation.DEFER if second else Operation.ABANDON)
            return amqp.modified(bool(first), bool(second))
        if descriptor == amqp.RELEASED:
            settle(self._gate, self._queue, token, Operation.RELEASE)
            return amqp.released()
        raise ArgumentError(f"A delivery cannot be settled with the state {descriptor!r}.")


def _batched(payload: bytes) -> list[bytes]:
    try:
        return [decode(payload, section.value)[0] for section in sections(payload) if section.code == DATA]
    except (MalformedError, IndexError) as wrong:
        raise ArgumentError(f"The batch is not encoded as AMQP 1.0 prescribes: {wrong}") from wrong


def _reason(error: Described | None) -> tuple[str | None, str | None]:
    """The dead-letter reason and description in a rejection's error."""
    if error is None:
        return None, None
    fields: list[Any] = [*error.value, None, None, None]
    details = fields[2] or {}
    return details.get("DeadLetterReason"), details.get("DeadLetterErrorDescription") or fields[1]
