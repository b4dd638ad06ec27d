"""What `fanout rejected` prints of a message, whatever somebody put on the queue."""

import json

import pytest

from handlers.cli.documents import print_json
from handlers.cli.rejected import document_of
from shared.messages import Received

UNPRINTABLE = {
    "half a character": b'{"type": "\\ud800"}',
    "endless depth": b"[" * 100_000 + b"]" * 100_000,
    "no number": b'{"type": NaN}',
}


def printed(body: bytes, capsys: pytest.CaptureFixture[str]) -> object:
    print_json(document_of(Received(body, "message-1", 1)))
    return json.loads(capsys.readouterr().out)["body"]


def test_a_body_that_is_json_is_printed_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(b'{"type": "push"}', capsys) == {"type": "push"}


@pytest.mark.parametrize("body", UNPRINTABLE.values(), ids=UNPRINTABLE.keys())
def test_a_body_that_cannot_be_printed_as_json_is_printed_as_text(body: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(body, capsys) == body.decode()
