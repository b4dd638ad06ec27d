"""What may never answer: its answer, its failure, or that it takes too long."""

from threading import Event

import pytest

from handlers.cli.patience import answered
from shared.errors import Permanent, Transient
from tests.fakes import refusal


def test_an_answer_is_the_answer() -> None:
    assert answered("the queue", lambda: 3) == 3


def test_a_failure_is_raised_where_it_is_waited_for() -> None:
    def refuse() -> None:
        raise refusal("forbidden")

    with pytest.raises(Permanent) as refused:
        answered("the queue", refuse)

    assert refused.value.reason.code == "forbidden"


def test_what_never_answers_is_given_up() -> None:
    with pytest.raises(Transient, match="the queue took longer than 0 seconds to answer"):
        answered("the queue", Event().wait, seconds=0.01)
