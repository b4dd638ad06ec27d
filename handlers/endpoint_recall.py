"""A recall, where the version was deployed to an endpoint: its deployment is removed, and the version before it serves again."""

from dataclasses import replace

from handlers import endpoint_claim
from handlers.endpoint_changes import ended_in_failure, last_change, wait_for_azure
from handlers.endpoint_removal import remove
from handlers.turns import Turn
from shared.actions import Endpoint as Action
from shared.azure_ml_ports import OperationState
from shared.endpoint_moves import Change, change_of
from shared.endpoints import Deployment, Endpoint
from shared.errors import Permanent
from shared.rows import DeliveryRow
from shared.states import DeliveryState


def step(turn: Turn[DeliveryRow], action: Action) -> DeliveryRow:
    """It waits for what the delivery itself has begun, and for another version that is being deployed."""
    recalling = change_of(turn.row.step) is Change.TAKE_BACK
    try:
        if last_change(turn) is OperationState.RUNNING:
            return wait_for_azure(turn)
    except Permanent as failure:
        if recalling:
            return ended_in_failure(turn, failure.reason)
        # What the delivery had begun failed: so much the better, the look tells what is there.
    try:
        return remove(turn, action, Change.TAKE_BACK, lambda row, there: _recalled(turn, action, row, there))
    except Permanent as failure:
        return ended_in_failure(turn, failure.reason)


def _recalled(turn: Turn[DeliveryRow], action: Action, row: DeliveryRow, there: Endpoint | None) -> DeliveryRow:
    serving = [each for each in there.ours().values() if there.share_of(each.name)] if there else []
    restored = max(serving, key=lambda each: each.rank, default=None)
    endpoint_claim.release(turn, action, restored)
    done = "nothing was there"
    if change_of(row.step) is Change.TAKE_BACK:
        done = f"removed from endpoint {action.name}; {_who_serves(row, restored)}"
    return replace(row.tried(turn.now, row.step, done), state=DeliveryState.RECALLED, done=done, operation=None)


def _who_serves(row: DeliveryRow, other: Deployment | None) -> str:
    if other is None:
        return "no other version of Fanout's serves there"
    serves_again = row.traffic and other.rank < row.rank
    return f"version {other.version} serves again" if serves_again else f"version {other.version} still serves"
