"""Peek-lock: who holds which message, and until when."""

import uuid

from infra.local.service_bus.queues.clock import Clock
from infra.local.service_bus.queues.deadlines import Deadlines
from infra.local.service_bus.queues.errors import MessageLockLostError
from infra.local.service_bus.queues.message import Lock, Message


class Locks:
    """The locks of one queue. `duration` is in milliseconds."""

    def __init__(self, clock: Clock, duration: int) -> None:
        self._clock = clock
        self._duration = duration
        self._held: dict[uuid.UUID, Message] = {}
        self._ends = Deadlines()

    def grant(self, message: Message) -> None:
        self._hold(message, uuid.uuid4())

    def renew(self, token: uuid.UUID) -> int:
        """When the lock ends now."""
        return self._hold(self.message(token), token)

    def message(self, token: uuid.UUID) -> Message:
        """Raises MessageLockLostError for an expired or unknown token."""
        message = self._held.get(token)
        if message is None:
            raise MessageLockLostError
        return message

    def end(self, message: Message) -> None:
        if message.lock is not None:
            del self._held[message.lock.token]
            self._ends.withdraw(message.sequence_number)
            message.lock = None

    def expired(self, now: int) -> list[int]:
        """The sequence numbers of messages whose lock has run out; each is told once, and still to be ended."""
        return self._ends.take_due(now)

    def next_due(self) -> int | None:
        return self._ends.next_due()

    def _hold(self, message: Message, token: uuid.UUID) -> int:
        until = self._clock.now() + self._duration
        message.lock = Lock(token, until)
        self._held[token] = message
        self._ends.set(message.sequence_number, until)
        return until
