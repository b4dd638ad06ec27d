"""Asked before a delivery's effect and again before it counts as delivered: is it still allowed, and wanted?"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from handlers.turns import Turn
from shared import backoff
from shared.assets import RegistryAsset
from shared.planning import Allowed, NoLongerAllowed, Paused, SharedAsset, still_allowed
from shared.rows import DeliveryRow
from shared.rules import Approver
from shared.states import DeliveryState


def claimed(turn: Turn[DeliveryRow], step: str, asset: RegistryAsset, effect: Callable[[DeliveryRow], DeliveryRow]) -> DeliveryRow:
    """Claim the row for `step`, ask whether the delivery is still allowed, then have the effect, which gets the row `running`."""
    row = turn.claim(step)
    return unless_withdrawn(turn, row, asset) or effect(replace(row, state=DeliveryState.RUNNING))


def delivered(turn: Turn[DeliveryRow], row: DeliveryRow, asset: RegistryAsset) -> DeliveryRow:
    """The row `delivered`, unless it is withdrawn at the last moment."""
    withdrawn = unless_withdrawn(turn, row, asset)
    return withdrawn or replace(row, state=DeliveryState.DELIVERED, failures=0)


def unless_withdrawn(turn: Turn[DeliveryRow], row: DeliveryRow, asset: RegistryAsset) -> DeliveryRow | None:
    """The row as it has to go on otherwise, where the rules as they are now, or a command, say so; None where it may go on.

    It is then held, awaits approval, is cancelled, or starts over with the action that the rules ask for today.
    """
    if row.cancelled_by:
        return replace(row.tried(turn.now, row.step, f"cancelled by {row.cancelled_by}"), state=DeliveryState.CANCELLED)
    match _answer(turn, row, asset.tags):
        case Allowed(decision) if decision.approval and not row.approved_by:
            return _await_approval(turn, row, decision.approval)
        case Allowed(decision) if decision.action != row.action:  # a limit or the subscription changed: go on by today's
            return turn.again(replace(row, action=decision.action), 0)
        case Allowed():
            return None
        case Paused(tenant):
            held = row.noted(turn.now, row.step, f"held: tenant {tenant} is paused")
            return turn.again(replace(held, state=DeliveryState.HELD), backoff.HORIZON)
        case NoLongerAllowed(reason):
            return replace(row.tried(turn.now, row.step, f"cancelled: {reason}"), state=DeliveryState.CANCELLED)


def _answer(turn: Turn[DeliveryRow], row: DeliveryRow, tags: Mapping[str, str]) -> Allowed | Paused | NoLongerAllowed:
    """A no is asked again with the tags of the plan as it stands: what is remembered of it may be older than they are."""
    rules = turn.fanout.rules.current()
    answer = still_allowed(row, SharedAsset(row.asset, row.registry, row.origin, tags, row.source), rules)
    if isinstance(answer, NoLongerAllowed):
        plan = turn.fanout.rows.plan(row.asset, row.registry)
        if plan and plan.asset.tags != tags:
            return still_allowed(row, SharedAsset(row.asset, row.registry, row.origin, plan.asset.tags, row.source), rules)
    return answer


def look_for_approval(turn: Turn[DeliveryRow]) -> DeliveryRow:
    """A row that awaits approval: whether it still has to, and whether it is wanted at all."""
    row = turn.row
    asset = turn.fanout.rows.planned_asset(row.asset, row.registry)
    return unless_withdrawn(turn, row, asset) or turn.again(replace(row, state=DeliveryState.HELD), 0)


def _await_approval(turn: Turn[DeliveryRow], row: DeliveryRow, approver: Approver) -> DeliveryRow:
    if row.state is DeliveryState.RUNNING:  # begun before the rule asked for it
        row = replace(row, state=DeliveryState.HELD)
    elif row.state is not DeliveryState.AWAITING_APPROVAL:
        waiting = row.tried(turn.now, row.step, f"awaits the approval of the {approver}")
        row = replace(waiting, state=DeliveryState.AWAITING_APPROVAL)
    return turn.again(row, backoff.HORIZON if row.state is DeliveryState.AWAITING_APPROVAL else 0)
