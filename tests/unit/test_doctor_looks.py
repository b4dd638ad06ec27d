"""What is looked up once for all, and with patience."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from shared.azure.patience import MOST_TIMES, PatientCaller
from shared.deadline import within
from shared.doctor.once import Once
from shared.errors import Owner, Permanent, Throttled, Transient


class Counted:
    """Answers with what it has, one after the other; the last for ever."""

    def __init__(self, *answers: object) -> None:
        self.calls = 0
        self._answers = answers

    def __call__(self) -> object:
        answer = self._answers[min(self.calls, len(self._answers) - 1)]
        self.calls += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_what_was_found_is_found_once_by_key() -> None:
    once, look = Once(), Counted("it")
    assert [once.get("a", look), once.get("a", look), once.get("b", look)] == ["it"] * 3
    assert look.calls == 2


def test_those_who_ask_meanwhile_wait_for_the_first() -> None:
    once, begun, go_on = Once(), threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        go_on.wait(10)
        return "it"

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(once.get, "a", slow)
        begun.wait(10)
        others = [pool.submit(once.get, "a", Counted(ValueError())) for _ in range(2)]
        go_on.set()
        assert [first.result(), *(each.result() for each in others)] == ["it"] * 3


def test_a_refusal_is_kept_and_a_failure_in_passing_is_not() -> None:
    refused, busy = Counted(Permanent("forbidden", "", Owner.PROVIDER, "")), Counted(Transient("busy"), "it")
    once = Once()
    for _ in range(2):
        with pytest.raises(Permanent):
            once.get("refused", refused)
    with pytest.raises(Transient):
        once.get("busy", busy)
    assert once.get("busy", busy) == "it"
    assert refused.calls == 1


class Arm:
    def __init__(self, answer: Callable[[], object]) -> None:
        self._answer = answer

    def call(
        self, method: str, url: str, *, params: Mapping[str, str] | None = None, body: object = None, doing: str
    ) -> HttpResponse:
        self._answer()
        return HttpRequest(method, url)  # type: ignore[return-value] # nobody looks into it


def test_where_azure_asks_for_patience_it_is_asked_again_later() -> None:
    slept: list[float] = []
    answers = Counted(Throttled("busy", 2.0), Throttled("busy"), "it")
    PatientCaller(Arm(answers), slept.append).call("GET", "https://x", doing="look")
    assert slept == [2.0, 5.0]


def test_patience_ends() -> None:
    slept: list[float] = []
    patient = PatientCaller(Arm(Counted(Throttled("busy", 1.0))), slept.append)
    with pytest.raises(Throttled):
        patient.call("GET", "https://x", doing="look")
    assert len(slept) == MOST_TIMES - 1
    with within(0.5), pytest.raises(Throttled):
        patient.call("GET", "https://x", doing="look")
    assert len(slept) == MOST_TIMES - 1
