"""The route `online_endpoint`: the version is deployed from the registry and serves our share of the endpoint's traffic."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from handlers import endpoint_claim
from handlers.endpoint_claim import Standing
from handlers.permission import claimed, delivered, unless_withdrawn
from handlers.turns import Turn
from shared import backoff, logs
from shared.assets import RegistryAsset
from shared.errors import Owner, Permanent
from shared.online_endpoint import (
    DELIVERY_TAG,
    RANK_TAG,
    Broken,
    CreateDeployment,
    CreateEndpoint,
    DeleteDeployment,
    Serving,
    SetTraffic,
    Taken,
    Wait,
    deployment_name,
    next_move,
)
from shared.ports import OperationState
from shared.rows import DeliveryRow
from shared.rules import OnlineEndpoint
from shared.states import DeliveryState

log = logging.getLogger("fanout.online_endpoint")

MLFLOW_MODEL = "mlflow_model"


def step(turn: Turn[DeliveryRow], action: OnlineEndpoint) -> DeliveryRow:
    row = turn.row
    if row.operation and turn.fanout.workspaces.operation(row.operation) is OperationState.RUNNING:
        return _wait(turn, None)
    model = turn.fanout.rows.planned_asset(row.asset, row.registry)
    if model.type != MLFLOW_MODEL:
        raise Permanent(
            "not_deployable",
            f"{row.asset} is a {model.type}: without environment and scoring code only an {MLFLOW_MODEL} can be deployed",
            Owner.PUBLISHER,
            "register the model in MLflow's folder layout, with type mlflow_model",
        )
    if withdrawn := unless_withdrawn(turn, row, model):
        endpoint_claim.release(turn, action)
        return withdrawn
    match endpoint_claim.claim(turn, action):
        case Standing.SUPERSEDED:
            return replace(row.tried(turn.now, "endpoint", "a newer version serves"), state=DeliveryState.SUPERSEDED)
        case Standing.OTHERS:
            return _wait(turn, "another version is being deployed")
        case Standing.MINE:
            return _advance(turn, action, model)


def _advance(turn: Turn[DeliveryRow], action: OnlineEndpoint, model: RegistryAsset) -> DeliveryRow:
    """Do the one thing that the endpoint lacks next."""
    row, workspaces = turn.row, turn.fanout.workspaces
    name = deployment_name(row.asset, str(row.address))
    tags = {DELIVERY_TAG: str(row.address), RANK_TAG: row.rank}
    begin = partial(_begin, turn, model)
    match next_move(workspaces.endpoint(row.workspace, action.name), name, action.traffic):
        case Wait():
            return _wait(turn, None)
        case CreateEndpoint():
            return begin("create endpoint", lambda: workspaces.begin_endpoint(row.workspace, action.name, tags))
        case CreateDeployment():
            return begin("create deployment", lambda: workspaces.begin_deployment(row.workspace, action, name, model, tags))
        case SetTraffic(endpoint, traffic):
            return begin(f"traffic {traffic[name]} %", lambda: workspaces.begin_traffic(row.workspace, endpoint, dict(traffic)))
        case DeleteDeployment(old):
            return begin(f"delete deployment {old}", lambda: workspaces.begin_delete_deployment(row.workspace, action.name, old))
        case Serving():
            return delivered(turn, row, model)
        case Taken(what):
            raise Permanent(
                "endpoint_taken",
                f"{what} in workspace {row.workspace.name} was not made by Fanout",
                Owner.SUBSCRIBER,
                "name another endpoint in the subscription, or remove that one",
            )
        case Broken(what):
            raise _broken(row, what)


def _begin(turn: Turn[DeliveryRow], model: RegistryAsset, step: str, effect: Callable[[], str | None]) -> DeliveryRow:
    """Claim, begin one change at Azure, and look again later whether it is through."""

    def begin(row: DeliveryRow) -> DeliveryRow:
        operation = effect()
        logs.event(log, step, delivery_id=row.address, workspace=row.workspace.name, tenant=row.tenant)
        row = replace(row.tried(turn.now, step, "accepted"), operation=operation, since=turn.now, looks=0, failures=0)
        return turn.again(row, backoff.poll_delay(0))

    return claimed(turn, step, model, begin)


def _wait(turn: Turn[DeliveryRow], why: str | None) -> DeliveryRow:
    row = turn.row
    if why and not (row.attempts and row.attempts[-1].outcome == why):
        row = row.tried(turn.now, "endpoint", why)
    elapsed = (turn.now - (row.since or row.created_at)).total_seconds()
    return turn.again(replace(row, looks=row.looks + 1, failures=0), backoff.poll_delay(elapsed))


def _broken(row: DeliveryRow, what: str) -> Permanent:
    return Permanent(
        "provisioning_failed",
        f"{what} in workspace {row.workspace.name} is in a failed state",
        Owner.SUBSCRIBER,
        "read the deployment's logs in Azure ML, remove it, then retry the delivery",
    )
