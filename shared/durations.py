"""How long something takes, as people write it in rules and on the command line: `90s`, `30m`, `4h`, `1d`, `2w`, `1h30m`."""

import re
from datetime import timedelta

LONGEST = timedelta(days=99_999)  # 273 years: a time so long ago is still a date
FORM = "write a number and w, d, h, m or s, each at most once, such as 90s, 30m, 4h, 1d or 1h30m"

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PART = re.compile(r"([0-9]{1,6})([wdhms])")


def duration_in(text: str) -> timedelta:
    """ValueError, which says why, for what is none, and for what is longer than `LONGEST`."""
    parts = _PART.findall(text)
    units = [unit for _, unit in parts]
    if not parts or "".join(map("".join, parts)) != text or len(set(units)) < len(units):
        raise ValueError(f"{text!r} is no duration")
    duration = timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in parts))
    if duration > LONGEST:
        raise ValueError(f"{text!r} is longer than {LONGEST.days:,} days")
    return duration


def duration_text(duration: timedelta) -> str:
    """The same in days and less, such as `duration_in` takes it. What is less than a second is left out; nothing is `0s`."""
    left, parts = int(duration.total_seconds()), []
    for unit in "dhms":
        number, left = divmod(left, _SECONDS[unit])
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts) or "0s"
