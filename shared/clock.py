"""One clock for all workers: local time, corrected by what the table service says the time is.

A worker whose clock runs five minutes slow would otherwise schedule its wake-ups into the past, and look thousands of
times in a few seconds.
"""

import threading
from datetime import UTC, datetime, timedelta

RESOLUTION = timedelta(seconds=1)  # of an HTTP Date header


def local_now() -> datetime:
    return datetime.now(UTC)


class CorrectedClock:
    """`now()` is the service's time, as nearly as its answers tell.

    Each answer bounds the offset: its `Date` was read after the request was sent and before the answer came, and is cut to
    the second. The bounds are intersected; when they contradict each other a clock was set, and the newest answer counts.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._least = timedelta.min
        self._most = timedelta.max
        self._offset = timedelta(0)

    def now(self) -> datetime:
        return local_now() + self._offset

    def observe(self, server_date: datetime, sent: datetime, received: datetime) -> None:
        """Take in an answer: its `Date` header, and the local times at which its request went out and it came in."""
        least, most = server_date - received, server_date + RESOLUTION - sent
        with self._lock:
            self._least, self._most = max(self._least, least), min(self._most, most)
            if self._least > self._most:
                self._least, self._most = least, most
            self._offset = min(max(timedelta(0), self._least), self._most)
