"""A message as the queue knows it. Its content is opaque here and never changes: the wire adds what the broker owns."""

import enum
import uuid
from dataclasses import dataclass
from typing import NamedTuple


class State(enum.StrEnum):
    """Whether a receiver can get it. A lock is apart from it: a locked message keeps its state."""

    ACTIVE = "active"
    SCHEDULED = "scheduled"
    DEFERRED = "deferred"


class Lock(NamedTuple):
    token: uuid.UUID
    until: int


class DeadLetter(NamedTuple):
    """Why a message lies in the dead-letter queue. Its source is the queue that it came from."""

    source: str
    reason: str | None
    description: str | None


class Submission(NamedTuple):
    """A message as a sender hands it in. `payload` is the encoded AMQP message, with its message id."""

    message_id: str
    payload: bytes
    time_to_live: int | None = None
    scheduled_for: int | None = None


@dataclass(slots=True, eq=False)
class Message:
    """`queue` is the key of the queue that accepted it, also while it lies in that queue's dead-letter queue."""

    queue: str
    sequence_number: int
    enqueued_sequence_number: int
    message_id: str
    payload: bytes
    enqueued_at: int
    time_to_live: int | None = None
    scheduled_for: int | None = None
    expires_at: int | None = None
    delivery_count: int = 0
    state: State = State.ACTIVE
    lock: Lock | None = None
    dead_letter: DeadLetter | None = None

    @property
    def deliverable(self) -> bool:
        return self.state is State.ACTIVE and self.lock is None

    def begin_to_live(self, now: int) -> None:
        """Its time to live counts from its (latest) enqueueing, which for a scheduled message is when it becomes due."""
        self.enqueued_at = now
        if self.time_to_live is not None:
            self.expires_at = now + self.time_to_live
