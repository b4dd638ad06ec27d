"""What `--wait` leaves behind where it cannot go on: the command is sent, and a program has to learn its ids."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import typer

from handlers.cli.sending import Sent, Way
from handlers.cli.waiting import wait
from shared import commands
from shared.messages import Queue, Received
from tests.fakes import World, refusal
from tests.unit.command_world import PUSH
from tests.unit.world import a_world

TOLD = {"message_id": "mine", "correlation_id": "order-1"}


class Unfollowable:
    """A world whose queues cannot be looked into: `why`."""

    def __init__(self, world: World, why: BaseException) -> None:
        self._world, self._why = world, why
        self.kept_messages = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def peek(self, queue: Queue, after: int = 0) -> Iterator[Received]:
        raise self._why


@pytest.mark.parametrize(
    ("why", "exit_code", "told"),
    [
        (KeyboardInterrupt(), 130, "Interrupted. The work goes on: fanout watch shows it (correlation id order-1)."),
        (refusal("queue_forbidden"), 1, "Sent, but it cannot be followed: queue_forbidden"),
    ],
    ids=["interrupted", "forbidden"],
)
def test_a_wait_that_cannot_go_on_prints_the_ids_of_what_was_sent(
    capsys: pytest.CaptureFixture[str], why: BaseException, exit_code: int, told: str
) -> None:
    sent = Sent(commands.parse(json.dumps(PUSH).encode()), "mine", "order-1")
    way = Way("order-1", timedelta(seconds=5), as_json=True)

    with pytest.raises(typer.Exit) as ended:
        wait(sent, TOLD, way, Unfollowable(a_world(), why))  # type: ignore[arg-type]

    printed = capsys.readouterr()
    assert ended.value.exit_code == exit_code
    assert json.loads(printed.out) == TOLD | {"outcome": "open", "rows": [], "rejection": None}
    assert printed.err.startswith(told)
