"""The timer: sends wake-ups for rows that nobody looked at for too long. Its cost follows open work, not history."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from handlers.held import HeldRows
from shared import logs
from shared.messages import Outgoing, Queue, of_wake_up
from shared.ports import Fanout
from shared.rows import DeliveryRow, WorkRow
from shared.states import DeliveryState
from shared.wakeups import WakeUp, nudge_of

log = logging.getLogger("fanout.reconcile")

MOST = 1_000  # overdue rows a run, and messages in one go
MOST_OPENING = 50_000  # held rows a run: of those that wait for one opening all may go then
HELD_BACK = {DeliveryState.AWAITING_APPROVAL, DeliveryState.HELD}


def handle(fanout: Fanout, next_run: datetime | None = None) -> None:
    """It raises no rev, and all timers within ten minutes send the same message: it heals, and never multiplies.

    What is held is woken when its window opens, also when that comes before the `next_run`; it does not crowd out what is
    overdue, nor is it crowded out.
    """
    now = fanout.clock.now()
    late = now - fanout.overdue_after
    held = HeldRows(fanout.rules.current, now, next_run)
    seen = _Seen(now)
    overdue: list[Outgoing] = []
    opening: list[Outgoing] = []
    for row in seen.each_of(fanout.open_work.open_rows(late)):
        if held.is_due(row):
            opening.append(of_wake_up(WakeUp.nudging(row.address, row.rev, now), held.wake_at(row)))
        elif row.next_at < late:
            overdue.append(of_wake_up(WakeUp.nudging(row.address, row.rev, now)))
    nudges = _of_this_run(overdue, MOST, now) + _of_this_run(opening, MOST_OPENING, now)
    for some in batched(nudges, MOST, strict=False):  # others of this process send in between
        fanout.queues.send(Queue.WAKEUPS, some)
    if nudges:
        logs.event(log, "nudged", rows=len(nudges), of=len(overdue) + len(opening))
    logs.event(log, "open work", rows=seen.rows, oldest_minutes=int((now - seen.oldest).total_seconds()) // 60)


@dataclass
class _Seen:
    """What alerts look at (infra/azure/modules/alerts.bicep): how much is open, and since when a delivery that is not held back."""

    oldest: datetime
    rows: int = 0

    def each_of(self, rows: Iterable[WorkRow]) -> Iterator[WorkRow]:
        for row in rows:
            self.rows += 1
            if isinstance(row, DeliveryRow) and row.state not in HELD_BACK:
                self.oldest = min(self.oldest, row.created_at)
            yield row


def _of_this_run(nudges: list[Outgoing], most: int, now: datetime) -> list[Outgoing]:
    """So many; every ten minutes the next ones, round and round: what stays overdue keeps no other from being nudged."""
    first = nudge_of(now) * most % len(nudges) if nudges else 0
    return (nudges[first:] + nudges[:first])[:most]
