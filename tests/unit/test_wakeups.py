"""The wake-up protocol: what one message may do, given the row as it is now."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages import LONGEST_ID, Received, of_wake_up, to_wake_up
from shared.rows import Address, Claim, RowKind, ShareRow
from shared.wakeups import Act, Ignore, Look, PutBack, SendSuccessor, WakeUp, judge
from tests.unit.example_rows import A_SHARE, NOON, SHARE_AT
from tests.unit.random_rows import SEQUENCE_NUMBERS, addresses, times

SOON, JUST_ENDED = NOON + timedelta(seconds=40), NOON
OURS, ANOTHER = 7, 8  # sequence numbers of messages

revisions = st.integers(1, 2**31 - 1)
hops = st.integers(0, 2**31 - 1)
ten_minutes = st.none() | st.integers(0, 2**31 - 1)
claims = st.none() | st.builds(Claim, SEQUENCE_NUMBERS, times)


def row(rev: int, claim: Claim | None = None) -> ShareRow:
    return replace(A_SHARE, rev=rev, claim=claim)


def wake_up(rev: int) -> WakeUp:
    return WakeUp.of(SHARE_AT, rev)


OURS_LIVE, ANOTHERS_LIVE = Claim(OURS, SOON), Claim(ANOTHER, SOON)
OURS_ENDED, ANOTHERS_ENDED = Claim(OURS, JUST_ENDED), Claim(ANOTHER, JUST_ENDED)


@pytest.mark.parametrize(
    ("behind", "claim", "expected"),
    [
        (0, None, Act()),
        (0, ANOTHERS_ENDED, Act()),
        (0, ANOTHERS_LIVE, PutBack(SOON)),
        (0, OURS_LIVE, Act()),
        (1, None, SendSuccessor()),
        (1, ANOTHERS_ENDED, SendSuccessor()),
        (1, ANOTHERS_LIVE, Ignore("being worked on")),
        (1, OURS_LIVE, Act()),
        (1, OURS_ENDED, Act()),
        (2, None, Ignore("overtaken")),
        (2, ANOTHERS_ENDED, Ignore("overtaken")),
        (2, ANOTHERS_LIVE, Ignore("overtaken")),
    ],
)
def test_a_look_by_how_far_the_message_is_behind_and_who_has_the_claim(behind: int, claim: Claim | None, expected: Look) -> None:
    assert judge(wake_up(5 - behind), row(5, claim), OURS, NOON) == expected


def test_a_wake_up_of_a_closed_row_does_nothing() -> None:
    assert judge(wake_up(5), None, OURS, NOON) == Ignore("closed")


@given(rev=st.integers(3, 2**31 - 1), behind=st.integers(2, 2**31 - 1), claim=claims, now=times)
def test_a_message_older_than_the_last_write_but_one_is_ignored(rev: int, behind: int, claim: Claim | None, now: datetime) -> None:
    others = None if claim is None else replace(claim, message=ANOTHER)
    assert judge(wake_up(rev - behind), row(rev, others), OURS, now) == Ignore("overtaken")


@given(rev=revisions, claim=claims, message=SEQUENCE_NUMBERS, now=times)
def test_a_message_of_the_last_write_acts_unless_another_has_a_live_claim(
    rev: int, claim: Claim | None, message: int, now: datetime
) -> None:
    held_by_another = claim is not None and claim.message != message and claim.until > now
    assert isinstance(judge(wake_up(rev), row(rev, claim), message, now), PutBack if held_by_another else Act)


@given(rev=revisions, next_at=times, now=times)
def test_a_look_never_asks_whether_it_is_too_early(rev: int, next_at: datetime, now: datetime) -> None:
    assert judge(wake_up(rev), replace(row(rev), next_at=next_at), OURS, now) == Act()


@given(rev=revisions, until=times)
def test_what_was_put_back_acts_when_it_comes_again(rev: int, until: datetime) -> None:
    """Given a live claim, whose owner never comes back."""
    claimed = row(rev, Claim(ANOTHER, until))
    first = judge(wake_up(rev), claimed, OURS, until - timedelta(seconds=1))
    assert isinstance(first, PutBack)
    assert judge(wake_up(rev).put_back(), claimed, OURS + 2, first.at) == Act()


@given(rev=revisions, wake_ups=st.lists(st.integers(-3, 0), min_size=2, max_size=6), claim=claims, now=times)
def test_of_many_messages_only_those_of_the_last_write_or_the_claimants_own_act(
    rev: int, wake_ups: list[int], claim: Claim | None, now: datetime
) -> None:
    """Else duplicates multiply: each would write, and send a successor of its own."""
    for message, behind in enumerate(wake_ups):
        look = judge(wake_up(rev + behind), row(rev, claim), message, now)
        if behind < 0 and not (claim and claim.message == message):
            assert look != Act()


@given(address=addresses, rev=revisions, hop=hops, nudge=ten_minutes)
def test_a_message_id_fits_service_bus(address: Address, rev: int, hop: int, nudge: int | None) -> None:
    wake_up = WakeUp(address.kind, address.partition, address.row, rev, hop, nudge)
    assert len(wake_up.message_id) <= LONGEST_ID == 128


@given(one=st.tuples(addresses, revisions, hops, ten_minutes), other=st.tuples(addresses, revisions, hops, ten_minutes))
def test_wake_ups_have_the_same_message_id_only_if_they_are_the_same(
    one: tuple[Address, int, int, int | None], other: tuple[Address, int, int, int | None]
) -> None:
    ids = [WakeUp(at.kind, at.partition, at.row, rev, hop, nudge).message_id for at, rev, hop, nudge in (one, other)]
    assert (ids[0] == ids[1]) == (one == other)


def test_revision_hop_and_nudge_do_not_run_into_each_other() -> None:
    """1.11 is not 11.1."""
    few = range(13)
    ids = [replace(wake_up(rev), hop=hop, nudge=nudge).message_id for rev, hop, nudge in product(few, few, [None, *few])]
    assert len(set(ids)) == len(ids)


def test_putting_back_makes_another_message_of_the_same_revision() -> None:
    """Else the queue would drop it as a duplicate of the message that it follows."""
    again = wake_up(5).put_back()
    assert (again.rev, again.address) == (5, SHARE_AT)
    assert again.message_id != wake_up(5).message_id


def test_timers_within_ten_minutes_send_one_message() -> None:
    nudges = [WakeUp.nudging(SHARE_AT, 5, NOON + timedelta(minutes=minutes)).message_id for minutes in (0, 5, 9)]
    assert len(set(nudges)) == 1


def test_a_nudge_ten_minutes_later_is_another_message() -> None:
    first, second = (WakeUp.nudging(SHARE_AT, 5, NOON + timedelta(minutes=minutes)) for minutes in (0, 10))
    assert first.message_id != second.message_id


def test_a_nudge_is_judged_like_the_message_that_it_stands_in_for() -> None:
    assert judge(WakeUp.nudging(SHARE_AT, 5, NOON), row(5), OURS, NOON) == Act()


@given(
    wake_up=st.builds(WakeUp, st.sampled_from(RowKind), st.text(), st.text(), revisions, hops, ten_minutes),
    at=st.none() | times,
)
def test_a_wake_up_survives_the_queue(wake_up: WakeUp, at: datetime | None) -> None:
    sent = of_wake_up(wake_up, at)
    assert to_wake_up(Received(sent.body, sent.message_id)) == wake_up
