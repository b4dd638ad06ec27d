"""Sequence numbers: unique, ascending, and never given out twice, not even over a restart."""

from infra.local.service_bus.queues.journal import Journal

_BLOCK = 10_000


class SequenceNumbers:
    """One series for all queues, reserved on disk in blocks, so that a restart leaves a gap and no repetition."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._next = self._reserved = journal.reserved_numbers()

    def draw(self) -> int:
        if self._next >= self._reserved:
            self._reserved = self._next + _BLOCK
            self._journal.reserve_numbers(self._reserved)
        number = self._next
        self._next += 1
        return number
