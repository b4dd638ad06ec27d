"""When a subscription's window is open: right also on the two days a year when the clocks change.

An opening is a time of the wall clock in the window's timezone, as cron(8) has it. One that does not exist on a day, because
the clocks jump over it, comes as they have jumped; one that exists twice comes the first time. Only where every hour opens
(`*`), each that passes does. How long a window stays open is elapsed time, whatever the clocks show.
"""

from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from shared.tenants import Window

FIELDS = 5  # minute, hour, day of the month, month, day of the week
ANY_START = datetime(2000, 1, 1)


@lru_cache(maxsize=1024)
def require_cron(expression: str) -> None:
    """ValueError, saying why, for what is no cron expression of five fields, or fits no day of the calendar."""
    if len(expression.split()) != FIELDS:
        raise ValueError(f"it has {len(expression.split())} fields, not {FIELDS}")
    try:
        next(CronSim(expression, ANY_START))
    except CronSimError as wrong:
        raise ValueError(str(wrong).lower()) from wrong
    except StopIteration as never:
        raise ValueError("no day fits it") from never


@cache
def timezones() -> frozenset[str]:
    """The names of the IANA database as package `tzdata` has it, the same on every machine.

    zoneinfo takes what a name means from the operating system, and from the package where that has no database or not the name.
    """
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


def next_opening(window: Window, after: datetime) -> datetime:
    """The first opening later than `after`, in UTC."""
    openings = CronSim(_by_wall_clock(window.cron), after.astimezone(ZoneInfo(window.timezone)))
    return next(opening for each in openings if (opening := each.astimezone(UTC)) > after)


def is_open(window: Window, at: datetime) -> bool:
    """Whether an opening came at this moment, or before it by less than the window stays open."""
    return next_opening(window, at - window.open_for) <= at


def release(window: Window, now: datetime) -> datetime:
    """When what is held may go: now, or at the next opening."""
    return now if is_open(window, now) else next_opening(window, now)


def _by_wall_clock(cron: str) -> str:
    """The same times, written so that CronSim takes them from the wall clock.

    Like Debian's cron it does so unless minute or hour begin with a star: those it counts in elapsed time, and would leave out
    `*/10 2 * * *` on the day when the clocks jump over that hour. Such a star is spelled out; but not the hour that is any.
    (Lord Howe's clocks change by half an hour: there, twice a year, CronSim leaves out one opening of those each hour.)
    """
    minute, hour, *days = cron.split()
    if hour == "*":
        return cron
    return " ".join((_spelled_out(minute, 59), _spelled_out(hour, 23), *days))


def _spelled_out(field: str, last: int) -> str:
    return f"0-{last}{field.removeprefix('*')}" if field.startswith("*") else field
