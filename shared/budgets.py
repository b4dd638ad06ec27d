"""What ARM still allows: it gives each Azure subscription a bucket of calls, and refuses all of them once that is empty.

So a delivery is held back before its call is refused, and those that were held back come one by one, as the bucket fills
again. Each process goes by what ARM tells it; what the others do shows in the same figures.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared import backoff
from shared.errors import Waiting

LOW, ENOUGH = 20, 50  # calls left in a bucket of 200 or 250: where deliveries are held back, and for how many they wait
SECONDS_A_STEP = 0.1  # of a bucket's refill: a step makes about two reads and at most one write
THROTTLED_SECONDS = 5.0  # where a refusal names no time
MOST_PAUSES = 1_000  # in memory

type Calls = Literal["reads", "writes", "deletes"]  # each kind has a bucket

# By how many calls ARM fills each up, a second: learn.microsoft.com, "Understand how Azure Resource Manager throttles requests".
REFILL: Mapping[Calls, int] = {"reads": 25, "writes": 10, "deletes": 10}


@dataclass(slots=True)
class _Pause:
    """By the monotonic clock: until when an Azure subscription is left alone, and which moment after that is not taken yet."""

    until: float
    next_slot: float


class Budget:
    """Thread-safe. Azure subscriptions are named by their ids, in any case."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._pauses: OrderedDict[str, _Pause] = OrderedDict()

    def left(self, azure_subscription_id: str, calls: Calls, left: int) -> None:
        """ARM said how many calls of one kind are left."""
        if left < LOW:
            self._pause(azure_subscription_id, (ENOUGH - left) / REFILL[calls])

    def throttled(self, azure_subscription_id: str, retry_after: float | None) -> None:
        """ARM refused a call, for that many seconds."""
        self._pause(azure_subscription_id, THROTTLED_SECONDS if retry_after is None else retry_after)

    def require(self, azure_subscription_id: str) -> None:
        """Raises Waiting, with a moment of its own for each who asks, while the Azure subscription is left alone."""
        now = self._seconds()
        with self._lock:
            pause = self._pauses.get(azure_subscription_id.lower())
            if pause is None or now >= pause.until:
                return
            slot = pause.next_slot
            pause.next_slot += SECONDS_A_STEP
        text = f"Azure subscription {azure_subscription_id} has few calls left"
        raise Waiting(text, min(slot - now, backoff.HORIZON))

    def _pause(self, azure_subscription_id: str, duration: float) -> None:
        until = self._seconds() + min(duration, backoff.HORIZON)
        with self._lock:
            pause = self._pauses.setdefault(azure_subscription_id.lower(), _Pause(until, until))
            pause.until, pause.next_slot = max(pause.until, until), max(pause.next_slot, until)
            self._pauses.move_to_end(azure_subscription_id.lower())
            if len(self._pauses) > MOST_PAUSES:
                self._pauses.popitem(last=False)
