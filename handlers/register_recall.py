"""A registered asset is taken back: archived in the tenant's workspace, if Fanout made it."""

from dataclasses import replace

from handlers.turns import Turn
from shared.provenance import DELIVERY
from shared.rows import DeliveryRow
from shared.states import DeliveryState

ARCHIVE = "archive"


def step(turn: Turn[DeliveryRow]) -> DeliveryRow:
    row, workspaces = turn.row, turn.fanout.workspaces
    there = workspaces.asset(row.workspace, row.asset)
    if there is None:
        return _recalled(turn, row, "was not there")
    if there.properties.get(DELIVERY) != str(row.address):
        return _recalled(turn, row, "left alone: the tenant's own")
    if there.archived:
        return _recalled(turn, row, "archived")
    row = turn.claim(ARCHIVE)
    workspaces.archive(row.workspace, row.asset)
    return _recalled(turn, row, "archived")


def _recalled(turn: Turn[DeliveryRow], row: DeliveryRow, done: str) -> DeliveryRow:
    return replace(row.tried(turn.now, ARCHIVE, done), state=DeliveryState.RECALLED, done=done, failures=0)
