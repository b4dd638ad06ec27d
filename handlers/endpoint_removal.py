"""The way back: what a delivery deployed is taken out of traffic and removed, move by move, and whoever served before it serves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from handlers import endpoint_claim
from handlers.endpoint_changes import begun, wait
from handlers.turns import Turn
from shared.actions import Endpoint as Action
from shared.endpoint_moves import Change, DeleteDeployment, Gone, SetTraffic, Wait, change_of
from shared.endpoints import Endpoint, deployment_name
from shared.removal import next_removal
from shared.rows import DeliveryRow
from shared.states import DeliveryState

SHOWS_WITHIN = timedelta(seconds=60)

type End = Callable[[DeliveryRow, Endpoint | None], DeliveryRow]


def remove(turn: Turn[DeliveryRow], action: Action, change: Change, end: End, *, unless_serving: bool = False) -> DeliveryRow:
    """The next move to be rid of this delivery's deployment; what `end` makes of the row, once there is none."""
    row, endpoints = turn.row, turn.fanout.endpoints
    if not endpoint_claim.take(turn, action):
        return wait(turn, "another version is being deployed")
    name = deployment_name(row.asset, str(row.address))
    there = endpoints.endpoint(row.workspace, action)
    if unless_serving and there and 0 < there.room == there.share_of(name):
        return end(row, there)
    match next_removal(there, name):
        case Wait():
            return wait(turn)
        case Gone() if _may_still_come(turn):
            return wait(turn)
        case SetTraffic() | DeleteDeployment() as move if there:
            return change_back(turn, action, change, there, move)
        case _:
            return end(row, there)


def _may_still_come(turn: Turn[DeliveryRow]) -> bool:
    """Whether Azure may have accepted the deployment though its answer was lost: then it shows soon."""
    row = turn.row
    heard = row.attempts[-1].at if row.attempts else row.created_at
    return change_of(row.step) in (Change.CREATE_FIRST, Change.CREATE_DEPLOYMENT) and turn.now - heard < SHOWS_WITHIN


def change_back(
    turn: Turn[DeliveryRow], action: Action, change: Change, there: Endpoint, move: SetTraffic | DeleteDeployment
) -> DeliveryRow:
    """Claim and begin it, whether the delivery is allowed or not."""
    endpoints, workspace = turn.fanout.endpoints, turn.row.workspace
    match move:
        case SetTraffic(traffic):
            row = _claimed(turn, f"{change}: traffic")
            return begun(turn, row, lambda: endpoints.begin_traffic(workspace, action, there, traffic))
        case DeleteDeployment(name):
            row = _claimed(turn, f"{change}: delete deployment {name}")
            return begun(turn, row, lambda: endpoints.begin_delete_deployment(workspace, action, name))


def _claimed(turn: Turn[DeliveryRow], step: str) -> DeliveryRow:
    row = turn.claim(step)
    return row if row.state is DeliveryState.RECALLING else replace(row, state=DeliveryState.RUNNING)
