"""A version is taken back: no further delivery of it, archived in the registry, and undone wherever it was delivered.

The plan is written first: a fan-out or a pull that is under way at this moment adds nothing behind it. Then every delivery is put
into `recalling`, open or closed, with its own wake-up; the share is `recalled` when the last of them is.
"""

import itertools
import logging
from collections.abc import Iterator
from dataclasses import replace

from handlers.asked import Asked
from handlers.fan_out import PAGE, plan_of
from handlers.imports import IMPORT, IMPORT_TIMEOUT
from handlers.reopen import reopen
from handlers.turns import Turn, one_at_a_time
from shared import backoff, logs
from shared.azure_ml_ports import OperationState
from shared.errors import Permanent
from shared.messages import Queue, of_wake_up
from shared.ports import Fanout
from shared.rows import DeliveryRow, ShareRow
from shared.states import DeliveryState, ShareState
from shared.wakeups import WakeUp

log = logging.getLogger("fanout.recall")

ARCHIVE = "archive"
MOST_A_TURN = PAGE  # deliveries; the rest is left to the next wake-up


def step(turn: Turn[ShareRow]) -> ShareRow:
    row, fanout = turn.row, turn.fanout
    plan = fanout.rows.plan(row.asset, row.registry)
    if plan and not plan.recall:
        fanout.rows.save_plan(replace(plan, recall=row.recall))
    if begun := _take_back(row, fanout):
        logs.event(log, "recalling", share_id=row.address, asset=row.asset, deliveries=begun)
        return turn.again(replace(row, looks=0, failures=0), 0)
    last = _last_change(turn)
    if last is OperationState.RUNNING:
        return _look_again(turn)
    there = fanout.registries.asset(row.registry, row.asset)
    if there is None and last and _may_still_come(turn):
        return _look_again(turn)
    if there and not plan:
        fanout.rows.save_plan(replace(plan_of(row, fanout, there), recall=row.recall))
    if there and not there.archived:
        row = turn.claim(ARCHIVE)
        operation = fanout.registries.begin_update(there, {}, archive=True)
        return _look_again(turn, replace(row.noted(turn.now, ARCHIVE, "accepted"), operation=operation))
    if any(True for _ in _open(row, fanout)):
        return _look_again(turn)
    done = "archived" if there else "is not in the registry"
    return replace(row.tried(turn.now, ARCHIVE, done), state=ShareState.RECALLED, operation=None)


def _last_change(turn: Turn[ShareRow]) -> OperationState | None:
    """How the import, or the archiving, stands: ENDED where that is not known, None for an import that failed: so much the better.

    Permanent, with Azure's text, where the archiving failed.
    """
    row = turn.row
    try:
        return turn.fanout.registries.operation(row.operation) if row.operation else OperationState.ENDED
    except Permanent:
        if row.step == ARCHIVE:
            raise
        return None


def _may_still_come(turn: Turn[ShareRow]) -> bool:
    """Whether an import may have been accepted though nobody lived to write so, or has ended and does not show yet."""
    row = turn.row
    return row.step == IMPORT and turn.now - (row.since or turn.now) < IMPORT_TIMEOUT


def _look_again(turn: Turn[ShareRow], row: ShareRow | None = None) -> ShareRow:
    row = row or turn.row
    since = row.since or turn.now
    elapsed = (turn.now - since).total_seconds()
    return turn.again(replace(row, since=since, looks=row.looks + 1, failures=0), backoff.first_looks_delay(row.looks, elapsed))


def _take_back(row: ShareRow, fanout: Fanout) -> int:
    """Put up to MOST_A_TURN deliveries into `recalling`, and wake them; how many.

    Transient where one of them changes at this moment: those before it are woken all the same, the others left to the next turn.
    """
    waking: list[DeliveryRow] = []
    try:
        for recalling in itertools.islice(_all_recalling(row, fanout), MOST_A_TURN):
            waking.append(recalling)  # noqa: PERF402 - what was changed before a failure has to be woken too
    finally:
        wake_ups = [of_wake_up(WakeUp.of(delivery.address, delivery.rev)) for delivery in waking]
        if wake_ups:
            fanout.queues.send(Queue.WAKEUPS, wake_ups)
    return len(waking)


def _all_recalling(row: ShareRow, fanout: Fanout) -> Iterator[DeliveryRow]:
    for delivery in filter(_not_yet, _open(row, fanout)):
        yield _recalling(delivery, row, fanout)
    closed = (each for each in fanout.rows.closed_deliveries(row.asset.key) if each.registry == row.registry)
    for delivery in filter(_not_yet, closed):
        yield reopen(_taken_back(delivery, row), DeliveryState.RECALLING, Asked(), fanout)


def _recalling(delivery: DeliveryRow, row: ShareRow, fanout: Fanout) -> DeliveryRow:
    """It keeps its claim: whoever has it may be at work, and is waited for. That it has ended may not have been told yet."""
    changed = replace(_taken_back(delivery, row), state=DeliveryState.RECALLING, rev=delivery.rev + 1)
    with one_at_a_time():
        return fanout.rows.replace(replace(changed, next_at=fanout.clock.now(), untold=False, failing=None, looks=0))


def _taken_back(delivery: DeliveryRow, row: ShareRow) -> DeliveryRow:
    return replace(delivery, recall=row.recall, correlation_id=row.correlation_id)


def _not_yet(delivery: DeliveryRow) -> bool:
    return not delivery.recall


def _open(row: ShareRow, fanout: Fanout) -> Iterator[DeliveryRow]:
    return (each for each in fanout.rows.open_deliveries(row.asset.key) if each.registry == row.registry)
