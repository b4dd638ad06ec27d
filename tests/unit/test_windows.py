"""When a window is open, above all on the days when the clocks change.

In Berlin they jump from 02:00 to 03:00 on 29 March 2026, and go back from 03:00 to 02:00 on 25 October.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.tenants import Window
from shared.windows import is_open, next_opening, release, require_cron, timezones

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def window(cron: str, hours: float = 4, timezone: str = "Europe/Berlin") -> Window:
    return Window(cron, timedelta(hours=hours), timezone)


def utc(month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


def openings(of: Window, after: datetime, upto: datetime) -> list[datetime]:
    found: list[datetime] = []
    while (opening := next_opening(of, found[-1] if found else after)) <= upto:
        found.append(opening)
    return found


# ---- any day

SUNDAY_NIGHT = window("0 1 * * SUN")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (utc(3, 7, 23, 59, 59), False),
        (utc(3, 8, 0), True),
        (utc(3, 8, 3, 59, 59), True),
        (utc(3, 8, 4), False),
        (utc(3, 9, 0), False),
    ],
    ids=["just before", "as it opens", "just before it closes", "as it closes", "a day later"],
)
def test_a_window_is_open_from_its_opening_until_it_closes(at: datetime, expected: bool) -> None:
    assert is_open(SUNDAY_NIGHT, at) is expected


def test_the_next_opening_is_a_later_one() -> None:
    assert next_opening(SUNDAY_NIGHT, utc(3, 7, 23, 59, 59)) == utc(3, 8, 0)
    assert next_opening(SUNDAY_NIGHT, utc(3, 8, 0)) == utc(3, 15, 0)
    assert next_opening(SUNDAY_NIGHT, utc(3, 8, 0) - timedelta(microseconds=1)) == utc(3, 8, 0)


def test_what_is_held_goes_now_or_at_the_next_opening() -> None:
    assert release(SUNDAY_NIGHT, utc(3, 8, 2)) == utc(3, 8, 2)
    assert release(SUNDAY_NIGHT, utc(3, 8, 4)) == utc(3, 15, 0)


def test_one_that_stays_open_beyond_its_next_opening_is_always_open() -> None:
    always = window("0 1 * * *", hours=30)
    assert all(is_open(always, utc(3, 28, 0) + timedelta(minutes=17 * step)) for step in range(200))


# ---- the two days


@pytest.mark.parametrize("cron", ["30 2 * * *", "0 2 * * *", "*/10 2 * * *", "* 2 * * SUN", "0 */2 29 3 *"])
def test_an_opening_that_the_clocks_jump_over_comes_as_they_have_jumped(cron: str) -> None:
    jump = utc(3, 29, 1)
    assert jump in openings(window(cron), jump - timedelta(hours=1), jump + timedelta(minutes=59))


def test_an_opening_that_the_clocks_jump_over_comes_once() -> None:
    assert openings(window("30 2 * * *"), utc(3, 28, 12), utc(3, 30, 12)) == [utc(3, 29, 1), utc(3, 30, 0, 30)]


def test_an_opening_that_exists_twice_comes_the_first_time() -> None:
    assert openings(window("30 2 * * *"), utc(10, 24, 12), utc(10, 26, 12)) == [utc(10, 25, 0, 30), utc(10, 26, 1, 30)]


def test_between_its_first_and_its_second_time_an_opening_is_over() -> None:
    assert next_opening(window("30 2 * * *"), utc(10, 25, 1, 15)) == utc(10, 26, 1, 30)


def test_each_hour_that_passes_opens_where_any_does() -> None:
    hourly = window("30 * * * *", hours=0.5)
    assert len(openings(hourly, utc(3, 28, 23), utc(3, 29, 22))) == 23
    assert len(openings(hourly, utc(10, 24, 22), utc(10, 25, 23))) == 25


@pytest.mark.parametrize(("opens", "closes"), [(utc(3, 29, 0), utc(3, 29, 4)), (utc(10, 24, 23), utc(10, 25, 3))])
def test_a_window_stays_open_in_elapsed_time(opens: datetime, closes: datetime) -> None:
    at_one = window("0 1 * * SUN")
    assert [is_open(at_one, at) for at in (opens - MINUTE, opens, closes - MINUTE, closes)] == [False, True, True, False]


def test_two_timezones_open_by_their_own_clocks() -> None:
    assert next_opening(window("0 1 * * *", timezone="Asia/Kathmandu"), utc(3, 1, 0)) == utc(3, 1, 19, 15)
    assert next_opening(window("0 1 * * *", timezone="UTC"), utc(3, 1, 1)) == utc(3, 2, 1)


# ---- brute force: a minute after the other

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # at midnight, back to before it
    "America/Santiago",  # at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Antarctica/Troll",  # by two hours
    "Africa/Casablanca",  # around Ramadan
    "Asia/Kathmandu",
    "UTC",
)


@dataclass(frozen=True)
class Field:
    text: str
    values: frozenset[int]


def field(text: str, *values: int) -> Field:
    return Field(text, frozenset(values))


MINUTES = (field("0", 0), field("30", 30), field("15,45", 15, 45), field("*/20", 0, 20, 40), field("*", *range(60)))
HOURS = (
    field("0", 0),
    field("1", 1),
    field("2", 2),
    field("3", 3),
    field("1-3", 1, 2, 3),
    field("23", 23),
    field("*/2", *range(0, 24, 2)),
    field("*", *range(24)),
)
DAYS = (field("*", *range(7)), field("*", *range(7)), field("SUN", 6), field("SAT-SUN", 5, 6))


@dataclass(frozen=True)
class Times:
    minute: Field
    hour: Field
    weekday: Field

    @property
    def cron(self) -> str:
        weekday = "6,0" if self.weekday.text == "SAT-SUN" else self.weekday.text
        return f"{self.minute.text} {self.hour.text} * * {weekday}"

    def has(self, wall: datetime) -> bool:
        return wall.minute in self.minute.values and wall.hour in self.hour.values and wall.weekday() in self.weekday.values


def openings_by_the_minute(times: Times, zone: ZoneInfo, since: datetime) -> Iterator[datetime]:
    """Somebody looks at a clock each minute, and opens when a time came, or was jumped over, that it had not shown before."""
    now, latest = since, since.astimezone(zone).replace(tzinfo=None)
    while True:
        now += MINUTE
        wall = now.astimezone(zone).replace(tzinfo=None)
        new = [latest + MINUTE * step for step in range(1, (wall - latest) // MINUTE + 1)]
        came = [wall] if times.hour.text == "*" else new
        latest = max(latest, wall)
        if any(times.has(each) for each in came):
            yield now


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """When its clocks change, between 2024 and 2029; the beginning of these years where they never do."""
    start, hours = datetime(2024, 1, 1, tzinfo=UTC), range(5 * 365 * 24)
    offsets = [(start + timedelta(hours=hour)).astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    return tuple(start + timedelta(hours=hour) for hour in hours[1:] if offsets[hour] != offsets[hour - 1]) or (start,)


crons = st.builds(Times, st.sampled_from(MINUTES), st.sampled_from(HOURS), st.sampled_from(DAYS))
places_and_moments = st.sampled_from(ZONES).flatmap(
    lambda zone: st.tuples(
        st.just(zone),
        st.builds(
            lambda change, seconds: change + timedelta(seconds=seconds),
            st.sampled_from(changes(zone)),
            st.integers(-6 * 3600, 6 * 3600) | st.integers(-36 * 60, 36 * 60).map(lambda minutes: minutes * 60),
        ),
    )
)


@settings(deadline=None)
@given(crons, places_and_moments)
@example(Times(MINUTES[1], HOURS[2], DAYS[0]), ("Europe/Berlin", utc(10, 25, 1, 15)))
def test_the_next_opening_is_what_somebody_who_watches_the_clock_finds(times: Times, when: tuple[str, datetime]) -> None:
    zone, now = when
    assume(zone != "Australia/Lord_Howe" or times.hour.text != "*")  # half an hour: CronSim counts these in whole ones
    found = next_opening(Window(times.cron, MINUTE, zone), now)
    since = now.replace(second=0) - timedelta(hours=6)  # longer than clocks ever go back
    expected = next(each for each in openings_by_the_minute(times, ZoneInfo(zone), since) if each > now)
    assert found == expected


@settings(deadline=None)
@given(crons, places_and_moments, st.integers(1, 3 * 24 * 60).map(lambda minutes: minutes * MINUTE))
def test_a_window_is_open_if_and_only_if_an_opening_is_younger_than_it_stays_open(
    times: Times, when: tuple[str, datetime], open_for: timedelta
) -> None:
    zone, now = when
    of = Window(times.cron, open_for, zone)
    earlier = openings(of, now - open_for - timedelta(days=1), now)
    assert is_open(of, now) is any(opening <= now < opening + open_for for opening in earlier)


@settings(deadline=None)
@given(crons, places_and_moments)
def test_no_opening_is_missed_and_each_is_later_than_the_last(times: Times, when: tuple[str, datetime]) -> None:
    """However often one asks in between."""
    zone, now = when
    of = Window(times.cron, MINUTE, zone)
    in_a_row = openings(of, now, now + timedelta(hours=3))
    by_the_minute = {next_opening(of, now + step * MINUTE) for step in range(3 * 60)}
    assert in_a_row == sorted(set(in_a_row))
    assert set(in_a_row) == {opening for opening in by_the_minute if opening <= now + timedelta(hours=3)}


def test_every_timezone_that_is_known_has_clocks() -> None:
    assert {"Europe/Berlin", "UTC", "US/Pacific"} < timezones()
    assert all(ZoneInfo(name).utcoffset(datetime(2026, 3, 1, tzinfo=UTC)) is not None for name in timezones())


# ---- what is no cron expression


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0 0 1 * * SUN", "it has 6 fields, not 5"),
        ("@daily", "it has 1 fields, not 5"),
        ("", "it has 0 fields, not 5"),
        ("61 * * * *", "bad minute"),
        ("0 1 * * FUNDAY", "bad day-of-week"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("* * */20 * 1L", "no day fits it"),
    ],
)
def test_what_names_no_time_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        require_cron(text)


@given(st.lists(st.text("0123456789*/-,#LW UNSMO", max_size=6), max_size=6).map(" ".join) | st.text())
def test_any_text_is_a_cron_expression_or_is_refused(text: str) -> None:
    try:
        require_cron(text)
    except ValueError:
        return
    assert next_opening(window(text), utc(1, 1, 0)) > utc(1, 1, 0)
