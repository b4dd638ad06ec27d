"""The ends of a rollout other than `delivered`: what becomes of the row, once nothing of it is left at the endpoint."""

from dataclasses import replace

from handlers import endpoint_claim
from handlers.endpoint_changes import ended_in_failure
from handlers.endpoint_removal import remove
from handlers.turns import Turn
from shared.actions import Endpoint as Action
from shared.endpoint_moves import Change, change_of
from shared.endpoints import SMOKE_TEST_FAILED, Endpoint
from shared.errors import Owner, Permanent, Reason
from shared.rows import DeliveryRow
from shared.states import DeliveryState


def withdrawn_from(turn: Turn[DeliveryRow], action: Action, withdrawn: DeliveryRow) -> DeliveryRow:
    """What becomes of a delivery that may not go on as it was. `withdrawn` is the row as the rules, or a command, want it.

    No operation is kept: whatever goes on from here looks at the endpoint first.
    """
    match withdrawn.state:
        case DeliveryState.CANCELLED:
            return called_off(turn, action, DeliveryState.CANCELLED, withdrawn.attempts[-1].outcome)
        case DeliveryState.HELD:
            endpoint_claim.stand_by(turn, action)
        case DeliveryState.AWAITING_APPROVAL:
            endpoint_claim.release(turn, action)
    return replace(withdrawn, operation=None)


def called_off(turn: Turn[DeliveryRow], action: Action, state: DeliveryState, why: str) -> DeliveryRow:
    """The row ends in `state` once what was begun is removed.

    What serves all of our share by now stays: only a recall takes that back.
    """

    def end(row: DeliveryRow, _there: Endpoint | None) -> DeliveryRow:
        endpoint_claim.release(turn, action)
        return replace(row.tried(turn.now, row.step, why), state=state, operation=None)

    if turn.row.is_untouched:
        return end(turn.row, None)
    return remove(turn, action, Change.UNDO, end, unless_serving=True)


def refused(turn: Turn[DeliveryRow], reason: Reason) -> DeliveryRow:
    """What becomes of the row when Azure, or the deployment itself, says no for good."""
    row = turn.row
    if row.failing or (row.is_untouched and reason.code != SMOKE_TEST_FAILED):
        return ended_in_failure(turn, row.failing or reason)
    tried = replace(row.tried(turn.now, row.step, str(reason)), operation=None)
    match change_of(row.step):
        case Change.RETIRE:  # the new one serves: an old one that stays is no reason to take it back
            return turn.again(replace(tried, step=Change.LEAVE), 0)
        case Change.UNDO:
            return ended_in_failure(turn, reason)
        case _:
            failing = replace(tried, state=DeliveryState.RUNNING, step=Change.UNDO, failing=reason, since=turn.now, failures=0)
            return turn.again(failing, 0)


def taken(row: DeliveryRow, what: str) -> Permanent:
    return Permanent(
        "endpoint_taken",
        f"{what} in workspace {row.workspace.name} was not made by Fanout",
        Owner.SUBSCRIBER,
        "name another endpoint in the subscription, let it adopt that one, or remove that one",
    )


def broken(row: DeliveryRow, what: str) -> Permanent:
    return Permanent(
        "provisioning_failed",
        f"{what} in workspace {row.workspace.name} is in a failed state",
        Owner.SUBSCRIBER,
        "see the activity log of the workspace for what failed, mend it, then retry the delivery",
    )
