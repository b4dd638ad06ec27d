"""The timer: sends wake-ups for rows that nobody looked at for too long. Its cost follows open work, not history."""

import itertools
import logging

from shared import logs
from shared.messages import Queue, of_wake_up
from shared.ports import Fanout
from shared.wakeups import WakeUp

log = logging.getLogger("fanout.reconcile")

MOST = 1000  # rows a run; the rest is as overdue at the next


def handle(fanout: Fanout) -> None:
    """It raises no rev, and all timers within ten minutes send the same message: it heals, and never multiplies."""
    now = fanout.clock.now()
    overdue = itertools.islice(fanout.open_work.overdue(now - fanout.overdue_after), MOST)
    nudges = [of_wake_up(WakeUp.nudging(row.address, row.rev, now)) for row in overdue]
    if nudges:
        fanout.queues.send(Queue.WAKEUPS, nudges)
        logs.event(log, "nudged", rows=len(nudges))
