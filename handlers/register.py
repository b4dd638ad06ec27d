"""The route `register`: the asset stands in the tenant's workspace under its own name and version.

The workspace's asset refers to the registry's bytes: mode "reference".
"""

from handlers.permission import claimed, delivered
from handlers.turns import Turn
from shared.assets import RegistryAsset, WorkspaceAsset
from shared.errors import Owner, Permanent
from shared.online_endpoint import DELIVERY_TAG
from shared.rows import DeliveryRow

REGISTER = "register"
REFERENCE = "reference"


def step(turn: Turn[DeliveryRow]) -> DeliveryRow:
    row = turn.row
    model = turn.fanout.rows.planned_asset(row.asset, row.registry)
    there = turn.fanout.workspaces.model(row.workspace, row.asset)
    if there is None:
        return claimed(turn, REGISTER, model, lambda claim: _register(turn, claim, model))
    if _is_ours(there, row) or there.uri == model.uri:
        return delivered(turn, row, model, REFERENCE)
    raise Permanent(
        "conflict",
        f"workspace {row.workspace.name} holds {row.asset} already, with other content ({_without_query(there.uri)})",
        Owner.SUBSCRIBER,
        "archive or rename that one, or end the subscription; nothing was overwritten",
    )


def _register(turn: Turn[DeliveryRow], row: DeliveryRow, model: RegistryAsset) -> DeliveryRow:
    turn.fanout.workspaces.register_model(row.workspace, model, {DELIVERY_TAG: str(row.address)})
    return delivered(turn, row.tried(turn.now, REGISTER, "registered"), model, REFERENCE)


def _is_ours(there: WorkspaceAsset, row: DeliveryRow) -> bool:
    """Whether this very delivery made it, in a try that did not live to write so."""
    return there.properties.get(DELIVERY_TAG) == str(row.address)


def _without_query(uri: str) -> str:
    return uri.partition("?")[0]
