"""Asked before a delivery's effect and again before it counts as delivered: is it still allowed?"""

from collections.abc import Callable
from dataclasses import replace

from handlers.turns import Turn
from shared import backoff
from shared.assets import RegistryAsset
from shared.planning import Allowed, NoLongerAllowed, Paused, SharedAsset, still_allowed
from shared.rows import DeliveryRow
from shared.states import DeliveryState


def claimed(turn: Turn[DeliveryRow], step: str, model: RegistryAsset, effect: Callable[[DeliveryRow], DeliveryRow]) -> DeliveryRow:
    """Claim the row, ask whether the delivery is still allowed, then have the effect."""
    row = turn.claim(step)
    return unless_withdrawn(turn, row, model) or effect(replace(row, state=DeliveryState.RUNNING))


def delivered(turn: Turn[DeliveryRow], row: DeliveryRow, model: RegistryAsset, mode: str | None = None) -> DeliveryRow:
    withdrawn = unless_withdrawn(turn, row, model)
    return withdrawn or replace(row, state=DeliveryState.DELIVERED, mode=mode, failures=0)


def unless_withdrawn(turn: Turn[DeliveryRow], row: DeliveryRow, model: RegistryAsset) -> DeliveryRow | None:
    """The row held or cancelled, where the rules as they are now say so."""
    shared = SharedAsset(row.asset, row.registry, row.origin, model.tags)
    match still_allowed(row, shared, turn.fanout.rules.current()):
        case Allowed(decision) if decision.action != row.action:  # a limit or the subscription changed: go on by today's
            return turn.again(replace(row, action=decision.action), 0)
        case Allowed():
            return None
        case Paused(tenant):
            held = row.tried(turn.now, row.step, f"held: tenant {tenant} is paused")
            return turn.again(replace(held, state=DeliveryState.HELD), backoff.HORIZON)
        case NoLongerAllowed(reason):
            return replace(row.tried(turn.now, row.step, f"cancelled: {reason}"), state=DeliveryState.CANCELLED)
