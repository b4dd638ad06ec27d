"""What every operation passes on its way to a queue: the request log, and the faults that a test armed."""

import itertools
import time
from collections.abc import Callable
from typing import Any

from infra.local.service_bus.faults import Failure, Fault, Faults, Moment, Operation
from infra.local.service_bus.queues.errors import ServerBusyError

type Record = Callable[[dict[str, Any]], None]


class ConnectionDropped(Exception):
    """A fault says that the connection ends here."""


class Gate:
    """`record` takes the entries of the request log."""

    def __init__(self, faults: Faults, record: Record) -> None:
        self._faults = faults
        self._record = record
        self._numbers = itertools.count(1)

    def log(self, queue: str, operation: Operation, message_id: str | None) -> None:
        entry = {"n": next(self._numbers), "time": time.time(), "queue": queue}
        self._record({**entry, "operation": operation.value, "message_id": message_id})

    def enter(self, queue: str, operation: Operation, message_id: str | None) -> Fault | None:
        """Logs the operation. Raises what a fault wants instead of it; returns a fault that is the caller's to respect."""
        self.log(queue, operation, message_id)
        return self.strike(queue, operation)

    def strike(self, queue: str, operation: Operation) -> Fault | None:
        fault = self._faults.strike(queue, operation) if self._faults.armed else None
        if fault is not None and fault.error is Failure.SERVER_BUSY:
            raise ServerBusyError
        if fault is not None and fault.error is Failure.DROP_CONNECTION and fault.when is Moment.BEFORE:
            raise ConnectionDropped
        return fault

    @staticmethod
    def leave(fault: Fault | None) -> None:
        """Where the operation is done: a lost answer is lost here."""
        if fault is not None and fault.when is Moment.AFTER:
            raise ConnectionDropped
