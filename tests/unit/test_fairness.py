"""Fairness: what one workspace, or one Azure subscription, may take of a process, and when it is left alone."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import backoff
from shared.assets import WorkspaceId
from shared.budgets import ENOUGH, LOW, REFILL, Budget, Calls
from shared.circuits import COME_BACK_OVER, FIRST_WAIT, KNOWN_FOR, LONGEST_WAIT, Circuit, Circuits
from shared.errors import Full, NotFound, Permanent, Throttled, Transient, Unavailable, Waiting
from shared.fairness import Bulkhead, WorkspaceFairness, heard, places
from shared.ports import Fairness
from shared.wakeups import CLAIM
from tests.fake_fairness import FakeCircuitRows, FakeFairness


def workspace(name: str) -> WorkspaceId:
    return WorkspaceId("subscription", "group", name)


SICK, WELL = workspace("sick"), workspace("well")
OTHER_SUBSCRIPTION = WorkspaceId("other", "rg", "elsewhere")


@dataclass
class Time:
    """All processes' monotonic clocks, and the rows' time, go by this."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Region:
    """Several processes of Fanout, and the rows that they share."""

    time: Time = field(default_factory=Time)
    rows: FakeCircuitRows = field(default_factory=FakeCircuitRows)

    def process(self, places: int = 4) -> WorkspaceFairness:
        circuits = Circuits(self.rows, self.time.now, self.time.monotonic)
        return WorkspaceFairness(Bulkhead(places), circuits, Budget(self.time.monotonic))

    @property
    def probe_in(self) -> float:
        """Seconds until the sick workspace's probe."""
        return (self.rows.rows[SICK].probe_at - self.time.now()).total_seconds()


@pytest.fixture
def region() -> Region:
    return Region()


def answer() -> None:
    heard()


def no_answer() -> None:
    raise Unavailable("nobody answers")


def answer_that_it_is_not_there() -> None:
    heard()
    raise NotFound("not there")


def throttle() -> None:
    raise Throttled("too many", retry_after=7)


def ask_nobody() -> None:
    pass


def deliver(process: Fairness, step: Callable[[], None], to: WorkspaceId = SICK) -> type[Exception] | None:
    """What the step, or the way to it, raised."""
    try:
        with process.admitted(to):
            step()
    except (Transient, Permanent) as raised:
        return type(raised)
    return None


def wait_of(process: Fairness, to: WorkspaceId = SICK) -> float:
    """How many seconds a delivery is told to wait."""
    with pytest.raises(Waiting) as told, process.admitted(to):
        pass
    assert told.value.retry_after is not None
    return told.value.retry_after


def open_circuit(process: Fairness) -> None:
    for _ in range(3):
        assert deliver(process, no_answer) is Unavailable


# ---- bulkhead


@pytest.mark.parametrize(("threads", "expected"), [(1, 2), (5, 2), (16, 2), (32, 4), (64, 8)])
def test_a_workspace_gets_an_eighth_of_the_threads_and_at_least_two(threads: int, expected: int) -> None:
    assert places(threads) == expected


def test_a_full_workspace_refuses_at_once_and_leaves_the_others_alone(region: Region) -> None:
    process = region.process(places=2)
    with process.admitted(SICK), process.admitted(SICK):
        assert deliver(process, answer) is Full
        assert deliver(process, answer, WELL) is None
    assert deliver(process, answer) is None


def test_a_place_is_free_again_whatever_ended_the_step(region: Region) -> None:
    process = region.process(places=1)
    with pytest.raises(ZeroDivisionError), process.admitted(SICK):
        raise ZeroDivisionError
    assert deliver(process, throttle) is Throttled
    region.time.pass_by(60)
    assert deliver(process, answer) is None


def test_of_many_threads_at_once_no_more_work_for_a_workspace_than_it_has_places() -> None:
    bulkhead, all_in = Bulkhead(4), threading.Barrier(16)

    def enter(_: int) -> bool:
        with ExitStack() as stack:
            all_in.wait()
            try:
                stack.enter_context(bulkhead.place(SICK))
            except Full:
                return False
            finally:
                all_in.wait()
            return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(enter, range(16))) == 4


# ---- circuit


def test_after_three_failures_in_a_row_deliveries_wait_for_the_probe(region: Region) -> None:
    process = region.process()
    open_circuit(process)
    assert 0.8 * FIRST_WAIT <= region.probe_in <= FIRST_WAIT
    assert region.probe_in <= wait_of(process) <= region.probe_in + COME_BACK_OVER
    assert deliver(process, answer, WELL) is None
    region.time.pass_by(region.probe_in - 0.1)
    assert deliver(process, answer) is Waiting


@pytest.mark.parametrize("between", [answer, answer_that_it_is_not_there])
def test_an_answer_in_between_keeps_the_circuit_closed(region: Region, between: Callable[[], None]) -> None:
    process = region.process()
    for step in [no_answer, no_answer, between, no_answer, no_answer]:
        deliver(process, step)
    assert region.rows.rows == {}


@pytest.mark.parametrize("between", [ask_nobody, throttle])
def test_what_says_nothing_of_the_workspace_does_not_count(region: Region, between: Callable[[], None]) -> None:
    process = region.process()
    heard()  # by this thread, when it worked on something else
    for step in [no_answer, between, no_answer]:
        deliver(process, step)
        region.time.pass_by(10)
    assert region.rows.rows == {}
    deliver(process, between)
    region.time.pass_by(10)
    deliver(process, no_answer)
    assert region.rows.rows.keys() == {SICK}


def test_those_who_waited_come_back_over_some_time(region: Region) -> None:
    process = region.process()
    open_circuit(process)
    waits = sorted(wait_of(process) for _ in range(64))
    most_within_a_second = max(sum(at <= other < at + 1 for other in waits) for at in waits)
    assert most_within_a_second < 20


def test_one_delivery_probes_and_its_success_lets_all_through(region: Region) -> None:
    process = region.process()
    open_circuit(process)
    region.time.pass_by(FIRST_WAIT)
    with process.admitted(SICK):
        assert deliver(process, answer) is Waiting
        heard()
    assert region.rows.rows == {}
    assert deliver(process, answer) is None


def test_each_probe_that_fails_doubles_the_wait_up_to_a_quarter_of_an_hour(region: Region) -> None:
    process = region.process()
    open_circuit(process)
    for wait in [60, 120, 240, 480, 900, 900]:
        region.time.pass_by(region.probe_in)
        assert deliver(process, no_answer) is Unavailable
        assert 0.8 * wait <= region.probe_in <= wait
        assert deliver(process, no_answer) is Waiting


@given(left=st.floats(-60, 2000))
def test_the_wait_is_never_beyond_what_can_be_scheduled(left: float) -> None:
    now = Time().now()
    waiting = Circuit(SICK, LONGEST_WAIT, now + timedelta(seconds=left)).waiting(now)
    assert waiting.retry_after is not None
    assert 0 <= waiting.retry_after <= backoff.HORIZON


@pytest.mark.parametrize("step", [ask_nobody, throttle])
def test_a_probe_that_shows_nothing_is_followed_by_another_one_soon(region: Region, step: Callable[[], None]) -> None:
    process = region.process()
    open_circuit(process)
    region.time.pass_by(FIRST_WAIT)
    deliver(process, step)
    assert deliver(process, answer) is Waiting
    region.time.pass_by(CLAIM.total_seconds())
    assert deliver(process, answer) is None
    assert region.rows.rows == {}


def test_another_process_honours_a_circuit_within_ten_seconds(region: Region) -> None:
    there, here = region.process(), region.process()
    assert deliver(here, answer) is None
    open_circuit(there)
    region.time.pass_by(KNOWN_FOR)
    assert deliver(here, answer) is Waiting


def test_of_two_processes_one_probes_and_the_other_waits(region: Region) -> None:
    here, there = region.process(), region.process()
    open_circuit(here)
    assert deliver(there, answer) is Waiting
    region.time.pass_by(FIRST_WAIT)
    with here.admitted(SICK):
        assert deliver(there, answer) is Waiting
        heard()


def test_a_process_that_comes_to_probe_what_another_closed_is_let_through(region: Region) -> None:
    here, there = region.process(), region.process()
    open_circuit(here)
    region.time.pass_by(region.probe_in - 1)
    assert deliver(here, answer) is Waiting
    region.time.pass_by(1)
    assert deliver(there, answer) is None
    assert deliver(here, answer) is None


def test_a_late_answer_leaves_a_circuit_alone_that_another_process_is_probing(region: Region) -> None:
    here, there = region.process(), region.process()
    with here.admitted(SICK):
        open_circuit(here)
        region.time.pass_by(region.probe_in - 1)
        assert deliver(here, answer) is Waiting
        region.time.pass_by(1)
        assert deliver(there, no_answer) is Unavailable
        heard()
    assert deliver(here, answer) is Waiting


def test_what_a_process_does_while_it_reads_is_not_forgotten(region: Region) -> None:
    process = region.process()
    region.rows.meanwhile = lambda: open_circuit(process)
    assert deliver(process, answer, WELL) is None
    assert deliver(process, answer) is Waiting


def test_two_processes_that_open_at_once_open_one(region: Region) -> None:
    here, there = region.process(), region.process()
    with here.admitted(WELL), there.admitted(WELL):
        pass
    for _ in range(2):
        deliver(here, no_answer)
        deliver(there, no_answer)
    deliver(here, no_answer)
    opened = region.rows.rows[SICK]
    assert deliver(there, no_answer) is Unavailable
    assert region.rows.rows[SICK].etag == opened.etag
    assert deliver(there, no_answer) is Waiting


def test_whether_a_thousand_deliveries_are_let_through_costs_one_read(region: Region) -> None:
    process = region.process()
    for n in range(1000):
        assert deliver(process, answer, workspace(f"w{n}")) is None
    assert region.rows.reads == 1
    region.time.pass_by(KNOWN_FOR)
    deliver(process, answer)
    assert region.rows.reads == 2


def test_tables_that_can_not_be_reached_hold_nothing_back(region: Region) -> None:
    process = region.process()
    region.rows.broken = True
    for _ in range(5):
        assert deliver(process, no_answer) is Unavailable
    assert deliver(process, answer) is None
    assert region.rows.reads == 1


def test_a_circuit_that_was_known_holds_without_tables_until_its_probe(region: Region) -> None:
    process = region.process()
    open_circuit(process)
    region.rows.broken = True
    region.time.pass_by(KNOWN_FOR)
    assert deliver(process, answer) is Waiting
    region.time.pass_by(FIRST_WAIT)
    assert deliver(process, answer) is None


happenings = st.tuples(st.integers(0, 2), st.sampled_from([answer, no_answer, ask_nobody, throttle]), st.floats(0, 40))


@given(st.lists(happenings, max_size=60))
def test_a_circuit_known_to_all_lets_nobody_through_before_its_probe(
    happened: list[tuple[int, Callable[[], None], float]],
) -> None:
    region = Region()
    processes = [region.process() for _ in range(3)]
    changed_at = 0.0
    for process, step, seconds in happened:
        before = region.rows.rows.get(SICK)
        raised = deliver(processes[process], step)
        if before and region.time.now() < before.probe_at and region.time.seconds - changed_at >= KNOWN_FOR:
            assert raised is Waiting
        if region.rows.rows.get(SICK) != before:
            changed_at = region.time.seconds
        region.time.pass_by(seconds)


@given(st.lists(happenings, max_size=60))
def test_a_workspace_that_is_well_again_is_let_through_in_the_end(
    happened: list[tuple[int, Callable[[], None], float]],
) -> None:
    region = Region()
    processes = [region.process() for _ in range(3)]
    for process, step, seconds in happened:
        deliver(processes[process], step)
        region.time.pass_by(seconds)
    region.time.pass_by(LONGEST_WAIT)
    assert [deliver(process, answer) for process in processes] == [None, None, None]
    assert region.rows.rows == {}


# ---- budget


@given(calls=st.sampled_from(list(REFILL)), left=st.integers(0, 250))
def test_deliveries_are_held_back_until_a_low_bucket_has_enough_again(calls: Calls, left: int) -> None:
    time = Time()
    budget = Budget(time.monotonic)
    budget.left("Sub", calls, left)
    if left >= LOW:
        return budget.require("sUB")
    with pytest.raises(Waiting) as told:
        budget.require("sUB")
    assert told.value.retry_after == pytest.approx((ENOUGH - left) / REFILL[calls])
    time.pass_by((ENOUGH - left) / REFILL[calls])
    return budget.require("sUB")


@given(n=st.integers(1, 200), retry_after=st.none() | st.floats(0.1, 60))
def test_those_who_are_held_back_come_no_faster_than_the_bucket_fills(n: int, retry_after: float | None) -> None:
    time = Time()
    process = Region(time).process()
    with pytest.raises(Throttled), process.admitted(SICK):
        raise Throttled("429", retry_after)
    waits = sorted(wait_of(process) for _ in range(n))
    assert waits[0] >= (retry_after or 1)
    assert all(later - earlier > 0.099 for earlier, later in pairwise(waits))


def test_a_throttled_azure_subscription_leaves_the_others_alone(region: Region) -> None:
    process = region.process()
    assert deliver(process, throttle) is Throttled
    assert deliver(process, answer, WELL) is Waiting
    assert deliver(process, answer, OTHER_SUBSCRIPTION) is None
    region.time.pass_by(7)
    assert deliver(process, answer) is None


def test_being_throttled_opens_no_circuit(region: Region) -> None:
    process = region.process()
    for _ in range(5):
        assert deliver(process, throttle) is Throttled
        region.time.pass_by(7)
    assert region.rows.rows == {}


def test_a_second_refusal_never_shortens_the_wait() -> None:
    time = Time()
    budget = Budget(time.monotonic)
    budget.throttled("s", 30)
    budget.throttled("s", 1)
    with pytest.raises(Waiting) as told:
        budget.require("s")
    assert told.value.retry_after == 30
    time.pass_by(29)
    with pytest.raises(Waiting):
        budget.require("s")


# ---- the fake


def test_the_fake_admits_everybody() -> None:
    fairness = FakeFairness()
    for _ in range(5):
        assert deliver(fairness, no_answer) is Unavailable
    with fairness.admitted(SICK), fairness.admitted(SICK), fairness.admitted(SICK):
        assert deliver(fairness, answer) is None
