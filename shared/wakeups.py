"""The wake-up protocol: what a message that says "look at this row now" means, given the row as it is.

Without it duplicates multiply: each would act, write, and send a successor of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from shared.rows import Address, Row, RowKind

CLAIM = timedelta(seconds=60)  # longer than any invocation may spend on Azure (45 s)
NUDGE_EVERY = timedelta(minutes=10)  # the duplicate window of the queue


@dataclass(frozen=True, slots=True)
class WakeUp:
    """`rev` is the row's when this was sent. `hop` counts how often it was put back; `nudge` is the timer's 10-minute bucket."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}  # read where messages are parsed

    kind: RowKind
    partition: str
    row: str
    rev: int
    hop: int = 0
    nudge: int | None = None

    @classmethod
    def of(cls, address: Address, rev: int) -> "WakeUp":
        return cls(address.kind, address.partition, address.row, rev)

    @classmethod
    def nudging(cls, address: Address, rev: int, now: datetime) -> "WakeUp":
        """The timer's: it raises no rev, and is the same message for all timers within ten minutes."""
        return replace(cls.of(address, rev), nudge=nudge_of(now))

    @property
    def address(self) -> Address:
        return Address(self.kind, self.partition, self.row)

    @property
    def message_id(self) -> str:
        nudge = "" if self.nudge is None else f"h{self.nudge}."
        return f"{self.address}:{self.rev}.{nudge}{self.hop}"

    def put_back(self) -> "WakeUp":
        return replace(self, hop=self.hop + 1)


def nudge_of(now: datetime) -> int:
    """The number of the ten minutes that it is in."""
    return int(now.timestamp() // NUDGE_EVERY.total_seconds())


@dataclass(frozen=True, slots=True)
class Act:
    """Take the row's next step."""


@dataclass(frozen=True, slots=True)
class SendSuccessor:
    """The row was written; whether the wake-up for that write was sent is unknown. Sent twice it is one."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """Someone is at work on just this state of the row: look again when their claim ends."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing to do, and why."""

    why: str


type Look = Act | SendSuccessor | PutBack | Ignore


def judge(wake_up: WakeUp, row: Row | None, message: int, now: datetime) -> Look:
    """What to do on this wake-up, which arrived as Service Bus message number `message`. Never asks "too early?"."""
    if row is None:
        return Ignore("closed")
    behind = row.rev - wake_up.rev
    if row.claim and row.claim.message == message:
        return Act()  # this very message had the claim, and its invocation did not end
    if row.claim and row.claim.until > now and behind <= 1:
        # Behind by one it is a twin of the claimant's own message, which stays in the queue until the claimant is done.
        return PutBack(row.claim.until) if behind <= 0 else Ignore("being worked on")
    if behind <= 0:
        return Act()
    return SendSuccessor() if behind == 1 else Ignore("overtaken")
