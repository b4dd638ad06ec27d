"""Which of many things is due next, at a cost that follows what is pending and not what ever was."""

import heapq

_SPARE_ENTRIES = 64


class Deadlines:
    """One deadline for each key (a sequence number). Withdrawn ones stay in the heap until they surface or outnumber the rest."""

    def __init__(self) -> None:
        self._due_by_key: dict[int, int] = {}
        self._heap: list[tuple[int, int]] = []

    def set(self, key: int, due: int) -> None:
        """Replaces the key's earlier deadline, if any."""
        self._due_by_key[key] = due
        heapq.heappush(self._heap, (due, key))
        if len(self._heap) > 2 * len(self._due_by_key) + _SPARE_ENTRIES:
            self._heap = [(due, key) for key, due in self._due_by_key.items()]
            heapq.heapify(self._heap)

    def withdraw(self, key: int) -> None:
        self._due_by_key.pop(key, None)

    def next_due(self) -> int | None:
        while self._heap:
            due, key = self._heap[0]
            if self._due_by_key.get(key) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def take_due(self, now: int) -> list[int]:
        """The keys whose deadline has come, earliest first; they have none from now on."""
        keys = []
        while (due := self.next_due()) is not None and due <= now:
            key = heapq.heappop(self._heap)[1]
            del self._due_by_key[key]
            keys.append(key)
        return keys
