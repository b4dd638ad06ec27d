"""Fairness in memory: one that admits everybody, one that does not, and the rows of the open circuits."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from shared.assets import WorkspaceId
from shared.circuits import Circuit
from shared.errors import Full, Lost, Transient


class FakeFairness:
    """Every workspace is well, and has all places free."""

    @contextmanager
    def admitted(self, workspace: WorkspaceId) -> Iterator[None]:
        yield


class FullFairness(FakeFairness):
    """One workspace has no place left."""

    def __init__(self, full: WorkspaceId) -> None:
        self._full = full

    @contextmanager
    def admitted(self, workspace: WorkspaceId) -> Iterator[None]:
        if workspace == self._full:
            raise Full("no place is left")
        yield


@dataclass
class FakeCircuitRows:
    """`reads` counts what was asked of the table; while it is `broken` nothing reaches it.

    `meanwhile` happens once, between a read and its answer.
    """

    broken: bool = False
    meanwhile: Callable[[], None] | None = None
    reads: int = 0
    rows: dict[WorkspaceId, Circuit] = field(default_factory=dict)
    _etags: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def all(self) -> Iterable[Circuit]:
        self.reads += 1
        self._require_reachable()
        found = list(self.rows.values())
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return found

    def save(self, circuit: Circuit) -> Circuit:
        self._require_unchanged(circuit)
        saved = replace(circuit, etag=str(next(self._etags)))
        self.rows[circuit.workspace] = saved
        return saved

    def remove(self, circuit: Circuit) -> None:
        if circuit.workspace in self.rows:
            self._require_unchanged(circuit)
            del self.rows[circuit.workspace]

    def _require_unchanged(self, circuit: Circuit) -> None:
        self._require_reachable()
        there = self.rows.get(circuit.workspace)
        if (there.etag if there else "") != circuit.etag:
            raise Lost("another's row stands")

    def _require_reachable(self) -> None:
        if self.broken:
            raise Transient("the tables can not be reached")
