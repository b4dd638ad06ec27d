"""One queue's rules: what becomes of a message, and when. The order of things is the real service's."""

import random
import uuid

from infra.local.service_bus.queues.clock import Clock
from infra.local.service_bus.queues.duplicates import DuplicateHistory
from infra.local.service_bus.queues.errors import ArgumentOutOfRangeError, MessageTooLargeError, NotAllowedError
from infra.local.service_bus.queues.journal import Journal, Recovered
from infra.local.service_bus.queues.locks import Locks
from infra.local.service_bus.queues.message import DeadLetter, Message, State, Submission
from infra.local.service_bus.queues.numbers import SequenceNumbers
from infra.local.service_bus.queues.receivers import Receiver, Receivers
from infra.local.service_bus.queues.settings import MAX_MESSAGE_BYTES, MAX_MESSAGE_ID_CHARACTERS, QueueSettings
from infra.local.service_bus.queues.shelf import Shelf, earliest
from infra.local.service_bus.queues.totals import Totals


class Queue:
    """A queue or, where it has no `dead_letters` of its own, a queue's dead-letter queue.

    `copy_rate` is the share of messages that are enqueued twice on purpose, as a test may ask.
    """

    def __init__(
        self,
        settings: QueueSettings,
        clock: Clock,
        journal: Journal,
        numbers: SequenceNumbers,
        dead_letters: "Queue | None" = None,
    ) -> None:
        self.settings = settings
        self.dead_letters = dead_letters
        self.totals = Totals()
        self.copy_rate = 0.0
        self._clock, self._journal, self._numbers = clock, journal, numbers
        self._shelf = Shelf()
        self._locks = Locks(clock, settings.lock_duration)
        self._receivers = Receivers()
        self._duplicates = DuplicateHistory(settings.key, settings.duplicate_window, journal)

    # Accepting

    def check(self, submission: Submission) -> None:
        """Raises what makes the service refuse this message."""
        if self.dead_letters is None:
            raise NotAllowedError("Messages cannot be sent to a dead-letter queue.")
        size = len(submission.payload)
        if size > MAX_MESSAGE_BYTES:
            raise MessageTooLargeError(f"The received message (size:{size}) exceeds the limit ({MAX_MESSAGE_BYTES}).")
        if len(submission.message_id) > MAX_MESSAGE_ID_CHARACTERS:
            raise ArgumentOutOfRangeError(f"A MessageId has at most {MAX_MESSAGE_ID_CHARACTERS} characters.")

    def accept(self, submission: Submission) -> int:
        """The message's sequence number. A duplicate gets one too and is dropped: its sender must not notice."""
        self.check(submission)
        if self._duplicates.is_repeated(submission.message_id, self._clock.now()):
            self.totals.duplicates_dropped += 1
            return self._numbers.draw()
        self.totals.sent += 1
        number = self._enqueue(submission)
        if self.copy_rate and random.random() < self.copy_rate:
            self.totals.copies_added += 1
            self._enqueue(submission)
        return number

    def _enqueue(self, submission: Submission) -> int:
        number, now = self._numbers.draw(), self._clock.now()
        message = Message(
            queue=self.settings.key,
            sequence_number=number,
            enqueued_sequence_number=number,
            message_id=submission.message_id,
            payload=submission.payload,
            enqueued_at=now,
            time_to_live=_shorter(submission.time_to_live, self.settings.default_time_to_live),
            scheduled_for=submission.scheduled_for,
        )
        if message.scheduled_for is not None and message.scheduled_for > now:
            message.state = State.SCHEDULED
        else:
            message.begin_to_live(now)
        self._shelf.put(message)
        self._journal.add(message)
        self.deliver_waiting()
        return number

    def cancel_scheduled(self, numbers: list[int]) -> None:
        """All of them, or none and MessageNotFoundError."""
        for message in self._shelf.in_state(numbers, State.SCHEDULED):
            self._remove(message)

    # Delivering

    def add_receiver(self, receiver: Receiver) -> None:
        self._receivers.add(receiver)

    def remove_receiver(self, receiver: Receiver) -> None:
        """What it holds stays locked until the locks expire: its client may come back and settle by lock token."""
        self._receivers.remove(receiver)

    def deliver_waiting(self) -> None:
        """Hands out messages in their order, as long as there are receivers that take them."""
        while self._receivers and (message := self._shelf.first_in_line()):
            if self._expire_if_due(message):
                continue
            receiver = self._receivers.taker_of(message)
            if receiver is None:
                return
            self._hand_out(message, receiver.deletes_on_receipt)
            receiver.deliver(message)

    def receive_deferred(self, numbers: list[int], deletes_on_receipt: bool) -> list[Message]:
        """All of them, or none and MessageNotFoundError."""
        messages = self._shelf.in_state(numbers, State.DEFERRED)
        for message in messages:
            self._hand_out(message, deletes_on_receipt)
        return messages

    def _hand_out(self, message: Message, deletes_on_receipt: bool) -> None:
        self.totals.delivered += 1
        if deletes_on_receipt:
            self._remove(message)
        else:
            self._locks.grant(message)
            self._journal.update(message, message.sequence_number)

    # Settling. Each takes a lock token and raises MessageLockLostError where that lock is no more.

    def locked(self, token: uuid.UUID) -> Message:
        return self._locks.message(token)

    def renew(self, token: uuid.UUID) -> int:
        """When the lock ends now."""
        return self._locks.renew(token)

    def complete(self, token: uuid.UUID) -> None:
        self._remove(self._locks.message(token))
        self.totals.completed += 1

    def abandon(self, token: uuid.UUID) -> None:
        self._give_back(self._locks.message(token), failed=True)
        self.totals.abandoned += 1

    def release(self, token: uuid.UUID) -> None:
        """Back into the queue as if it had never been delivered."""
        self._give_back(self._locks.message(token), failed=False)

    def defer(self, token: uuid.UUID) -> None:
        message = self._locks.message(token)
        message.state = State.DEFERRED
        self._give_back(message, failed=True)

    def reject(self, token: uuid.UUID, reason: str | None, description: str | None) -> None:
        """Dead-letters it, as its receiver asks."""
        message = self._locks.message(token)
        if self.dead_letters is None:
            raise NotAllowedError("A message in a dead-letter queue cannot be dead-lettered again.")
        self._dead_letter(message, reason, description)

    def lose_lock(self, token: uuid.UUID) -> None:
        """As if the lock had expired just now."""
        self._give_back(self._locks.message(token), failed=True)
        self.totals.locks_expired += 1

    def _give_back(self, message: Message, failed: bool) -> None:
        self._locks.end(message)
        message.delivery_count += failed
        limit = self.settings.max_delivery_count
        if limit is not None and message.delivery_count >= limit:
            description = f"Message could not be consumed after {limit} delivery attempts."
            self._dead_letter(message, "MaxDeliveryCountExceeded", description)
        elif not (message.deliverable and self._expire_if_due(message)):
            self._journal.update(message, message.sequence_number)
            if message.deliverable:
                self._shelf.line_up(message)
                self.deliver_waiting()

    # Leaving

    def _remove(self, message: Message) -> None:
        self._locks.end(message)
        self._shelf.take_out(message)
        self._journal.remove(message)

    def _dead_letter(self, message: Message, reason: str | None, description: str | None) -> None:
        assert self.dead_letters is not None
        self._locks.end(message)
        self._shelf.take_out(message)
        message.state, message.expires_at = State.ACTIVE, None
        message.dead_letter = DeadLetter(self.settings.name, reason, description)
        self._journal.update(message, message.sequence_number)
        self.totals.dead_lettered += 1
        self.dead_letters._shelf.put(message)
        self.dead_letters.deliver_waiting()

    def _expire_if_due(self, message: Message) -> bool:
        if message.expires_at is None or message.expires_at > self._clock.now():
            return False
        self.totals.expired += 1
        if self.settings.dead_letter_on_expiration:
            self._dead_letter(message, "TTLExpiredException", "The message expired and was dead lettered.")
        else:
            self._remove(message)
        return True

    # Time

    def next_due(self) -> int | None:
        """When `run_due` has something to do next."""
        return earliest(self._shelf.next_due(), self._locks.next_due())

    def run_due(self) -> None:
        """Enqueues what was scheduled for now, takes back what was locked too long, lets expired messages go."""
        now = self._clock.now()
        for message in self._shelf.take_scheduled(now):
            self._activate(message)
        for number in self._locks.expired(now):
            self.totals.locks_expired += 1
            self._give_back(self._shelf.get(number), failed=True)
        for message in self._shelf.take_expired(now):
            if message.deliverable:  # while it is locked it outlives its time, until it is given back
                self._expire_if_due(message)

    def _activate(self, message: Message) -> None:
        """A scheduled message joins the end of the queue under a new number, and its life begins now."""
        scheduled_as = message.sequence_number
        self._shelf.take_out(message)
        message.state, message.sequence_number = State.ACTIVE, self._numbers.draw()
        message.begin_to_live(self._clock.now())
        self._shelf.put(message)
        self._journal.update(message, scheduled_as)
        self.deliver_waiting()

    # Looking, and coming back after a restart

    def peek(self, from_number: int = 0, count: int | None = None) -> list[Message]:
        """Messages in the order of their numbers, in whatever state."""
        return self._shelf.peek(from_number, count)

    def restore(self, recovered: Recovered) -> None:
        """What an earlier run left. Its locks ended with it; having been locked counts as a failed delivery."""
        self._duplicates.restore(recovered.accepted_ids)
        for message in recovered.messages:
            home = self.dead_letters if message.dead_letter and self.dead_letters else self
            home._shelf.put(message)
            if message.sequence_number in recovered.interrupted:
                home._give_back(message, failed=True)


def _shorter(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)
