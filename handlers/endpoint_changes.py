"""What every change to an endpoint goes through, whichever way it leads: begin it, wait for it, look at its outcome."""

import logging
from collections.abc import Callable
from dataclasses import replace

from handlers.turns import Turn
from shared import backoff, logs
from shared.azure_ml_ports import OperationState
from shared.errors import Reason
from shared.rows import DeliveryRow

log = logging.getLogger("fanout.endpoints")


def last_change(turn: Turn[DeliveryRow]) -> OperationState:
    """How the last change stands, ENDED where none is known. Permanent, with Azure's own text, where it failed."""
    operation = turn.row.operation
    return turn.fanout.endpoints.operation(operation) if operation else OperationState.ENDED


def wait_for_azure(turn: Turn[DeliveryRow]) -> DeliveryRow:
    """Look again later at this delivery's own change, which is under way."""
    return _look_again(turn, turn.row)


def wait(turn: Turn[DeliveryRow], why: str | None = None) -> DeliveryRow:
    """Look again later at what is not this delivery's own change. `why` is noted among the attempts, once."""
    row = replace(turn.row, operation=None)
    if why and not (row.attempts and row.attempts[-1].outcome == why):
        row = row.tried(turn.now, "endpoint", why)
    return _look_again(turn, row)


def begun(turn: Turn[DeliveryRow], row: DeliveryRow, effect: Callable[[], str | None]) -> DeliveryRow:
    """Begin the change that the row claims, and look later whether it is through."""
    operation = effect()
    logs.event(log, row.step, delivery_id=row.address, workspace=row.workspace.name, tenant=row.tenant)
    row = replace(row.tried(turn.now, row.step, "accepted"), operation=operation, since=turn.now, looks=0, failures=0)
    return turn.again(row, backoff.poll_delay(0))


def ended_in_failure(turn: Turn[DeliveryRow], reason: Reason) -> DeliveryRow:
    """The row failed, nothing of it being left to undo."""
    row = turn.row
    return replace(row.tried(turn.now, row.step, str(reason)), operation=None, failing=None).failed(reason)


def _look_again(turn: Turn[DeliveryRow], row: DeliveryRow) -> DeliveryRow:
    """Where nothing was begun, by the time since it was planned, opened again or told to wait."""
    began = row.since or (row.attempts[-1].at if row.attempts else row.created_at)
    elapsed = (turn.now - began).total_seconds()
    return turn.again(replace(row, looks=row.looks + 1, failures=0), backoff.poll_delay(elapsed))
