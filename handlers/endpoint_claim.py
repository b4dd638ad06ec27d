"""Who may change an endpoint: one delivery at a time, and in the end the newest version that can be had."""

from dataclasses import replace
from enum import Enum, auto

from handlers.turns import Turn
from shared.actions import Endpoint
from shared.endpoints import Deployment
from shared.ports import Rows
from shared.rows import DeliveryRow, TargetRow
from shared.states import DeliveryState, is_final

NOT_MEANT_TO_SERVE = {DeliveryState.FAILED, DeliveryState.RECALLING, DeliveryState.RECALLED}
CAME_TO_NOTHING = NOT_MEANT_TO_SERVE | {DeliveryState.CANCELLED}


class Standing(Enum):
    MINE = auto()
    OTHERS = auto()  # a delivery is at work on it, or a newer one is waiting to be
    SUPERSEDED = auto()  # a newer version serves


def claim(turn: Turn[DeliveryRow], action: Endpoint) -> Standing:
    """Claim the endpoint for this delivery, or learn who is ahead of it.

    A claimant whose delivery ended has no claim any more, and a newer version that came to nothing does not count. Whoever has
    the claim finishes, also when a newer version arrives meanwhile; but does not put itself above one that serves.
    """
    row, rows = turn.row, turn.fanout.rows
    target = _target(turn, action)
    newer = _newer(target, row, rows)
    if newer and newer.state is DeliveryState.HELD and newer.next_at > turn.now:
        newer = None  # nobody waits for what is held until later
    if newer and is_final(newer.state):
        return Standing.SUPERSEDED
    if target.claimant == row.address:
        return Standing.MINE
    if newer:
        return Standing.OTHERS
    wanted = replace(target, desired=row.address, rank=row.rank)
    if _is_free(target, rows):
        wanted = replace(wanted, claimant=row.address)
    if wanted != target or not target.etag:
        rows.save_target(wanted)
    return Standing.MINE if wanted.claimant == row.address else Standing.OTHERS


def stand_by(turn: Turn[DeliveryRow], action: Endpoint) -> None:
    """Let others at the endpoint while this delivery is held; an older one that is let go at the same time waits for it."""
    row, rows = turn.row, turn.fanout.rows
    target = _target(turn, action)
    waiting = replace(target, claimant=None) if target.claimant == row.address else target
    if _newer(target, row, rows) is None:
        waiting = replace(waiting, desired=row.address, rank=row.rank)
    if waiting != target:
        rows.save_target(waiting)


def take(turn: Turn[DeliveryRow], action: Endpoint) -> bool:
    """Whether this delivery may undo its own work at the endpoint now. It does not become the wanted one by that."""
    row, rows = turn.row, turn.fanout.rows
    target = _target(turn, action)
    if target.claimant == row.address:
        return True
    if not _is_free(target, rows):
        return False
    rows.save_target(replace(target, claimant=row.address))
    return True


def release(turn: Turn[DeliveryRow], action: Endpoint, restored: Deployment | None = None) -> None:
    """Let others at the endpoint, as if this delivery had never wanted it. `restored` is what serves in its place."""
    row, rows = turn.row, turn.fanout.rows
    target = rows.target(row.tenant, row.workspace, action.route)
    if target is None or row.address not in (target.claimant, target.desired):
        return
    free = replace(target, claimant=None) if target.claimant == row.address else target
    if target.desired == row.address:
        before = restored.delivery if restored else None
        free = replace(free, desired=before or row.address, rank=restored.rank if restored and before else "")
    if free != target:
        rows.save_target(free)


def is_meant_to_serve(turn: Turn[DeliveryRow], deployment: Deployment) -> bool:
    """Whether a deployment that serves still ought to: also one whose delivery was cancelled too late, or whose row is gone."""
    delivery = _delivery_of(turn, deployment)
    return delivery is None or delivery.state not in NOT_MEANT_TO_SERVE


def is_open(turn: Turn[DeliveryRow], deployment: Deployment) -> bool:
    """Whether the delivery that made the deployment has not ended."""
    delivery = _delivery_of(turn, deployment)
    return delivery is not None and not is_final(delivery.state)


def _delivery_of(turn: Turn[DeliveryRow], deployment: Deployment) -> DeliveryRow | None:
    return turn.fanout.rows.find_delivery(deployment.delivery) if deployment.delivery else None


def _target(turn: Turn[DeliveryRow], action: Endpoint) -> TargetRow:
    row = turn.row
    there = turn.fanout.rows.target(row.tenant, row.workspace, action.route)
    return there or TargetRow(tenant=row.tenant, workspace=row.workspace, endpoint=action.route, desired=row.address, rank="")


def _is_free(target: TargetRow, rows: Rows) -> bool:
    claimant = target.claimant and rows.get(target.claimant)
    return not claimant or is_final(claimant.state)


def _newer(target: TargetRow, row: DeliveryRow, rows: Rows) -> DeliveryRow | None:
    """The delivery of a newer version that serves, or still may."""
    if (target.rank, target.desired.partition) <= (row.rank, row.partition):
        return None
    newer = rows.find_delivery(target.desired)
    return None if newer is None or newer.state in CAME_TO_NOTHING else newer
