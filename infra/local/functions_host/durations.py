"""Durations as .NET writes them, in host.json and in timer schedules: `[d.]hh:mm:ss[.fffffff]`."""

import re

_TIMESPAN = re.compile(r"(?:(\d+)\.)?([01]?\d|2[0-3]):([0-5]?\d):([0-5]?\d(?:\.\d{1,7})?)")


def is_timespan(text: str) -> bool:
    return ":" in text and " " not in text


def parse_timespan(text: str) -> float:
    """Seconds of a TimeSpan. Raises ValueError, also for 24:00:00, which .NET takes for 24 days: write 1.00:00:00."""
    match = _TIMESPAN.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a duration of the form [d.]hh:mm:ss, hours below 24")
    days, hours, minutes, seconds = match.groups()
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)
