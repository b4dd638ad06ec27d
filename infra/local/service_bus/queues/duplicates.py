"""Duplicate detection: the message ids that a queue accepted within its window."""

from collections import OrderedDict
from collections.abc import Iterable

from infra.local.service_bus.queues.journal import Journal


class DuplicateHistory:
    """Ids in the order in which they were accepted. Without a window nothing is ever a duplicate."""

    def __init__(self, queue: str, window: int | None, journal: Journal) -> None:
        self._queue = queue
        self._window = window
        self._journal = journal
        self._accepted_at: OrderedDict[str, int] = OrderedDict()

    def restore(self, accepted: Iterable[tuple[str, int]]) -> None:
        """What an earlier run accepted, oldest first."""
        self._accepted_at.update(accepted)

    def is_repeated(self, message_id: str, now: int) -> bool:
        """Whether the id was accepted within the window; if it was not, it is from now on."""
        if self._window is None:
            return False
        self._forget_before(now - self._window)
        if message_id in self._accepted_at:
            return True
        self._accepted_at[message_id] = now
        self._journal.remember(self._queue, message_id, now)
        return False

    def _forget_before(self, oldest: int) -> None:
        while self._accepted_at:
            message_id, accepted_at = next(iter(self._accepted_at.items()))
            if accepted_at > oldest:
                return
            del self._accepted_at[message_id]
            self._journal.forget(self._queue, message_id)
