"""How long the work on one message may still take: Azure's slowness must not outlive a claim, nor hold a thread for long."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LONGEST_MESSAGE = 45.0  # seconds of Azure's time for one message; a claim lasts longer

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Calls to Azure made inside, by this thread, end in time: the last of them is cut off, further ones are refused."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def remaining() -> float | None:
    """Seconds left; None where nobody set a limit."""
    ends_at = _ends_at.get()
    return None if ends_at is None else ends_at - time.monotonic()
