"""What a queue asks of the disk. Nothing that it reports is acknowledged to a client before `commit` has returned."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from infra.local.service_bus.queues.message import Message


class JournalError(Exception):
    """The disk did not take what had to last. The broker must not go on: it would acknowledge what it may lose."""


class Recovered(NamedTuple):
    """What an earlier run left of a queue. `interrupted` are the sequence numbers that were locked when it ended."""

    messages: Sequence[Message]
    interrupted: frozenset[int]
    accepted_ids: Sequence[tuple[str, int]]


class Journal(Protocol):
    """Changes are collected until `commit` makes all of them last, or none."""

    def add(self, message: Message) -> None: ...

    def update(self, message: Message, recorded_as: int) -> None:
        """All but the payload has changed. `recorded_as` is the sequence number under which it was last reported."""

    def remove(self, message: Message) -> None: ...

    def remember(self, queue: str, message_id: str, accepted_at: int) -> None: ...

    def forget(self, queue: str, message_id: str) -> None: ...

    def reserve_numbers(self, up_to: int) -> None:
        """Sequence numbers below `up_to` may have been given out."""

    def commit(self) -> None:
        """Raises JournalError."""

    def recover(self, queue: str) -> Recovered: ...

    def reserved_numbers(self) -> int: ...

    def close(self) -> None: ...


class NoJournal:
    """For a broker that may forget everything when it ends."""

    def add(self, message: Message) -> None:
        pass

    def update(self, message: Message, recorded_as: int) -> None:
        pass

    def remove(self, message: Message) -> None:
        pass

    def remember(self, queue: str, message_id: str, accepted_at: int) -> None:
        pass

    def forget(self, queue: str, message_id: str) -> None:
        pass

    def reserve_numbers(self, up_to: int) -> None:
        pass

    def commit(self) -> None:
        pass

    def recover(self, queue: str) -> Recovered:  # noqa: ARG002 -- the port's signature
        return Recovered([], frozenset(), [])

    def reserved_numbers(self) -> int:
        return 1

    def close(self) -> None:
        pass
