"""One turn at a row: what happens around every step, whatever the step does.

A step may claim the row before it changes Azure, and answers the row as it shall be. Here its answer is written, its failure
turned into the verdict's consequence, and the next wake-up sent.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from shared import backoff, logs
from shared.announcements import announces, outcomes_of
from shared.errors import Conflict, Full, Lost, NotFound, Owner, Permanent, Reason, Transient, Waiting
from shared.messages import Queue, Received, of_wake_up
from shared.ports import Fanout
from shared.rows import Claim, DeliveryRow, ShareRow, is_done, move
from shared.states import is_final
from shared.wakeups import CLAIM, Act, Ignore, PutBack, SendSuccessor, WakeUp, judge

log = logging.getLogger("fanout.turns")

MOST_CONFLICTS = 150  # in a row, ten minutes apart in the end: about a day
MOST_FAILURES = 1_000  # of other kinds: about a week


class Turn[R: ShareRow | DeliveryRow]:
    """`row` is the row as it stands in the table. Its `step` names a change to Azure that an earlier turn claimed, and whose
    outcome nobody lived to write.
    """

    def __init__(self, row: R, message: int, fanout: Fanout) -> None:
        self.row = row
        self.fanout = fanout
        self.claimed = False
        self._message = message

    @property
    def now(self) -> datetime:
        return self.fanout.clock.now()

    def claim(self, step: str) -> R:
        """Win the right to change Azure, or raise Lost. `step` says what will be changed: it has no operation yet."""
        claim = Claim(self._message, self.now + CLAIM)
        row = self._write(replace(self.row, step=step, operation=None, claim=claim))
        self.claimed = True
        return row

    def again(self, row: R, delay: float) -> R:
        """The row as the step leaves it, to be looked at again after `delay` seconds."""
        return replace(row, next_at=self.now + timedelta(seconds=delay))

    def end(self, row: R) -> None:
        """Write the row as it shall be; then see to what follows from it. Who listens is told only what is written."""
        move(self.row, row.state)
        untold = self.fanout.outcomes.wanted and announces(self.row, row)
        row = replace(row, claim=None, untold=untold)
        if untold:
            self._write(row)
            self.tell()
        else:
            self._finish(row)

    def tell(self) -> None:
        """Publish what the row says. It stays open until that is out."""
        try:
            self.fanout.outcomes.publish(outcomes_of(self.row, self.fanout.rows))
        except (Transient, Permanent) as failure:
            row = self.row
            delay = backoff.retry_delay(row.failures + 1, getattr(failure, "retry_after", None))
            logs.event(log, "outcome not out", logging.ERROR, row=row.address, delay=f"{delay:.1f}", why=failure)
            send_wake_up(self._write(replace(self.again(row, delay), failures=row.failures + 1)), self.fanout)
        else:
            self._finish(replace(self.row, untold=False))

    def _finish(self, row: R) -> None:
        if is_final(row.state):
            self._close(row)
        else:
            send_wake_up(self._write(row), self.fanout)

    def _close(self, row: R) -> None:
        """Its entry in the open work is left for the timer to remove: a command may open a share again at this moment."""
        if isinstance(row, DeliveryRow):
            self.fanout.rows.close(replace(row, rev=self.row.rev + 1, etag=self.row.etag))
        else:
            self._write(row)
        _log_end(row)

    def _write(self, row: R) -> R:
        self.row = self.fanout.rows.replace(replace(row, rev=self.row.rev + 1, etag=self.row.etag))
        return self.row


type Step[R: ShareRow | DeliveryRow] = Callable[[Turn[R]], R]


def send_wake_up(row: ShareRow | DeliveryRow, fanout: Fanout) -> None:
    """Tell the queue when the row wants to be looked at; what lies beyond the horizon is left to the timer."""
    now = fanout.clock.now()
    if row.next_at > now + timedelta(seconds=backoff.HORIZON):
        return
    at = row.next_at if row.next_at > now else None
    fanout.queues.send(Queue.WAKEUPS, [of_wake_up(WakeUp.of(row.address, row.rev), at)])


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """For a row that is not this turn's own, or a command's: another's write is no reason to let this one go."""
    try:
        yield
    except Lost as lost:
        raise Transient(f"changed at the same time: {lost}", retry_after=1) from lost


def require_told(row: ShareRow | DeliveryRow, fanout: Fanout) -> None:
    """Transient while the row's outcome is not out: what a command makes of the row must not take its place."""
    if row.untold:
        send_wake_up(row, fanout)
        raise Transient(f"the outcome of {row.address} is not out yet")


def take(wake_up: WakeUp, message: Received, fanout: Fanout, share_step: Step[ShareRow], delivery_step: Step[DeliveryRow]) -> None:
    """Act on a wake-up as the protocol has it. Transient when the tables or the queue can not be reached."""
    row = fanout.rows.get(wake_up.address)
    row = None if row and is_done(row) else row
    look = judge(wake_up, row, message.sequence_number, fanout.clock.now())
    logs.event(log, "look", logging.DEBUG, row=wake_up.address, rev=wake_up.rev, hop=wake_up.hop, verdict=look)
    match look:
        case Ignore():
            return
        case PutBack(at):
            fanout.queues.send(Queue.WAKEUPS, [of_wake_up(wake_up.put_back(), at)])
        case SendSuccessor() if row:
            send_wake_up(row, fanout)
        case Act():
            try:
                if isinstance(row, ShareRow):
                    _act(Turn(row, message.sequence_number, fanout), share_step)
                elif isinstance(row, DeliveryRow):
                    _act(Turn(row, message.sequence_number, fanout), delivery_step)
            except Full as full:
                at = fanout.clock.now() + timedelta(seconds=backoff.crowded_delay())
                logs.event(log, "crowded", logging.DEBUG, row=wake_up.address, why=full)
                fanout.queues.send(Queue.WAKEUPS, [of_wake_up(wake_up.put_back(), at)])


def _act[R: ShareRow | DeliveryRow](turn: Turn[R], step: Step[R]) -> None:
    """Raises Full, with nothing claimed or written, where the row's workspace has no place left in this process."""
    try:
        if turn.row.untold:
            turn.tell()
            return
        try:
            after = step(turn)
        except Full:
            raise
        except Waiting as waiting:
            after = turn.again(turn.row, waiting.retry_after or 0)
        except Transient as failure:
            most = MOST_CONFLICTS if isinstance(failure, Conflict | NotFound) else MOST_FAILURES
            after = _failed(turn, _gave_up(failure)) if turn.row.failures >= most else _postponed(turn, failure)
        except Permanent as failure:
            after = _failed(turn, failure.reason)
        turn.end(after)
    except Lost:
        logs.event(log, "overtaken", logging.DEBUG, row=turn.row.address)


def _failed[R: ShareRow | DeliveryRow](turn: Turn[R], reason: Reason) -> R:
    tried = turn.row.tried(turn.now, turn.row.step, str(reason))
    return cast(R, tried.failed(reason))  # mypy widens Self of a bound that is a union


def _gave_up(failure: Transient) -> Reason:
    return Reason(
        "gave_up", f"again and again, to the last: {failure}", Owner.SUBSCRIBER, "see Azure's text; mend what it names, then retry"
    )


def _postponed[R: ShareRow | DeliveryRow](turn: Turn[R], failure: Transient) -> R:
    """The row after a transient failure. `step` stays where its change may have been made: then the next turn only looks."""
    row = turn.row
    failures = row.failures + 1
    delay = backoff.retry_delay(failures, failure.retry_after)
    logs.event(log, "postponed", row=row.address, step=row.step, failures=failures, delay=f"{delay:.1f}", why=failure)
    tried = cast(R, row.tried(turn.now, row.step, str(failure)))
    not_made = turn.claimed and not failure.uncertain
    return replace(turn.again(tried, delay), failures=failures, step="" if not_made else row.step)


def _log_end(row: ShareRow | DeliveryRow) -> None:
    kind = "share" if isinstance(row, ShareRow) else "delivery"
    level = logging.WARNING if row.reason else logging.INFO
    ids: dict[str, object] = {f"{kind}_id": row.address, "asset": row.asset, "registry": row.registry}
    if isinstance(row, DeliveryRow):
        ids |= {"tenant": row.tenant, "workspace": row.workspace.name}
    logs.event(log, f"{kind} {row.state}", level, **ids, **({"reason": row.reason} if row.reason else {}))
