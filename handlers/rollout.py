"""A version is deployed from the registry beside the one that serves, and put in its place: for online and batch endpoints alike.

What fails on the way is removed, and the old one serves on.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from handlers import endpoint_claim
from handlers.endpoint_changes import begun, ended_in_failure, last_change, wait, wait_for_azure
from handlers.endpoint_claim import Standing
from handlers.endpoint_removal import change_back, remove
from handlers.permission import claimed, delivered, unless_withdrawn
from handlers.rollout_ends import broken, called_off, refused, taken, withdrawn_from
from handlers.rollout_looks import Next, Rollout, next_of
from handlers.turns import Turn
from shared.actions import Endpoint as Action
from shared.assets import RegistryAsset
from shared.azure_ml_ports import OperationState
from shared.deployable import environment_for
from shared.endpoint_moves import (
    Broken,
    Change,
    ClearAway,
    CreateDeployment,
    CreateEndpoint,
    DeleteDeployment,
    Overtaken,
    Serving,
    SetTraffic,
    Taken,
)
from shared.endpoints import Deployment, NewDeployment, deployment_name, deployment_tags, endpoint_tags
from shared.errors import Permanent
from shared.rows import DeliveryRow, Rest
from shared.states import DeliveryState


def step(turn: Turn[DeliveryRow], rollout: Rollout) -> DeliveryRow:
    """One step of a delivery to an endpoint. Before one that failed, or was called off, ends, what it began is undone."""
    try:
        state = last_change(turn)
        return wait_for_azure(turn) if state is OperationState.RUNNING else _next(turn, rollout, state)
    except Permanent as failure:
        return refused(turn, failure.reason)


def _next(turn: Turn[DeliveryRow], rollout: Rollout, state: OperationState) -> DeliveryRow:
    row, action = turn.row, rollout.action
    if row.failing:
        failing = row.failing
        return remove(turn, action, Change.UNDO, lambda *_: ended_in_failure(turn, failing))
    model = turn.fanout.rows.planned_asset(row.asset, row.registry)
    if withdrawn := unless_withdrawn(turn, row, model, begun=bool(row.step)):  # whether it was made, the look will tell
        return withdrawn_from(turn, action, withdrawn)
    match endpoint_claim.claim(turn, action):
        case Standing.SUPERSEDED:
            return called_off(turn, action, DeliveryState.SUPERSEDED, "a newer version serves")
        case Standing.OTHERS:
            return wait(turn, "another version is being deployed")
        case Standing.MINE:
            return _advance(turn, rollout.action, next_of(turn, rollout, state), model)


def _advance(turn: Turn[DeliveryRow], action: Action, due: Next, model: RegistryAsset) -> DeliveryRow:
    """Do the one thing that the endpoint lacks next."""
    row, endpoints, there = turn.row, turn.fanout.endpoints, due.there
    begin = partial(_begin, turn, action, model, due.rest)
    match due.move:
        case CreateEndpoint():
            _environment(turn, action, model)  # where it cannot be deployed no endpoint is made for it
            tags = endpoint_tags(row, action)
            return begin(Change.CREATE_ENDPOINT, lambda: endpoints.begin_endpoint(row.workspace, action, tags))
        case CreateDeployment(first):
            change = Change.CREATE_FIRST if first else Change.CREATE_DEPLOYMENT
            name, environment = deployment_name(row.asset, str(row.address)), _environment(turn, action, model)
            new = NewDeployment(name, model, environment, deployment_tags(row))
            return begin(change, lambda: endpoints.begin_deployment(row.workspace, action, new))
        case SetTraffic(traffic) if there:
            step = f"{Change.TRAFFIC} {traffic[deployment_name(row.asset, str(row.address))]} %"
            return begin(step, lambda: endpoints.begin_traffic(row.workspace, action, there, traffic))
        case DeleteDeployment(old):
            return begin(f"{Change.RETIRE} {old}", lambda: endpoints.begin_delete_deployment(row.workspace, action, old))
        case ClearAway(change) if there:
            return change_back(turn, action, Change.CLEAR_AWAY, there, change)
        case Serving(share):
            after = delivered(turn, replace(row, traffic=share, rest=None, operation=None), model)
            return _unless_changed(turn, after, DeliveryState.DELIVERED)
        case Overtaken(by):
            return _overtaken(turn, action, by)
        case Taken(what):
            raise taken(row, what)
        case Broken(what):
            raise broken(row, what)
        case _:
            return wait(turn)


def _overtaken(turn: Turn[DeliveryRow], action: Action, by: Deployment) -> DeliveryRow:
    """A newer version serves, whatever the claim says: the endpoint is the truth."""
    if endpoint_claim.is_open(turn, by):  # held, say: it may want the endpoint again
        endpoint_claim.release(turn, action)
        return wait(turn, "a newer version serves in part")
    return called_off(turn, action, DeliveryState.SUPERSEDED, "a newer version serves")


def _begin(
    turn: Turn[DeliveryRow],
    action: Action,
    model: RegistryAsset,
    rest: Rest | None,
    step: str,
    effect: Callable[[], str | None],
) -> DeliveryRow:
    after = claimed(turn, step, model, lambda row: begun(turn, replace(row, rest=rest), effect))
    if after.state is DeliveryState.HELD:
        return withdrawn_from(turn, action, after)
    return _unless_changed(turn, after, DeliveryState.RUNNING)


def _unless_changed(turn: Turn[DeliveryRow], after: DeliveryRow, expected: DeliveryState) -> DeliveryRow:
    """What is withdrawn between the two checks of a turn keeps its state: the next one undoes, or lets others at the endpoint."""
    return after if after.state is expected else turn.again(turn.row, 0)


def _environment(turn: Turn[DeliveryRow], action: Action, model: RegistryAsset) -> str | None:
    """Its id. Only what is still to be deployed is asked for it: the subscription may have changed since."""
    asks = action.scoring and not action.scoring.environment
    along = turn.fanout.rows.planned_environment(turn.row.asset, turn.row.registry) if asks else None
    return environment_for(model, action.scoring, along)
