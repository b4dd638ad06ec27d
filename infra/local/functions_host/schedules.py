"""Timer schedules: NCRONTAB, seconds first and in UTC, or a TimeSpan between two runs."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from croniter import CroniterError, croniter

from infra.local.functions_host.durations import is_timespan, parse_timespan

type Schedule = Callable[[datetime], datetime]

# NCrontab knows neither croniter's L, # and @hourly, nor 7 for Sunday
_NCRONTAB_FIELD = re.compile(r"[0-9A-Za-z*,/-]+")
_WORDS = re.compile(r"(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT)?", re.IGNORECASE)


def parse_schedule(text: str) -> Schedule:
    """A function from now to the next occurrence after it. Raises ValueError for what the real host would not take."""
    if is_timespan(text):
        interval = timedelta(seconds=parse_timespan(text))
        if not interval:
            raise ValueError(f"{text!r} is no interval")
        return lambda now: now + interval
    return _cron(_with_seconds(text))


def _with_seconds(text: str) -> str:
    fields = text.split()
    if len(fields) not in (5, 6) or not all(map(_NCRONTAB_FIELD.fullmatch, fields)):
        raise ValueError(f"{text!r} is neither NCRONTAB (five or six fields, seconds first) nor hh:mm:ss")
    letters = [word for field in fields for word in re.findall(r"[A-Za-z]+", field)]
    if not all(map(_WORDS.fullmatch, letters)) or "7" in re.split(r"[,/-]", fields[-1]):
        raise ValueError(f"{text!r} is not NCRONTAB: days of the week are 0 to 6 or SUN to SAT")
    return text if len(fields) == 6 else f"0 {text}"


def _cron(expression: str) -> Schedule:
    def next_after(now: datetime) -> datetime:
        # NCrontab wants day of month *and* day of week to match, where classic cron wants either
        occurrence: datetime = croniter(expression, now, second_at_beginning=True, day_or=False).get_next(datetime)
        return occurrence

    try:
        next_after(datetime(2025, 1, 1))  # only to find an expression that never fires
    except (CroniterError, ValueError) as wrong:
        raise ValueError(f"{expression!r} is not NCRONTAB: {wrong}") from None
    return next_after
