"""When to look again: the one place where delays are decided. All in seconds, each spread by ± 20 %."""

import random

SPREAD = 0.2
FIRST_LOOKS = (1.0, 2.0, 4.0)  # most imports of a model end within seconds
SHORTEST_POLL, LONGEST_POLL = 1.0, 120.0
FIRST_RETRY, LONGEST_RETRY = 2.0, 600.0
LONGEST_ASKED = 3600.0  # what Azure may ask us to wait
CROWDED = (2.0, 10.0)  # how long a message stays away from a workspace that is busy
HORIZON = 900.0  # nothing is scheduled further ahead than this; the timer releases what is held longer


def spread(seconds: float) -> float:
    return seconds * random.uniform(1 - SPREAD, 1 + SPREAD)


def poll_delay(elapsed: float) -> float:
    """After a quarter of the time that the operation runs already."""
    return spread(min(max(elapsed / 4, SHORTEST_POLL), LONGEST_POLL))


def first_looks_delay(looks: int, elapsed: float) -> float:
    """A share's first looks come soon; then as any poll."""
    return spread(FIRST_LOOKS[looks]) if looks < len(FIRST_LOOKS) else poll_delay(elapsed)


def crowded_delay() -> float:
    return random.uniform(*CROWDED)


def retry_delay(failures: int, retry_after: float | None = None) -> float:
    """After the `failures`-th transient failure in a row: doubled each time, never sooner than Azure asked for, within an hour."""
    doubled = spread(min(FIRST_RETRY * 2 ** min(failures - 1, 16), LONGEST_RETRY))
    return max(doubled, min(retry_after or 0.0, LONGEST_ASKED))
