"""The commands about one share or delivery that there is already: `retry`, `cancel`, `approve`, `reject`.

Each is a write of the row under its ETag, and a wake-up. Sent again it finds the row changed and does nothing; the same message
is known again also when others have changed the row since.
"""

import logging
from dataclasses import replace

from handlers.asked import Asked
from handlers.reopen import reopen
from handlers.turns import one_at_a_time, require_told, send_wake_up
from shared import commands, logs
from shared.errors import Owner, Permanent
from shared.ports import Fanout
from shared.rows import Address, DeliveryRow, RowKind, ShareRow
from shared.states import DeliveryState, ShareState, is_final

log = logging.getLogger("fanout.row_commands")


def retry(command: commands.Retry, asked: Asked, fanout: Fanout) -> None:
    """Permanent `unknown_row`, or `not_failed` where it goes on or, unless it is to be repaired, went well."""
    row = _row(command.address, fanout)
    if row.was_asked_by(asked.id):
        _again(row, fanout)
        return
    repaired = command.repair and row.state is DeliveryState.DELIVERED
    if row.state not in (ShareState.FAILED, DeliveryState.FAILED) and not repaired:
        if asked.by_event:  # someone was faster than the reconciler
            return
        text = f"{row.address} is {row.state}, not failed"
        raise Permanent("not_failed", text, Owner.PROVIDER, "see the row; nothing was changed")
    require_told(row, fanout)
    logs.event(log, "retried", row=row.address, command=asked.id)
    if isinstance(row, DeliveryRow):
        state = DeliveryState.RECALLING if row.recall else DeliveryState.PLANNED
        send_wake_up(reopen(row, state, asked, fanout), fanout)
    else:
        _retry_share(row, asked, fanout)


def cancel(command: commands.Cancel, asked: Asked, fanout: Fanout) -> None:
    """Permanent `unknown_row`, or `ended` where there is nothing left to cancel."""
    row = _row(command.address, fanout)
    by = command.by or "command"
    if row.cancelled_by or row.was_asked_by(asked.id):
        _again(row, fanout)
        return
    if is_final(row.state) or row.recall:
        text = f"{row.address} is {row.state}: there is nothing left to cancel"
        raise Permanent("ended", text, Owner.PROVIDER, "recall the asset to take back what was delivered")
    logs.event(log, "cancelled", row=row.address, by=by, command=asked.id)
    _change(replace(row.asked_by(asked.id, None), cancelled_by=by), fanout)


def decide(command: commands.Verdict, asked: Asked, fanout: Fanout) -> None:
    """Permanent `unknown_row`, or `not_awaiting_approval`."""
    row = _row(command.address, fanout)
    if not isinstance(row, DeliveryRow):
        raise _unknown(command.address)
    done = row.approved_by if command.type == "approve" else row.cancelled_by
    if done or row.was_asked_by(asked.id):
        _again(row, fanout)
        return
    if row.state is not DeliveryState.AWAITING_APPROVAL:
        text = f"{row.address} is {row.state}, and awaits no approval"
        raise Permanent("not_awaiting_approval", text, Owner.PROVIDER, "see the delivery; nothing was changed")
    logs.event(log, command.type, row=row.address, by=command.by, command=asked.id)
    known = row.asked_by(asked.id, None)
    if command.type == "approve":
        _change(replace(known, approved_by=command.by, state=DeliveryState.PLANNED), fanout)
    else:
        _change(replace(known, cancelled_by=command.by), fanout)


def _row(address: Address, fanout: Fanout) -> ShareRow | DeliveryRow:
    row = fanout.rows.get(address) if address.kind is RowKind.SHARE else fanout.rows.find_delivery(address)
    if row is None:
        raise _unknown(address)
    return row


def _unknown(address: Address) -> Permanent:
    return Permanent("unknown_row", f"there is no {address}", Owner.PROVIDER, "correct the id, as an event or the log has it")


def _retry_share(row: ShareRow, asked: Asked, fanout: Fanout) -> None:
    state = ShareState.RECALLING if row.recall else ShareState.REQUESTED
    fresh = replace(
        row, state=state, rev=row.rev + 1, next_at=fanout.clock.now(), step="", since=None, looks=0, failures=0, needs=()
    )
    fresh = replace(fresh, operation=None, claim=None, reason=None, cancelled_by=None, untold=False)
    fanout.open_work.add(row.address)
    with one_at_a_time():
        written = fanout.rows.replace(fresh.asked_by(asked.id, asked.correlation_id))
    send_wake_up(written, fanout)


def _change(row: ShareRow | DeliveryRow, fanout: Fanout) -> None:
    """The claim stays: whoever has it may be at work, and the row's next turn waits for that."""
    require_told(row, fanout)
    with one_at_a_time():
        written = fanout.rows.replace(replace(row, rev=row.rev + 1, next_at=fanout.clock.now(), looks=0))
    send_wake_up(written, fanout)


def _again(row: ShareRow | DeliveryRow, fanout: Fanout) -> None:
    """The same command once more: its wake-up may never have been sent. Sent twice it is one."""
    if not is_final(row.state):
        send_wake_up(row, fanout)
