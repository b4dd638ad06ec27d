"""One sick or busy workspace must not hold up the others: few places in each process, and none while it is to be left alone.

See DESIGN.md, "Fairness": the bulkhead is here, shared/circuits.py and shared/budgets.py are the other two.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from shared.assets import WorkspaceId
from shared.budgets import Budget
from shared.circuits import Circuits
from shared.errors import Full, Throttled, Unavailable

FEWEST_PLACES = 2
THREADS_A_PLACE = 8

_heard: ContextVar[bool] = ContextVar("heard", default=False)


def places(threads: int) -> int:
    """How many of a process's threads may work for one workspace at a time."""
    return max(FEWEST_PLACES, threads // THREADS_A_PLACE)


def heard() -> None:
    """Azure answered a call of this thread's. Without this a step proves nothing: one that only waits makes no call."""
    _heard.set(True)


class Bulkhead:
    """Thread-safe."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._taken: Counter[WorkspaceId] = Counter()

    @contextmanager
    def place(self, workspace: WorkspaceId) -> Iterator[None]:
        """Raises Full at once where none is free."""
        with self._lock:
            if self._taken[workspace] >= self._places:
                raise Full(f"{self._places} deliveries to workspace {workspace.name} are under way in this process")
            self._taken[workspace] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[workspace] -= 1
                self._taken += Counter()  # forgets those at zero


class WorkspaceFairness:
    """`shared.ports.Fairness`."""

    def __init__(self, bulkhead: Bulkhead, circuits: Circuits, budget: Budget) -> None:
        self._bulkhead = bulkhead
        self._circuits = circuits
        self._budget = budget

    @contextmanager
    def admitted(self, workspace: WorkspaceId) -> Iterator[None]:
        with self._bulkhead.place(workspace):
            self._budget.require(workspace.azure_subscription_id)
            probe = self._circuits.admit(workspace)
            _heard.set(False)
            answers = True
            try:
                yield
            except Unavailable:
                answers = False
                raise
            except Throttled as refused:  # by ARM, which says nothing of the workspace
                self._budget.throttled(workspace.azure_subscription_id, refused.retry_after)
                raise
            finally:
                if not answers:
                    self._circuits.failed(workspace, probe)
                elif _heard.get():
                    self._circuits.answered(workspace)
