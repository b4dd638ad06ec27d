"""What was delivered, and is allowed no more: shown. To take it back is a decision: `recall`.

The timer comes across the newest versions of each name. Whoever asks for a whole pass is shown all there is: the ledger is read
from end to end, a thousand rows a request, since no rule that changes tells which of them it concerned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import batched

from handlers.fan_out import shared_asset
from handlers.reconcile_round import Round
from shared.actions import Register
from shared.planning import NoLongerAllowed, SharedAsset, still_allowed
from shared.reconciling import Finding, What
from shared.rows import DeliveryRow, PlanRow
from shared.states import DeliveryState

AT_ONCE = 100  # assets, of one look


def show_all_withdrawn(round_: Round) -> None:
    parts = batched(round_.fanout.rows.delivered(), AT_ONCE, strict=False)
    while _show_part(parts, round_):
        round_.alive()


def _show_part(parts: Iterator[Sequence[tuple[PlanRow, Sequence[DeliveryRow]]]], round_: Round) -> bool:
    """Whether there may be more."""
    with round_.bearing("all deliveries", "", ""):
        part = next(parts, None)
        for plan, rows in part or ():
            _show_withdrawn_of(plan, rows, round_)
        return part is not None
    return False


def _show_withdrawn_of(plan: PlanRow, rows: Sequence[DeliveryRow], round_: Round) -> None:
    for row in () if plan.recall else rows:
        show_withdrawn(row, shared_asset(row, plan.asset), round_)


def show_withdrawn(row: DeliveryRow, asset: SharedAsset, round_: Round) -> bool:
    """Whether the delivery is allowed no more, to who has the workspace now. It is shown, unless another has its place since."""
    owner = round_.rules.tenant_of(row.workspace)
    answer = still_allowed(replace(row, tenant=owner.id) if owner else row, asset, round_.rules)
    if not isinstance(answer, NoLongerAllowed):
        return False
    if not is_overtaken(row, round_):
        round_.note(Finding(What.NOT_ALLOWED, str(row.asset), row.tenant, row.workspace.name, answer.reason))
    return True


def is_overtaken(row: DeliveryRow, round_: Round) -> bool:
    """Whether another delivery has its place at the endpoint, or is taking it. What is registered stands beside all others."""
    if isinstance(row.action, Register):
        return False
    rows = round_.fanout.rows
    target = rows.target(row.tenant, row.workspace, row.action.route)
    if target is None or target.desired == row.address:
        return False
    other = rows.find_delivery(target.desired)
    return other is not None and other.state in (DeliveryState.RUNNING, DeliveryState.DELIVERED)
