"""Whether what was delivered still stands in the tenant's workspace.

A version that is archived was put away on purpose: archiving is Azure's way to say so, and it is respected. One that is deleted
leaves no such mark, while the subscription still wants it: it is registered again. An endpoint costs its tenant money for as
long as it stands, and to delete it is the one way to stop that: it is shown, and only a command brings it back (`retry`, with
`repair`).
"""

import random
from collections.abc import Sequence

from handlers.reconcile_round import Round, repair_command
from shared.actions import Endpoint, Register
from shared.endpoints import deployment_name
from shared.reconciling import Finding, What
from shared.rows import DeliveryRow


def look_for_drift(rows: Sequence[DeliveryRow], round_: Round) -> None:
    """Deliveries of one version, as many as the run may look at still: chosen by chance, so that in time each has its turn."""
    most = max(round_.bounds.looks, 1)
    for row in rows if len(rows) <= most else random.sample(rows, most):
        _look(row, round_)


def _look(row: DeliveryRow, round_: Round) -> None:
    """One call, at the asset or at the endpoint's deployments."""
    round_.looked()
    with round_.bearing(str(row.asset), row.tenant, row.workspace.name), round_.fanout.fairness.admitted(row.workspace):
        match row.action:
            case Register():
                _look_at_asset(row, round_)
            case action:
                _look_at_endpoint(row, action, round_)


def _look_at_asset(row: DeliveryRow, round_: Round) -> None:
    there = round_.fanout.workspaces.asset(row.workspace, row.asset)
    if there is None:
        round_.note(_finding(row, What.GONE, "it was delivered, and is not there any more", "retry"), repair_command(row.address))
    elif there.archived:
        round_.note(_finding(row, What.ARCHIVED, "it was archived there, and stays so"))


def _look_at_endpoint(row: DeliveryRow, action: Endpoint, round_: Round) -> None:
    """What another asset has taken the place of is looked for no more."""
    target = round_.fanout.rows.target(row.tenant, row.workspace, action.route)
    if target and target.desired != row.address:
        return
    deployments = round_.fanout.endpoints.deployments(row.workspace, action)
    if deployments is None:
        round_.note(_finding(row, What.REMOVED, f"there is no endpoint {action.name} any more"))
    elif deployment_name(row.asset, str(row.address)) not in {each.name for each in deployments}:
        round_.note(_finding(row, What.REMOVED, f"its deployment is not at endpoint {action.name} any more"))


def _finding(row: DeliveryRow, what: What, why: str, healed_by: str | None = None) -> Finding:
    return Finding(what, str(row.asset), row.tenant, row.workspace.name, why, healed_by)
