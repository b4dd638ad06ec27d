"""The timer: sends wake-ups for rows that nobody looked at for too long. Its cost follows open work, not history."""

import logging
from datetime import datetime

from shared import logs
from shared.messages import Queue, of_wake_up
from shared.ports import Fanout
from shared.wakeups import WakeUp, nudge_of

log = logging.getLogger("fanout.reconcile")

MOST = 1000  # rows a run


def handle(fanout: Fanout) -> None:
    """It raises no rev, and all timers within ten minutes send the same message: it heals, and never multiplies."""
    now = fanout.clock.now()
    overdue = [WakeUp.nudging(row.address, row.rev, now) for row in fanout.open_work.overdue(now - fanout.overdue_after)]
    if overdue:
        nudges = [of_wake_up(wake_up) for wake_up in _of_this_run(overdue, now)]
        fanout.queues.send(Queue.WAKEUPS, nudges)
        logs.event(log, "nudged", rows=len(nudges), of=len(overdue))


def _of_this_run(overdue: list[WakeUp], now: datetime) -> list[WakeUp]:
    """MOST of them; every ten minutes the next ones, round and round: what stays overdue keeps no other from being nudged."""
    first = nudge_of(now) * MOST % len(overdue)
    return (overdue[first:] + overdue[:first])[:MOST]
