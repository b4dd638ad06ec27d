"""The clock of a worker, corrected by the Date headers of the table service's answers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.clock import CorrectedClock, local_now

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NOTHING = timedelta(0)

offsets = st.timedeltas(timedelta(days=-400), timedelta(days=400)) | st.timedeltas(-2 * SECOND, 2 * SECOND)
delays = st.timedeltas(NOTHING, timedelta(seconds=20)) | st.timedeltas(NOTHING, timedelta(milliseconds=30))


@dataclass(frozen=True)
class Answer:
    """One request: how long after noon, by the worker's clock, it was sent, and how long each way took."""

    after: timedelta
    there: timedelta
    back: timedelta

    @property
    def round_trip(self) -> timedelta:
        return self.there + self.back


answers = st.builds(Answer, st.timedeltas(NOTHING, timedelta(hours=1)), delays, delays)


def hear(clock: CorrectedClock, answer: Answer, offset: timedelta) -> None:
    """The service, whose clock is `offset` ahead of the worker's, writes its time, cut to the second, into the answer."""
    sent = NOON + answer.after
    date = (sent + answer.there + offset).replace(microsecond=0)
    clock.observe(date, sent, sent + answer.round_trip)


def is_off_by_at_most(clock: CorrectedClock, bound: timedelta, offset: timedelta) -> bool:
    before, corrected, after = local_now(), clock.now(), local_now()
    return before + offset - bound <= corrected <= after + offset + bound


def test_before_the_first_answer_local_time_is_all_there_is() -> None:
    assert is_off_by_at_most(CorrectedClock(), NOTHING, NOTHING)


@given(offset=offsets, heard=st.lists(answers, min_size=1, max_size=30))
def test_the_clock_is_never_off_by_more_than_a_second_and_the_shortest_round_trip(offset: timedelta, heard: list[Answer]) -> None:
    clock = CorrectedClock()
    for answer in heard:
        hear(clock, answer, offset)
    assert is_off_by_at_most(clock, SECOND + min(answer.round_trip for answer in heard), offset)


@given(offset=offsets)
def test_answers_at_different_parts_of_a_second_tell_the_time_to_a_tenth(offset: timedelta) -> None:
    way, clock = timedelta(milliseconds=5), CorrectedClock()
    for tenths in range(10):
        hear(clock, Answer(tenths * SECOND / 10, way, way), offset)
    assert is_off_by_at_most(clock, SECOND / 10 + way, offset)


@given(heard=st.lists(answers, max_size=30))
def test_a_clock_that_is_right_is_left_alone(heard: list[Answer]) -> None:
    clock = CorrectedClock()
    for answer in heard:
        hear(clock, answer, NOTHING)
    assert is_off_by_at_most(clock, NOTHING, NOTHING)


@given(
    offset=offsets,
    jump=offsets,
    before=st.lists(answers, min_size=1, max_size=10),
    after=st.lists(answers, min_size=1, max_size=10),
)
def test_a_jump_of_either_clock_is_followed_with_the_next_answer(
    offset: timedelta, jump: timedelta, before: list[Answer], after: list[Answer]
) -> None:
    clock = CorrectedClock()
    for answer in before:
        hear(clock, answer, offset)
    for answer in after:
        hear(clock, answer, offset + jump)
        assert is_off_by_at_most(clock, SECOND + answer.round_trip, offset + jump)


def test_a_worker_five_minutes_slow_schedules_nothing_into_the_past() -> None:
    clock, five_minutes = CorrectedClock(), timedelta(minutes=5)
    hear(clock, Answer(NOTHING, timedelta(milliseconds=2), timedelta(milliseconds=2)), five_minutes)
    assert clock.now() + 2 * SECOND > local_now() + five_minutes


@given(drift=st.floats(-200e-6, 200e-6), way=st.timedeltas(NOTHING, timedelta(milliseconds=50)))
def test_a_clock_that_drifts_is_followed(drift: float, way: timedelta) -> None:
    """A poor quartz is off by 200 microseconds a second: 17 seconds a day."""
    clock = CorrectedClock()
    for minutes in range(0, 24 * 60, 7):
        offset = timedelta(minutes=minutes * drift)
        hear(clock, Answer(timedelta(minutes=minutes, milliseconds=minutes * 137), way, way), offset)
        assert is_off_by_at_most(clock, SECOND + 2 * way, offset)
