"""`fanout watch` without a terminal: a line for each change, whatever becomes of a row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import pytest

from handlers.cli.watch import print_changes
from shared.bootstrap import AzureFanout
from shared.errors import Unreadable
from shared.rows import Address, WorkRow
from shared.states import DeliveryState
from tests.fakes import FakeClock
from tests.unit.example_rows import A_DELIVERY, A_SHARE


@dataclass
class FakeFanout:
    """What is open at each look, until Ctrl-C; what ended can be read once more, or cannot."""

    looks: Iterator[Sequence[WorkRow]]
    ended: WorkRow | None = None

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.history = self.rows = self

    def open_rows(self) -> Sequence[WorkRow]:
        found = next(self.looks, None)
        if found is None:
            raise KeyboardInterrupt
        return found

    def find_delivery(self, address: Address) -> WorkRow | None:
        if self.ended is None:
            raise Unreadable(f"{address} is of another version")
        return self.ended


def printed(capsys: pytest.CaptureFixture[str], fanout: FakeFanout) -> list[str]:
    with pytest.raises(KeyboardInterrupt):
        print_changes(cast(AzureFanout, fanout), None, 0, lambda row, _at: f"{row.address.kind} {row.state}")
    return capsys.readouterr().out.split("\n")[:-1]


def test_what_ends_between_two_looks_is_told_with_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    ended = replace(A_DELIVERY, state=DeliveryState.DELIVERED)

    lines = printed(capsys, FakeFanout(iter([[A_DELIVERY], [], []]), ended))

    assert lines == ["delivery running", "delivery delivered"]


def test_what_cannot_be_read_any_more_keeps_nothing_else_from_being_told(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, FakeFanout(iter([[A_DELIVERY], [A_SHARE], [A_SHARE]])))

    assert lines == ["delivery running", f"share {A_SHARE.state}"]
