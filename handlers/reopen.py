"""Opens a delivery again that had ended: to be tried once more, or to be taken back."""

from dataclasses import replace

from handlers.asked import Asked
from handlers.turns import one_at_a_time
from shared.ports import Fanout
from shared.rows import DeliveryRow, deliveries_of
from shared.states import DeliveryState, may_be_commanded


def reopen(row: DeliveryRow, state: DeliveryState, asked: Asked, fanout: Fanout) -> DeliveryRow:
    """The row as it stands open now; its wake-up is the caller's. Transient where it changed at the same time.

    ValueError where no command leads from its state to this one.
    """
    if not may_be_commanded(row.state, state):
        raise ValueError(f"{row.address}: {row.state} cannot become {state}")
    now = fanout.clock.now()
    fresh = replace(
        row.asked_by(asked.id, asked.correlation_id).tried(now, row.step, f"opened again, {state}"),
        state=state,
        rev=row.rev + 1,
        next_at=now,
        step="",
        since=None,
        looks=0,
        operation=None,
        claim=None,
        failures=0,
        reason=None,
        failing=None,
        cancelled_by=None,
        done=None,
        untold=False,
    )
    fanout.open_work.add(deliveries_of(row.asset))
    with one_at_a_time():
        return fanout.rows.reopen(fresh)
