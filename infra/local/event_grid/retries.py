"""When an event that was not taken is sent again, and when it is given up.

https://learn.microsoft.com/azure/event-grid/delivery-and-retry, without its random addition so that tests can tell.
"""

from dataclasses import dataclass

MINUTE, HOUR = 60.0, 3600.0
SCHEDULE = (10.0, 30.0, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR)
AFTERWARDS = 12 * HOUR
MOST_ATTEMPTS = 30
TIME_TO_LIVE = 24 * HOUR

NOT_RETRIED = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 413: "RequestEntityTooLarge"}
LONGER_WAITS = {408: 2 * MINUTE, 503: 30.0}  # at least so long after these answers


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that was not taken: `status` where there was an answer, `reason` for people."""

    reason: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Drop the event; `reason` is the service's word for it."""

    reason: str


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`time_scale` shortens every wait and the time to live alike, so that a test sees a day in seconds."""

    time_scale: float = 1.0

    def after(self, failure: Failure, attempts: int, age: float) -> float | GiveUp:
        """Seconds to wait after so many attempts of an event accepted `age` seconds ago, or why to give it up."""
        if failure.status in NOT_RETRIED:
            return GiveUp(NOT_RETRIED[failure.status])
        if attempts >= MOST_ATTEMPTS:
            return GiveUp("MaxDeliveryAttemptsExceeded")
        wait = SCHEDULE[attempts - 1] if attempts <= len(SCHEDULE) else AFTERWARDS
        wait = max(wait, LONGER_WAITS.get(failure.status or 0, 0.0)) * self.time_scale
        if age + wait > TIME_TO_LIVE * self.time_scale:
            return GiveUp("TimeToLiveExceeded")
        return wait
