"""Every legal step between states; all others are refused."""

from dataclasses import replace
from itertools import product

import pytest

from shared.rows import move
from shared.states import DeliveryState as Delivery
from shared.states import ShareState as Share
from shared.states import State, is_final, may_be_commanded, may_follow, successors
from tests.unit.example_rows import A_DELIVERY

LEGAL: set[tuple[State, State]] = {
    (Share.REQUESTED, Share.IMPORTING),
    (Share.REQUESTED, Share.FANNING_OUT),  # the registry holds it already
    (Share.REQUESTED, Share.FAILED),
    (Share.IMPORTING, Share.REQUESTED),  # it was never accepted: begin anew
    (Share.IMPORTING, Share.FANNING_OUT),
    (Share.IMPORTING, Share.FAILED),
    (Share.FANNING_OUT, Share.SHARED),
    (Share.FANNING_OUT, Share.FAILED),
    (Share.RECALLING, Share.RECALLED),
    (Share.RECALLING, Share.FAILED),
    (Delivery.PLANNED, Delivery.HELD),
    (Delivery.PLANNED, Delivery.RUNNING),
    (Delivery.PLANNED, Delivery.DELIVERED),  # it is there already
    (Delivery.PLANNED, Delivery.FAILED),
    (Delivery.PLANNED, Delivery.SUPERSEDED),
    (Delivery.PLANNED, Delivery.CANCELLED),
    (Delivery.HELD, Delivery.RUNNING),
    (Delivery.HELD, Delivery.DELIVERED),
    (Delivery.HELD, Delivery.FAILED),
    (Delivery.HELD, Delivery.SUPERSEDED),
    (Delivery.HELD, Delivery.CANCELLED),
    (Delivery.RUNNING, Delivery.HELD),
    (Delivery.RUNNING, Delivery.DELIVERED),
    (Delivery.RUNNING, Delivery.FAILED),
    (Delivery.RUNNING, Delivery.SUPERSEDED),
    (Delivery.RUNNING, Delivery.CANCELLED),
    (Delivery.PLANNED, Delivery.AWAITING_APPROVAL),
    (Delivery.HELD, Delivery.AWAITING_APPROVAL),
    (Delivery.AWAITING_APPROVAL, Delivery.HELD),  # no approval is needed any more, or a tenant is paused
    (Delivery.AWAITING_APPROVAL, Delivery.FAILED),
    (Delivery.AWAITING_APPROVAL, Delivery.CANCELLED),
    (Delivery.RECALLING, Delivery.RECALLED),
    (Delivery.RECALLING, Delivery.FAILED),
}
COMMANDED: set[tuple[State, State]] = {
    (Share.SHARED, Share.FANNING_OUT),  # push
    (Share.FAILED, Share.REQUESTED),  # retry
    (Delivery.FAILED, Delivery.PLANNED),  # retry
    (Delivery.CANCELLED, Delivery.PLANNED),  # push
    (Delivery.DELIVERED, Delivery.PLANNED),  # retry, to repair it
    (Delivery.AWAITING_APPROVAL, Delivery.PLANNED),  # approve
    *((state, Share.RECALLING) for state in Share if state is not Share.RECALLED),
    *((state, Delivery.RECALLING) for state in Delivery if state is not Delivery.RECALLED),
}
FINAL: set[State] = {
    Share.SHARED,
    Share.FAILED,
    Share.RECALLED,
    Delivery.DELIVERED,
    Delivery.FAILED,
    Delivery.SUPERSEDED,
    Delivery.CANCELLED,
    Delivery.RECALLED,
}
STATES: list[State] = [*Share, *Delivery]
PAIRS: list[tuple[State, State]] = [*product(Share, Share), *product(Delivery, Delivery)]


def as_read(value: object) -> str:
    return value.name.lower() if isinstance(value, Share | Delivery) else str(value)


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=as_read)
def test_a_state_follows_only_where_the_table_says_so_or_stays(old: State, new: State) -> None:
    assert may_follow(old, new) == (old is new or (old, new) in LEGAL)


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=as_read)
def test_a_command_leads_only_where_the_table_says_so(old: State, new: State) -> None:
    assert may_be_commanded(old, new) == ((old, new) in COMMANDED)


@pytest.mark.parametrize("state", STATES, ids=as_read)
def test_a_state_is_final_when_it_is_an_end(state: State) -> None:
    assert is_final(state) == (state in FINAL)


def reachable(state: State) -> set[State]:
    found: set[State] = set()
    ahead: list[State] = [state]
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead.extend(successors(here))
            ahead.extend(new for old, new in COMMANDED if old is here)
    return found


@pytest.mark.parametrize(("first", "kind"), [(Share.REQUESTED, Share), (Delivery.PLANNED, Delivery)], ids=as_read)
def test_every_state_can_be_reached_from_the_first(first: State, kind: type[Share] | type[Delivery]) -> None:
    assert reachable(first) == set(kind)


@pytest.mark.parametrize("state", STATES, ids=as_read)
def test_an_end_can_be_reached_from_every_state(state: State) -> None:
    assert reachable(state) & FINAL


def test_a_row_that_ended_cannot_run_again_and_says_which_it_is() -> None:
    ended = replace(A_DELIVERY, state=Delivery.SUPERSEDED)
    with pytest.raises(ValueError, match="superseded cannot become running") as refused:
        move(ended, Delivery.RUNNING)
    assert str(ended.address) in str(refused.value)


def test_a_row_may_be_written_again_in_the_state_that_it_has() -> None:
    move(A_DELIVERY, A_DELIVERY.state)
