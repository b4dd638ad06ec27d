"""What comes next in a rollout. Mostly a look at the endpoint tells, which reads no more of it than the answer needs.

No look is needed where Azure has just said that the last change went well, and an earlier look foresaw what follows. Where a
try failed since, that may be hours ago, and the endpoint another by now.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from handlers import endpoint_claim
from handlers.turns import Turn
from shared.actions import Endpoint as Action
from shared.azure_ml_ports import OperationState
from shared.endpoint_moves import Change, CreateDeployment, DeleteDeployment, Goal, Move, Overtaken, Serving, SmokeTest, change_of
from shared.endpoints import READY, Deployment, Endpoint, deployment_name, deployment_tags, endpoint_mark, tag_value
from shared.rollout import first_move, foreseen, next_move
from shared.rows import DeliveryRow, Rest

type TryOut = Callable[[Endpoint, str], None]
"""Raises Permanent `smoke_test_failed` where the deployment of that name does not answer as it should."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """What is done at the endpoint, and how: `steps` are the per cent of our traffic that it gets one after the other.

    `try_out`, if any, must go well before the first of them.
    """

    action: Action
    steps: tuple[int, ...] = (100,)
    try_out: TryOut | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """The one thing to do. `there` is the endpoint, if it was looked at; `rest` what is left after `move`, if that is foreseen."""

    move: Move
    there: Endpoint | None = None
    rest: Rest | None = None


def next_of(turn: Turn[DeliveryRow], rollout: Rollout, last_change: OperationState) -> Next:
    """What the endpoint lacks next. The deployment is tried out on the way, where that is due."""
    goal = _goal(turn.row, rollout)
    went_well = last_change is OperationState.SUCCEEDED and not turn.row.failures
    if went_well and (following := _after(turn.row)):
        return following
    if goal.last is None and (move := first_move(turn.fanout.endpoints.deployments(turn.row.workspace, rollout.action), goal)):
        return Next(move)
    return _by_look(turn, rollout, goal, _look(turn, rollout.action, went_well=went_well))


def _goal(row: DeliveryRow, rollout: Rollout) -> Goal:
    return Goal(
        deployment=deployment_name(row.asset, str(row.address)),
        mark=endpoint_mark(row.workspace, rollout.action),
        rank=tag_value(row.rank),
        steps=rollout.steps,
        keep=rollout.action.keep,
        adopt=rollout.action.adopt,
        test=rollout.try_out is not None,
        last=change_of(row.step),
    )


def _after(row: DeliveryRow) -> Next | None:
    """What follows from the last change alone, now that it went well."""
    match change_of(row.step), row.rest:
        case Change.CREATE_ENDPOINT, _:
            return Next(CreateDeployment(first=True))
        case Change.TRAFFIC | Change.RETIRE, Rest(share, ()):
            return Next(Serving(share))
        case Change.TRAFFIC | Change.RETIRE, Rest(share, (old, *others)):
            return Next(DeleteDeployment(old), rest=Rest(share, tuple(others)))
    return None


def _look(turn: Turn[DeliveryRow], action: Action, *, went_well: bool) -> Endpoint | None:
    """The endpoint. Its deployments are not listed where its first one was just made and nobody has traffic: that one is known."""
    row, endpoints = turn.row, turn.fanout.endpoints
    if went_well and change_of(row.step) is Change.CREATE_FIRST:
        alone = endpoints.endpoint(row.workspace, action, bare=True)
        if alone and alone.state == READY and not alone.traffic:
            own = Deployment(deployment_name(row.asset, str(row.address)), READY, deployment_tags(row))
            return replace(alone, deployments=(own,))
    return endpoints.endpoint(row.workspace, action)


def _by_look(turn: Turn[DeliveryRow], rollout: Rollout, goal: Goal, there: Endpoint | None) -> Next:
    move = next_move(there, goal)
    if isinstance(move, Overtaken) and not endpoint_claim.is_meant_to_serve(turn, move.by):
        goal = replace(goal, rank=None)
        move = next_move(there, goal)
    if isinstance(move, SmokeTest) and there and rollout.try_out:
        rollout.try_out(there, goal.deployment)
        move = next_move(there, replace(goal, test=False))
    return Next(move, there, foreseen(there, move, goal) if there else None)
