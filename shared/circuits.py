"""Circuits: a workspace that fails to answer three times in a row is left alone by all processes, but for a probe now and then.

A circuit is a row while it is open, and none otherwise. The open ones are few, so each process reads all of them in one go, at
most every ten seconds: whether a workspace may be asked costs its deliveries nothing, and news reaches all in time.
"""

import logging
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, Self

from shared import backoff, logs
from shared.assets import WorkspaceId
from shared.errors import Lost, Permanent, Transient, Waiting
from shared.wakeups import CLAIM

log = logging.getLogger("fanout.circuits")

FAILURES_IN_A_ROW = 3
FIRST_WAIT, LONGEST_WAIT = 30, 900  # seconds until a probe, doubled when it fails
SOONEST = 0.8  # of the wait: circuits that opened together are not probed together
COME_BACK_OVER = 20.0  # seconds after the time for the probe, over which those come back that waited
KNOWN_FOR = 10.0  # seconds
MOST_FAILING = 10_000  # workspaces in memory


@dataclass(frozen=True, slots=True)
class Circuit:
    """An open one. `wait`: for how many seconds the workspace is left alone; at `probe_at` one delivery may ask it."""

    workspace: WorkspaceId
    wait: int
    probe_at: datetime
    etag: str = field(default="", compare=False)

    @classmethod
    def opened(cls, workspace: WorkspaceId, now: datetime) -> Self:
        return cls(workspace, FIRST_WAIT, now + _about(FIRST_WAIT))

    def probed(self, now: datetime) -> Self:
        """Taken by one delivery. Should that die, another may probe when its claim ends."""
        return replace(self, probe_at=now + CLAIM)

    def opened_again(self, now: datetime) -> Self:
        """The probe failed."""
        wait = min(self.wait * 2, LONGEST_WAIT)
        return replace(self, wait=wait, probe_at=now + _about(wait))

    def waiting(self, now: datetime) -> Waiting:
        """What a delivery that meets it raises: each comes back at a time of its own."""
        seconds = (self.probe_at - now).total_seconds() + random.uniform(0, COME_BACK_OVER)
        text = f"workspace {self.workspace.name} does not answer: it is left alone until {self.probe_at:%H:%M:%S} UTC"
        return Waiting(text, min(max(seconds, 0.0), backoff.HORIZON))


class CircuitRows(Protocol):
    """The rows. Each raises Transient or Permanent when the tables can not be reached."""

    def all(self) -> Iterable[Circuit]:
        """The open ones, at most as many as one answer holds."""

    def save(self, circuit: Circuit) -> Circuit:
        """With its new ETag. Lost where another's stands, or is gone."""

    def remove(self, circuit: Circuit) -> None:
        """Lost where it was changed since."""


class Circuits:
    """What one process knows of them. Thread-safe. Where the rows can not be reached, nothing is held back on their account."""

    def __init__(self, rows: CircuitRows, now: Callable[[], datetime], seconds: Callable[[], float] = time.monotonic) -> None:
        """`now` is the rows' time, the same in all processes; `seconds` this process's own."""
        self._rows = rows
        self._now = now
        self._seconds = seconds
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._failures: OrderedDict[WorkspaceId, int] = OrderedDict()
        self._open: dict[WorkspaceId, Circuit] = {}
        self._read_at: float | None = None
        self._changes = 0

    def admit(self, workspace: WorkspaceId) -> Circuit | None:
        """None where the circuit is closed; itself where this delivery is the probe. Raises Waiting for all others."""
        self._read_if_old()
        circuit = self._open.get(workspace)
        return None if circuit is None else self._probe(circuit)

    def failed(self, workspace: WorkspaceId, probe: Circuit | None) -> None:
        """The workspace did not answer a delivery, which was the `probe` or none."""
        if probe:
            self._save(probe.opened_again(self._now()), "circuit opened again")
        elif self._is_too_many(workspace):
            self._save(Circuit.opened(workspace, self._now()), "circuit opened")

    def answered(self, workspace: WorkspaceId) -> None:
        with self._lock:
            self._failures.pop(workspace, None)
            circuit = self._open.pop(workspace, None)
            self._changes += circuit is not None
        if circuit:
            self._close(circuit)

    def _probe(self, circuit: Circuit) -> Circuit | None:
        now = self._now()
        if now < circuit.probe_at:
            raise circuit.waiting(now)
        try:
            return self._saved(circuit.probed(now), "circuit probed")
        except Lost:
            pass
        except (Transient, Permanent) as failure:
            _unreachable(failure)
            return None
        self._read()
        overtaking = self._open.get(circuit.workspace)
        if overtaking:
            raise overtaking.waiting(now)
        return None

    def _is_too_many(self, workspace: WorkspaceId) -> bool:
        with self._lock:
            failures = self._failures.pop(workspace, 0) + 1
            if failures >= FAILURES_IN_A_ROW:
                return True
            self._failures[workspace] = failures
            if len(self._failures) > MOST_FAILING:
                self._failures.popitem(last=False)
            return False

    def _save(self, circuit: Circuit, what: str) -> None:
        try:
            self._saved(circuit, what)
        except Lost:
            self._read_at = None  # another process's stands: read it with the next delivery
        except (Transient, Permanent) as failure:
            _unreachable(failure)

    def _saved(self, circuit: Circuit, what: str) -> Circuit:
        saved = self._rows.save(circuit)
        with self._lock:
            self._open[circuit.workspace] = saved
            self._changes += 1
        logs.event(log, what, logging.WARNING, workspace=circuit.workspace, wait=circuit.wait, probe_at=circuit.probe_at)
        return saved

    def _close(self, circuit: Circuit) -> None:
        try:
            self._rows.remove(circuit)
        except Lost:
            self._read_at = None
        except (Transient, Permanent) as failure:
            _unreachable(failure)
        else:
            logs.event(log, "circuit closed", workspace=circuit.workspace)

    def _read_if_old(self) -> None:
        """By one thread; meanwhile the others go by what is known."""
        if self._read_at is not None and self._seconds() - self._read_at < KNOWN_FOR:
            return
        if self._reading.acquire(blocking=False):
            try:
                self._read()
            finally:
                self._reading.release()

    def _read(self) -> None:
        changes, started = self._changes, self._seconds()
        try:
            found = {circuit.workspace: circuit for circuit in self._rows.all()}
        except (Transient, Permanent) as failure:
            _unreachable(failure)
            self._read_at = self._seconds()  # not again with the very next delivery
            return
        with self._lock:
            if self._changes == changes:  # else what was read may be older than what this process did
                self._open, self._read_at = found, started


def _about(wait: int) -> timedelta:
    return timedelta(seconds=wait * random.uniform(SOONEST, 1))


def _unreachable(failure: Exception) -> None:
    logs.event(log, "circuits can not be reached", logging.WARNING, why=failure)
