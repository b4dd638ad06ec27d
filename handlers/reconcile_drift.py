"""Whether what was delivered still stands in the tenant's workspace.

A version that is archived was put away on purpose: archiving is Azure's way to say so, and it is respected. One that is deleted
leaves no such mark, while the subscription still wants it: it is registered again. An endpoint costs its tenant money for as
long as it stands, and to delete it is the one way to stop that: it is shown, and only a command brings it back (`retry`, with
`repair`).
"""

from collections.abc import Sequence
from datetime import timedelta

from handlers.reconcile_round import Round, repair_command
from handlers.reconcile_withdrawn import is_overtaken
from shared.actions import Endpoint, Register
from shared.endpoints import deployment_name
from shared.reconciling import Finding, What
from shared.rows import DeliveryRow

LONGEST = timedelta(seconds=30)  # of the looks at what was chosen


def look_for_drift(rows: Sequence[DeliveryRow], round_: Round) -> None:
    """At these deliveries at once; in a bounded run at some of all that it comes across, by `look_at_chosen`, at its end."""
    if round_.bounds.drift is not None:
        round_.chosen.add(rows)
        return
    for row in rows:
        _look(row, round_)


def look_at_chosen(round_: Round) -> None:
    """As many as the run may look at, chosen by chance: in time each has its turn, however many there are of other names."""
    until = round_.now + LONGEST
    for row in round_.chosen.take():
        if round_.now < until:
            _look(row, round_)
    round_.send()


def _look(row: DeliveryRow, round_: Round) -> None:
    """One call, at the asset or at the endpoint's deployments."""
    round_.alive()
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
    if is_overtaken(row, round_):
        return
    deployments = round_.fanout.endpoints.deployments(row.workspace, action)
    if deployments is None:
        round_.note(_finding(row, What.REMOVED, f"there is no endpoint {action.name} any more"))
    elif deployment_name(row.asset, str(row.address)) not in {each.name for each in deployments}:
        round_.note(_finding(row, What.REMOVED, f"its deployment is not at endpoint {action.name} any more"))


def _finding(row: DeliveryRow, what: What, why: str, healed_by: str | None = None) -> Finding:
    return Finding(what, str(row.asset), row.tenant, row.workspace.name, why, healed_by)
