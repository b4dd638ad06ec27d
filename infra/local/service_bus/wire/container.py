"""The broker as its connections see it, and the rhythm of its work: take in, commit, answer, sleep until something is due."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from infra.local.service_bus.queues.journal import JournalError
from infra.local.service_bus.queues.namespace import Namespace
from infra.local.service_bus.wire.cbs import SharedAccessKey
from infra.local.service_bus.wire.gate import Gate

_LONGEST_SLEEP = 60.0  # seconds; the system's clock may be set while the broker sleeps


class Flushable(Protocol):
    def flush(self) -> None: ...

    def hang_up(self) -> None: ...


class Container:
    """AMQP's word for one program with its nodes. `latency` tells the seconds to wait before each acknowledgement."""

    def __init__(self, namespace: Namespace, gate: Gate, key: SharedAccessKey, latency: Callable[[], float]) -> None:
        self.namespace = namespace
        self.gate = gate
        self.key = key
        self.latency = latency
        self.connections: set[Flushable] = set()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._to_flush: set[Flushable] = set()
        self._flush_is_due = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0

    def flush_soon(self, connection: Flushable | None = None) -> None:
        """Commits, and lets the connection speak, when this turn of the event loop has taken in all that has arrived."""
        if connection is not None:
            self._to_flush.add(connection)
        if not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)

    def run_due(self) -> None:
        """Does what is due by the broker's clock."""
        self.namespace.run_due()
        self.flush_soon()

    def advance_clock(self, milliseconds: int) -> None:
        self.namespace.clock.advance(milliseconds)
        if self._alarm is not None:  # it was set for the clock as it was
            self._alarm.cancel()
            self._alarm = None
        self.run_due()

    def end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def hang_up_all(self) -> None:
        for connection in list(self.connections):
            connection.hang_up()

    def _flush(self) -> None:
        self._flush_is_due = False
        try:
            self.namespace.commit()
        except JournalError as broken:
            self.hang_up_all()
            if not self.ended.done():
                self.ended.set_exception(broken)
            return
        connections, self._to_flush = self._to_flush, set()
        for connection in connections:
            connection.flush()
        self._set_alarm()

    def _set_alarm(self) -> None:
        due = self.namespace.next_due()
        if due is None or (self._alarm is not None and self._alarm_at <= due):
            return  # an alarm that comes too early only looks again
        if self._alarm is not None:
            self._alarm.cancel()
        seconds = max(0.0, min((due - self.namespace.clock.now()) / 1000, _LONGEST_SLEEP))
        self._alarm, self._alarm_at = self._loop.call_later(seconds, self._wake_up), due

    def _wake_up(self) -> None:
        self._alarm = None
        self.run_due()
