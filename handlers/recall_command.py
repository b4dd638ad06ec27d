"""The command `recall`: puts the asset's share into `recalling`, whatever state it is in. handlers/recall.py does the rest."""

import logging
from dataclasses import replace

from handlers.adopted_share import share_row
from handlers.asked import Asked
from handlers.imports import IMPORT
from handlers.in_registry import find, recalled_before
from handlers.turns import one_at_a_time, send_wake_up
from shared import commands, logs
from shared.commands import LATEST
from shared.ports import Fanout
from shared.rows import ShareRow
from shared.states import ShareState

log = logging.getLogger("fanout.recall_command")


def recall(command: commands.Recall, asked: Asked, fanout: Fanout) -> None:
    """Permanent `not_in_registry`. One that is recalled already stays so, by its first reason."""
    share = _share(command, asked, fanout)
    if share.state is ShareState.RECALLED:
        return
    if share.state is not ShareState.RECALLING or not share.was_asked_by(asked.id):
        share = _recalling(share, command.reason, asked, fanout)
    send_wake_up(share, fanout)


def _share(command: commands.Recall, asked: Asked, fanout: Fanout) -> ShareRow:
    """`latest` stays what it was when the message first came: meanwhile that version was archived, or a later one registered."""
    asset, rules = command.asset.value, fanout.rules.current()
    if asset.version == LATEST and (before := recalled_before(asset, command.registry, rules, asked, fanout)):
        return before
    place = find(asset, command.registry, rules, fanout, shared_only=False)
    return share_row(place, asked.correlation_id, fanout, origin_matters=False)


def _recalling(share: ShareRow, reason: str, asked: Asked, fanout: Fanout) -> ShareRow:
    """An import or a fan-out that has the claim loses its write, and its next turn finds the recall.

    An outcome of the share that is not out yet is not waited for: the recall takes its place. `since` stays an import's that may
    still come.
    """
    if share.origin:
        fanout.reconciling.note_recall(share.origin, share.source)
    fanout.open_work.add(share.address)
    changed = replace(
        share.asked_by(asked.id, asked.correlation_id),
        state=ShareState.RECALLING,
        recall=share.recall or reason,
        rev=share.rev + 1,
        next_at=fanout.clock.now(),
        reason=None,
        cancelled_by=None,
        untold=False,
        step="" if share.state is ShareState.FAILED else share.step,  # nothing of it is under way
        since=share.since if share.step == IMPORT else None,
        looks=0,
        failures=0,
    )
    logs.event(log, "recall", share_id=share.address, asset=share.asset, why=reason, command=asked.id)
    with one_at_a_time():
        return fanout.rows.replace(changed)
