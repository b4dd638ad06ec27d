"""The broker's one clock."""

import time


class Clock:
    """UTC in integer milliseconds; tests move it forward instead of waiting."""

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> int:
        return int(time.time() * 1000) + self._ahead

    def advance(self, milliseconds: int) -> None:
        self._ahead += milliseconds
