"""Wrong answers on purpose: what a test arms, and the operation that meets it."""

import enum
import itertools
from dataclasses import dataclass


class Operation(enum.StrEnum):
    """What a client does to a queue. `send` includes scheduling."""

    SEND = "send"
    RECEIVE = "receive"
    COMPLETE = "complete"
    ABANDON = "abandon"
    DEAD_LETTER = "dead-letter"
    DEFER = "defer"
    RELEASE = "release"
    RENEW = "renew"
    CANCEL = "cancel"
    PEEK = "peek"


class Failure(enum.StrEnum):
    """`drop-connection` hangs up, before the broker acted or (the lost answer) after it."""

    SERVER_BUSY = "server-busy"
    LOCK_LOST = "lock-lost"
    DROP_CONNECTION = "drop-connection"


class Moment(enum.StrEnum):
    BEFORE = "before"
    AFTER = "after"


_FAULTY = {Operation.SEND, Operation.RECEIVE, Operation.COMPLETE, Operation.ABANDON, Operation.DEAD_LETTER, Operation.RENEW}
_NEEDS_LOCK = _FAULTY - {Operation.SEND, Operation.RECEIVE}


@dataclass(slots=True)
class Fault:
    """Armed for the next `times` operations of that kind on that queue."""

    queue: str
    operation: Operation
    error: Failure
    times: int = 1
    when: Moment = Moment.BEFORE
    id: int = 0

    def __post_init__(self) -> None:
        self.operation, self.error = Operation(self.operation), Failure(self.error)
        self.when = Moment(self.when)
        if self.operation not in _FAULTY:
            raise ValueError(f"no faults can be armed for {self.operation}")
        if self.error is Failure.LOCK_LOST and self.operation not in _NEEDS_LOCK:
            raise ValueError(f"{self.operation} needs no lock that could be lost")
        if self.when is Moment.AFTER and self.error is not Failure.DROP_CONNECTION:
            raise ValueError(f"{self.error} comes before the operation, never after it")
        if self.times < 1:
            raise ValueError("times must be at least 1")


class Faults:
    """The armed faults, oldest first."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []
        self._ids = itertools.count(1)

    def arm(self, fault: Fault) -> int:
        fault.id = next(self._ids)
        self.armed.append(fault)
        return fault.id

    def strike(self, queue: str, operation: Operation) -> Fault | None:
        """The fault that this operation meets, if any."""
        for fault in self.armed:
            if fault.operation is operation and fault.queue.lower() == queue.lower():
                fault.times -= 1
                if fault.times == 0:
                    self.armed.remove(fault)
                return fault
        return None
