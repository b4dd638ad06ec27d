"""The timer: sends wake-ups for rows that nobody looked at for too long. Its cost follows open work, not history."""

import logging
from datetime import datetime

from handlers.held import HeldRows
from shared import logs
from shared.messages import Outgoing, Queue, of_wake_up
from shared.ports import Fanout
from shared.wakeups import WakeUp, nudge_of

log = logging.getLogger("fanout.reconcile")

MOST = 1000  # rows a run


def handle(fanout: Fanout) -> None:
    """It raises no rev, and all timers within ten minutes send the same message: it heals, and never multiplies.

    What is held until soon is woken when it is due, and must not crowd out what is overdue already.
    """
    now = fanout.clock.now()
    held = HeldRows(fanout.rules.current, now)
    overdue: list[WakeUp] = []
    ahead: list[Outgoing] = []
    for row in fanout.open_work.overdue(now - fanout.overdue_after, held.is_due):
        wake_up = WakeUp.nudging(row.address, row.rev, now)
        if at := held.wake_at(row):
            ahead.append(of_wake_up(wake_up, at))
        else:
            overdue.append(wake_up)
    nudges = [of_wake_up(wake_up) for wake_up in _of_this_run(overdue, now)] + ahead[:MOST]
    if nudges:
        fanout.queues.send(Queue.WAKEUPS, nudges)
        logs.event(log, "nudged", rows=len(nudges), of=len(overdue) + len(ahead))


def _of_this_run(overdue: list[WakeUp], now: datetime) -> list[WakeUp]:
    """MOST of them; every ten minutes the next ones, round and round: what stays overdue keeps no other from being nudged."""
    first = nudge_of(now) * MOST % max(len(overdue), 1)
    return (overdue[first:] + overdue[:first])[:MOST]
