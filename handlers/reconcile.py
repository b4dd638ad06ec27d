"""The timer: sends wake-ups for rows that nobody looked at for too long. Its cost follows open work, not history."""

import logging
from datetime import datetime

from handlers.held import HeldRows
from shared import logs
from shared.messages import Outgoing, Queue, of_wake_up
from shared.ports import Fanout
from shared.rows import DeliveryRow, WorkRow
from shared.states import DeliveryState
from shared.wakeups import WakeUp, nudge_of

log = logging.getLogger("fanout.reconcile")

MOST = 1000  # rows a run
HELD_BACK = {DeliveryState.AWAITING_APPROVAL, DeliveryState.HELD}


def handle(fanout: Fanout) -> None:
    """It raises no rev, and all timers within ten minutes send the same message: it heals, and never multiplies.

    What is held until soon is woken when it is due, and must not crowd out what is overdue already.
    """
    now = fanout.clock.now()
    late = now - fanout.overdue_after
    held = HeldRows(fanout.rules.current, now)
    overdue: list[Outgoing] = []
    ahead: list[Outgoing] = []
    rows, oldest = 0, now
    for row in fanout.open_work.open_rows(late):
        rows += 1
        oldest = oldest if _may_be_old(row) else min(oldest, row.created_at)
        if row.next_at < late or held.is_due(row):
            at = held.wake_at(row)
            (ahead if at else overdue).append(of_wake_up(WakeUp.nudging(row.address, row.rev, now), at))
    nudges = _of_this_run(overdue, now) + _of_this_run(ahead, now)
    if nudges:
        fanout.queues.send(Queue.WAKEUPS, nudges)
        logs.event(log, "nudged", rows=len(nudges), of=len(overdue) + len(ahead))
    logs.event(log, "open work", rows=rows, oldest_minutes=int((now - oldest).total_seconds()) // 60)


def _of_this_run(nudges: list[Outgoing], now: datetime) -> list[Outgoing]:
    """MOST of them; every ten minutes the next ones, round and round: what stays overdue keeps no other from being nudged."""
    first = nudge_of(now) * MOST % len(nudges) if nudges else 0
    return (nudges[first:] + nudges[:first])[:MOST]


def _may_be_old(row: WorkRow) -> bool:
    """An alert looks at the oldest delivery that nothing holds back: infra/azure/modules/alerts.bicep."""
    return not isinstance(row, DeliveryRow) or row.state in HELD_BACK
