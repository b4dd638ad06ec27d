"""When an event that was not taken is sent again, and when it is given up.

https://learn.microsoft.com/azure/event-grid/delivery-and-retry, without its random addition so that tests can tell.
"""

from dataclasses import dataclass

MINUTE, HOUR = 60.0, 3600.0
SCHEDULE = (10.0, 30.0, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR)
AFTERWARDS = 12 * HOUR
MOST_ATTEMPTS = 30
TIME_TO_LIVE_MINUTES = 24 * 60
UNTIL_DEAD_LETTERED = 5 * MINUTE  # after the last attempt
DEAD_LETTERS_KEPT = 4 * HOUR  # while their container cannot be reached

NOT_RETRIED = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 413: "RequestEntityTooLarge"}
LONGER_WAITS = {408: 2 * MINUTE, 503: 30.0}  # at least so long after these answers


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that was not taken: `status` where there was an answer, `reason` for people, `outcome` the service's word."""

    reason: str
    status: int | None = None
    outcome: str = "GenericError"


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Dead-letter the event, or drop it; `reason` is the service's word for it."""

    reason: str


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`time_scale` shortens every wait and the time to live alike, so that a test sees a day in seconds."""

    time_scale: float = 1.0

    def after(
        self,
        failure: Failure,
        attempts: int,
        age: float,
        most_attempts: int = MOST_ATTEMPTS,
        time_to_live_minutes: int = TIME_TO_LIVE_MINUTES,
    ) -> float | GiveUp:
        """Seconds to wait after so many attempts of an event accepted `age` seconds ago, or why to give it up."""
        if failure.status in NOT_RETRIED:
            return GiveUp(f"UndeliverableDueToHttp{NOT_RETRIED[failure.status]}")
        if attempts >= most_attempts:
            return GiveUp("MaxDeliveryAttemptsExceeded")
        wait = max(self.wait(attempts), LONGER_WAITS.get(failure.status or 0, 0.0) * self.time_scale)
        if age + wait > time_to_live_minutes * MINUTE * self.time_scale:
            return GiveUp("TimeToLiveExceeded")
        return wait

    def wait(self, attempts: int) -> float:
        """Seconds until the next attempt, after so many."""
        return (SCHEDULE[attempts - 1] if attempts <= len(SCHEDULE) else AFTERWARDS) * self.time_scale
