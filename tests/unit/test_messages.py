"""Messages on the way: wake-ups out and in, and what could not be understood, with the reason."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Owner, Permanent, Reason
from shared.messages import Received, of_wake_up, rejection, to_wake_up
from shared.rows import RowKind
from shared.wakeups import WakeUp

WAKE_UP: dict[str, Any] = {"kind": "delivery", "partition": "p", "row": "r", "rev": 4, "hop": 1}
PRIVATE = Reason("unknown_workspace", "workspace w belongs to no tenant", Owner.PROVIDER, "add it to its tenant's rules")


def test_a_wake_up_goes_out_as_json_under_its_own_message_id() -> None:
    wake_up, at = WakeUp(RowKind.DELIVERY, "p", "r", 4, hop=1), datetime(2026, 3, 1, 12, tzinfo=UTC)
    sent = of_wake_up(wake_up, at)
    assert json.loads(sent.body) == WAKE_UP
    assert (sent.message_id, sent.at, sent.content_type) == (wake_up.message_id, at, "application/json")


def test_a_nudge_says_in_its_body_which_it_is() -> None:
    assert json.loads(of_wake_up(WakeUp(RowKind.SHARE, "p", "r", 4, nudge=99)).body)["nudge"] == 99


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff",
        *(
            json.dumps({name: value for name, value in WAKE_UP.items() if name != left_out}).encode()
            for left_out in list(WAKE_UP)[:4]
        ),
        json.dumps(WAKE_UP | {"kind": "plan"}).encode(),
        json.dumps(WAKE_UP | {"rev": "soon"}).encode(),
        json.dumps(WAKE_UP | {"priority": "high"}).encode(),
    ],
)
def test_what_is_no_wake_up_is_refused(body: bytes) -> None:
    with pytest.raises(Permanent) as refused:
        to_wake_up(Received(body))
    assert (refused.value.reason.code, refused.value.reason.owner) == ("bad_wake_up", Owner.PROVIDER)


@given(body=st.binary())
def test_arbitrary_bytes_are_no_wake_up_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(Permanent, match="bad_wake_up"):
        to_wake_up(Received(body))


def test_a_rejected_message_stays_as_it_came() -> None:
    came = Received(b"\xff not json", "id-7", 12, "correlation-3", "text/plain", {"origin": "crm"})
    goes = rejection(came, PRIVATE, "commands")
    assert (goes.body, goes.message_id, goes.correlation_id, goes.content_type) == (
        came.body,
        came.message_id,
        came.correlation_id,
        came.content_type,
    )
    assert goes.properties["origin"] == "crm"


def test_a_rejected_message_says_why_and_what_to_do() -> None:
    goes = rejection(Received(b"{}", "id-7"), PRIVATE, "commands")
    assert goes.properties == {
        "fanout_code": "unknown_workspace",
        "fanout_reason": "workspace w belongs to no tenant",
        "fanout_owner": "provider",
        "fanout_remedy": "add it to its tenant's rules",
        "fanout_came_by": "commands",
    }


def test_a_message_that_is_rejected_again_carries_the_last_reason() -> None:
    first = rejection(Received(b"{}", "id-7"), PRIVATE, "commands")
    came_again = Received(first.body, first.message_id, properties=first.properties)
    second = rejection(came_again, Reason("tenant_paused", "…", Owner.PROVIDER, "…"), "commands")
    assert second.properties["fanout_code"] == "tenant_paused"


@given(text=st.text(max_size=50).map(lambda text: text * 2000))
def test_however_long_the_reason_its_properties_fit_into_a_message_header(text: str) -> None:
    """Service Bus: 64 KB for all properties of a message."""
    goes = rejection(Received(b"{}"), Reason("refused", text, Owner.PROVIDER, text), "commands")
    assert sum(len(f"{name}{value}".encode()) for name, value in goes.properties.items()) < 64 * 1024
