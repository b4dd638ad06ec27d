"""Delays: soon at first, never too far ahead, never all at the same moment."""

from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backoff import HORIZON, first_looks_delay, poll_delay, retry_delay

MINUTE = 60.0

elapsed_seconds = st.floats(0, 1e9)
failures_in_a_row = st.integers(1, 1_000_000)


def about(seconds: float) -> tuple[float, float]:
    """± 20 %, and what floating point adds."""
    return seconds * 0.8 - 1e-9, seconds * 1.2 + 1e-9


def within(delay: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= delay <= bounds[1]


@given(elapsed=elapsed_seconds)
def test_a_poll_comes_after_a_quarter_of_the_time_so_far_between_one_second_and_two_minutes(elapsed: float) -> None:
    assert within(poll_delay(elapsed), about(min(max(elapsed / 4, 1), 2 * MINUTE)))


def test_polls_do_not_tend_to_come_early_or_late() -> None:
    assert mean(poll_delay(100) for _ in range(2000)) == pytest.approx(25, rel=0.04)


@pytest.mark.parametrize(("looks", "expected"), [(0, 1.0), (1, 2.0), (2, 4.0)])
def test_a_shares_first_looks_come_after_1_2_and_4_seconds(looks: int, expected: float) -> None:
    assert within(first_looks_delay(looks, elapsed=0), about(expected))


@given(looks=st.integers(3, 1_000_000), elapsed=elapsed_seconds)
def test_a_shares_later_looks_come_as_any_poll(looks: int, elapsed: float) -> None:
    assert within(first_looks_delay(looks, elapsed), about(min(max(elapsed / 4, 1), 2 * MINUTE)))


def test_a_deployment_of_20_minutes_is_looked_at_less_than_60_times() -> None:
    elapsed, looks = 0.0, 0
    while elapsed < 20 * MINUTE:
        elapsed += poll_delay(elapsed)
        looks += 1
    assert looks < 60


@pytest.mark.parametrize(("failures", "expected"), [(1, 2), (2, 4), (3, 8), (8, 256), (9, 512), (10, 600), (11, 600)])
def test_a_retry_waits_twice_as_long_each_time_up_to_ten_minutes(failures: int, expected: float) -> None:
    assert within(retry_delay(failures), about(expected))


@given(failures=failures_in_a_row)
def test_no_retry_of_our_own_is_beyond_the_horizon_however_many_failed(failures: int) -> None:
    assert 0 < retry_delay(failures) <= HORIZON == 15 * MINUTE


@given(failures=failures_in_a_row, asked=st.floats(0, 3600))
def test_a_retry_never_comes_sooner_than_azure_asked_for(failures: int, asked: float) -> None:
    assert retry_delay(failures, asked) >= asked


@given(failures=failures_in_a_row)
def test_what_azure_asks_for_does_not_shorten_our_own_backoff(failures: int) -> None:
    assert within(retry_delay(failures, 0.001), about(min(2 ** min(failures, 20), 600)))


def test_many_that_failed_at_once_do_not_come_back_at_once() -> None:
    delays = [retry_delay(5) for _ in range(200)]
    assert max(delays) - min(delays) > 0.2 * 32
