"""How long something takes, as rules and command lines have it: one grammar for both."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.durations import LONGEST, duration_in, duration_text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("4h", timedelta(hours=4)),
        ("1d", timedelta(days=1)),
        ("2w", timedelta(weeks=2)),
        ("1h30m", timedelta(minutes=90)),
        ("30m4h", timedelta(hours=4, minutes=30)),
        ("1w2d3h4m5s", timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
        ("86400s", timedelta(days=1)),
        ("0h", timedelta()),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, meant: timedelta) -> None:
    assert duration_in(text) == meant


@pytest.mark.parametrize("text", ["", "5", "m", "5x", "5M", "-5m", "1 h", "1.5h", "1h and 2m", " 1h", "1h\n", "٣h", "1000000s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        duration_in(text)


@pytest.mark.parametrize("text", ["30m30m", "1h2m3h", "1d0d"])
def test_a_unit_that_stands_there_twice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        duration_in(text)


def test_what_is_longer_than_any_calendar_can_subtract_is_refused() -> None:
    assert duration_in("99999d") == LONGEST
    with pytest.raises(ValueError, match="is longer than 99,999 days"):
        duration_in("99999d1s")


@given(st.integers(0, int(LONGEST.total_seconds())))
def test_a_duration_written_out_and_read_again_is_the_same(seconds: int) -> None:
    duration = timedelta(seconds=seconds)

    assert duration_in(duration_text(duration)) == duration
