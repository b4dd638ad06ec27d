"""A version is taken back: no further delivery of it, archived in the registry, and undone wherever it was delivered.

The plan is written first: a fan-out that is under way at this moment cannot add a page behind it. Then every delivery is put
into `recalling`, open or closed, with its own wake-up; the share is `recalled` when the last of them is.
"""

import itertools
import logging
from collections.abc import Iterator
from dataclasses import replace

from handlers.fan_out import PAGE, plan_of
from handlers.reopen import reopen
from handlers.turns import Turn
from shared import backoff, logs
from shared.errors import Lost, Transient
from shared.messages import Queue, of_wake_up
from shared.ports import Fanout
from shared.rows import DeliveryRow, ShareRow, deliveries_of
from shared.states import DeliveryState, ShareState
from shared.wakeups import WakeUp

log = logging.getLogger("fanout.recall")

ARCHIVE = "archive"
MOST_A_TURN = 5 * PAGE  # deliveries; the rest is left to the next wake-up


def step(turn: Turn[ShareRow]) -> ShareRow:
    row, fanout = turn.row, turn.fanout
    there = fanout.registries.asset(row.registry, row.asset)
    if there is None:
        return _never_arrived(turn)
    plan = plan_of(row, fanout)
    if not plan.recall:
        fanout.rows.save_plan(replace(plan, recall=row.recall))
    if begun := _take_back(row, fanout):
        logs.event(log, "recalling", share_id=row.address, asset=row.asset, deliveries=begun)
        return turn.again(replace(row, since=turn.now, failures=0), 0)
    if not there.archived:
        row = turn.claim(ARCHIVE)
        fanout.registries.begin_update(there, {}, archive=True)
        return turn.again(row.tried(turn.now, ARCHIVE, "accepted"), backoff.poll_delay(0))
    if any(True for _ in _open(row, fanout)):
        elapsed = (turn.now - (row.since or turn.now)).total_seconds()
        return turn.again(replace(row, looks=row.looks + 1, failures=0), backoff.poll_delay(elapsed))
    return replace(row.tried(turn.now, ARCHIVE, "archived"), state=ShareState.RECALLED)


def _never_arrived(turn: Turn[ShareRow]) -> ShareRow:
    """Nothing to take back, unless its import is still under way."""
    row = turn.row
    if row.step and row.looks < len(backoff.FIRST_LOOKS) + 3:
        return turn.again(replace(row, looks=row.looks + 1), backoff.first_looks_delay(row.looks, 60))
    return replace(row.tried(turn.now, row.step, "was never in the registry"), state=ShareState.RECALLED)


def _take_back(row: ShareRow, fanout: Fanout) -> int:
    """Put deliveries into `recalling`, and wake them; how many."""
    waking = [_recalling(delivery, row, fanout) for delivery in itertools.islice(_not_yet(row, fanout), MOST_A_TURN)]
    wake_ups = [of_wake_up(WakeUp.of(delivery.address, delivery.rev)) for delivery in waking]
    if wake_ups:
        fanout.queues.send(Queue.WAKEUPS, wake_ups)
    return len(wake_ups)


def _recalling(delivery: DeliveryRow, row: ShareRow, fanout: Fanout) -> DeliveryRow:
    """An open one keeps its claim: whoever has it may be at work, and is waited for."""
    try:
        if delivery.state in _CLOSED:
            return reopen(delivery, DeliveryState.RECALLING, fanout, recall=row.recall)
        changed = replace(delivery, state=DeliveryState.RECALLING, recall=row.recall, rev=delivery.rev + 1)
        return fanout.rows.replace(replace(changed, next_at=fanout.clock.now(), untold=False, failing=None, looks=0))
    except Lost as lost:
        raise Transient(f"{delivery.address} changed at the same time", retry_after=1) from lost


_CLOSED = {DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.SUPERSEDED, DeliveryState.CANCELLED}


def _not_yet(row: ShareRow, fanout: Fanout) -> Iterator[DeliveryRow]:
    every = itertools.chain(_open(row, fanout), fanout.rows.closed_deliveries(row.asset.key))
    return (each for each in every if each.registry == row.registry and not each.recall)


def _open(row: ShareRow, fanout: Fanout) -> Iterator[DeliveryRow]:
    fanout.open_work.add(deliveries_of(row.asset))
    return (each for each in fanout.rows.open_deliveries(row.asset.key) if each.registry == row.registry)
