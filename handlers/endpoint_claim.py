"""Who may change an endpoint: one delivery at a time, and in the end the newest version that can be had."""

from dataclasses import replace
from enum import Enum, auto

from handlers.turns import Turn
from shared.ports import Rows
from shared.rows import DeliveryRow, TargetRow
from shared.rules import OnlineEndpoint
from shared.states import DeliveryState, is_final


class Standing(Enum):
    MINE = auto()
    OTHERS = auto()  # a delivery is at work on it, or a newer one is waiting to be
    SUPERSEDED = auto()  # a newer version serves


def claim(turn: Turn[DeliveryRow], action: OnlineEndpoint) -> Standing:
    """A claimant whose delivery ended has no claim any more, and a newer version that came to nothing is none."""
    row, rows = turn.row, turn.fanout.rows
    fresh = TargetRow(tenant=row.tenant, workspace=row.workspace, endpoint=action.name, desired=row.address, rank=row.rank)
    target = rows.target(row.tenant, row.workspace, action.name) or fresh
    if target.claimant == row.address:
        return Standing.MINE
    newer = _newer(target, row, rows)
    if newer:
        return Standing.OTHERS if not is_final(newer.state) else Standing.SUPERSEDED
    wanted = replace(target, desired=row.address, rank=row.rank)
    if target.claimant is None or rows.get(target.claimant) is None:
        wanted = replace(wanted, claimant=row.address)
    if wanted != target or not target.etag:
        rows.save_target(wanted)
    return Standing.MINE if wanted.claimant == row.address else Standing.OTHERS


def release(turn: Turn[DeliveryRow], action: OnlineEndpoint) -> None:
    """Let others at the endpoint, as if this delivery had never wanted it."""
    row, rows = turn.row, turn.fanout.rows
    target = rows.target(row.tenant, row.workspace, action.name)
    if target is None or row.address not in (target.claimant, target.desired):
        return
    claimant = None if target.claimant == row.address else target.claimant
    rank = "" if target.desired == row.address else target.rank
    rows.save_target(replace(target, claimant=claimant, rank=rank))


def _newer(target: TargetRow, row: DeliveryRow, rows: Rows) -> DeliveryRow | None:
    """The delivery of a newer version that serves, or still may."""
    if (target.rank, target.desired.partition) <= (row.rank, row.partition):
        return None
    newer = rows.find_delivery(target.desired)
    gone = newer is None or newer.state in (DeliveryState.FAILED, DeliveryState.CANCELLED)
    return None if gone else newer
