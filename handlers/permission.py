"""Asked before a delivery's effect and again before it counts as delivered: is it still allowed, and wanted?

And may it begin now? Outside its subscription's window it is held until that opens. Once it has begun it goes on to its end, all
steps of a rollout's traffic included, also when the window closes meanwhile: to stop halfway would leave two versions serving.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from handlers.fan_out import shared_asset
from handlers.turns import Turn
from shared import backoff
from shared.assets import RegistryAsset
from shared.planning import Allowed, Decision, NoLongerAllowed, Paused, still_allowed
from shared.rows import DeliveryRow
from shared.states import DeliveryState
from shared.tenants import Approver, Window
from shared.windows import is_open, next_opening


def claimed(turn: Turn[DeliveryRow], step: str, asset: RegistryAsset, effect: Callable[[DeliveryRow], DeliveryRow]) -> DeliveryRow:
    """Claim the row for `step`, ask whether the delivery is still allowed, then have the effect, which gets the row `running`."""
    made = turn.row.step not in ("", step)  # an earlier claim's change, if it is not what is lacking now
    row = turn.claim(step)
    return unless_withdrawn(turn, row, asset, begun=made) or effect(replace(row, state=DeliveryState.RUNNING))


def delivered(turn: Turn[DeliveryRow], row: DeliveryRow, asset: RegistryAsset) -> DeliveryRow:
    """The row `delivered`, unless it is withdrawn at the last moment."""
    withdrawn = unless_withdrawn(turn, row, asset, begun=True)
    return withdrawn or replace(row, state=DeliveryState.DELIVERED, failures=0)


def unless_withdrawn(turn: Turn[DeliveryRow], row: DeliveryRow, asset: RegistryAsset, *, begun: bool = False) -> DeliveryRow | None:
    """The row as it has to go on otherwise, where the rules as they are now, or a command, say so; None where it may go on.

    It is then held, awaits approval, is cancelled, or starts over with the action that the rules ask for today. `begun`: it had
    an effect, or may have had one, even if the row does not say since when.
    """
    if row.cancelled_by:
        return replace(row.tried(turn.now, row.step, f"cancelled by {row.cancelled_by}"), state=DeliveryState.CANCELLED)
    match _answer(turn, row, asset):
        case Allowed(decision) if decision.approval and not row.approved_by:
            return _await_approval(turn, row, decision.approval)
        case Allowed(Decision(window=Window() as window) as decision) if not (begun or row.since or is_open(window, turn.now)):
            return _hold_until_open(turn, row, decision, window)
        case Allowed(decision) if (by_today := _decided(row, decision)) != row:  # a rule changed, or another one says yes
            return turn.again(by_today, 0)
        case Allowed():
            return None
        case Paused() as pause:
            held = row.noted(turn.now, row.step, f"held: {pause}")
            return turn.again(replace(held, state=DeliveryState.HELD), backoff.HORIZON)
        case NoLongerAllowed(reason):
            return replace(row.tried(turn.now, row.step, f"cancelled: {reason}"), state=DeliveryState.CANCELLED)


def _answer(turn: Turn[DeliveryRow], row: DeliveryRow, asset: RegistryAsset) -> Allowed | Paused | NoLongerAllowed:
    """A no is asked again of the plan as it stands: what is remembered of it may be older than the asset's tags are."""
    rules, remembered = turn.fanout.rules.current(), shared_asset(row, asset)
    answer = still_allowed(row, remembered, rules)
    if isinstance(answer, NoLongerAllowed):
        plan = turn.fanout.rows.plan(row.asset, row.registry)
        if plan and (stands := shared_asset(row, plan.asset)) != remembered:
            return still_allowed(row, stands, rules)
    return answer


def _decided(row: DeliveryRow, decision: Decision) -> DeliveryRow:
    """By this decision: the same row, where the same rules decide the same as when it was made."""
    by_it = replace(row, action=decision.action, publication=decision.publication or "", subscription=decision.subscription)
    return row if by_it == row else replace(by_it, rules_revision=decision.revision)


def _hold_until_open(turn: Turn[DeliveryRow], row: DeliveryRow, decision: Decision, window: Window) -> DeliveryRow:
    """By today's rules, which the row names from now on: the timer asks them whether it is still to be held (handlers.held)."""
    now = turn.now
    opening = next_opening(window, now)
    held = replace(
        row.noted(now, "", f"held until {opening:%Y-%m-%dT%H:%MZ}: subscription {decision.subscription} releases in its window"),
        state=DeliveryState.HELD,
        publication=decision.publication or "",
        subscription=decision.subscription,
        rules_revision=decision.revision,
        step="",
        failures=0,
    )
    soonest = now + timedelta(seconds=backoff.spread(backoff.SHORTEST_POLL))  # a wake-up may come early by the tables' clock
    return replace(held, next_at=max(opening, soonest))


def look_for_approval(turn: Turn[DeliveryRow]) -> DeliveryRow:
    """A row that awaits approval: whether it still has to, and is wanted at all. Held, its route undoes what is begun."""
    row = turn.row
    asset = turn.fanout.rows.planned_asset(row.asset, row.registry)
    withdrawn = unless_withdrawn(turn, row, asset)
    if withdrawn is None or (withdrawn.state is DeliveryState.CANCELLED and not row.is_untouched):
        return turn.again(replace(row, state=DeliveryState.HELD), 0)
    return withdrawn


def _await_approval(turn: Turn[DeliveryRow], row: DeliveryRow, approver: Approver) -> DeliveryRow:
    if row.state is DeliveryState.RUNNING:  # begun before the rule asked for it
        row = replace(row, state=DeliveryState.HELD)
    elif row.state is not DeliveryState.AWAITING_APPROVAL:
        waiting = row.tried(turn.now, row.step, f"awaits the approval of the {approver}")
        row = replace(waiting, state=DeliveryState.AWAITING_APPROVAL)
    return turn.again(row, backoff.HORIZON if row.state is DeliveryState.AWAITING_APPROVAL else 0)
