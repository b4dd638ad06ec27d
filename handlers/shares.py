"""One step of a share: requested → importing → fanning_out → shared, or failed."""

import logging
from dataclasses import replace
from datetime import timedelta

from handlers.fan_out import fan_out
from handlers.turns import Turn
from shared import backoff, logs
from shared.assets import RegistryAsset
from shared.errors import Owner, Permanent
from shared.ports import OperationState
from shared.rows import ShareRow
from shared.states import ShareState

log = logging.getLogger("fanout.shares")

IMPORT = "import"
IMPORT_TIMEOUT = timedelta(hours=1)  # x-ms-async-operation-timeout of the recorded import
ASK_AGAIN_AFTER = timedelta(seconds=60)  # an import whose acceptance is unknown is looked for so long, then begun anew


def step(turn: Turn[ShareRow]) -> ShareRow:
    match turn.row.state:
        case ShareState.REQUESTED:
            return _import(turn)
        case ShareState.IMPORTING:
            return _look(turn)
        case ShareState.FANNING_OUT:
            return fan_out(turn)
        case ShareState.SHARED | ShareState.FAILED:
            return turn.row


def _import(turn: Turn[ShareRow]) -> ShareRow:
    row = turn.row
    if seen := turn.fanout.registries.asset(row.registry, row.asset):
        return _arrived(turn, seen)
    if row.step == IMPORT:  # claimed before, and nobody lived to see its answer
        return _importing(turn, None, "may have been accepted")
    row = turn.claim(IMPORT)
    operation = turn.fanout.registries.begin_import(row.registry, row.asset, row.origin)
    return _importing(turn, operation, "accepted" if operation else "is under way already")


def _importing(turn: Turn[ShareRow], operation: str | None, outcome: str) -> ShareRow:
    logs.event(log, "importing", share_id=turn.row.address, asset=turn.row.asset, operation=operation)
    row = turn.row.tried(turn.now, IMPORT, outcome)
    row = replace(row, state=ShareState.IMPORTING, operation=operation, since=turn.now, looks=0, failures=0)
    return turn.again(row, backoff.first_looks_delay(0, 0))


def _look(turn: Turn[ShareRow]) -> ShareRow:
    """What counts is whether the registry holds the asset. The operation spares that question while it runs, and knows why not."""
    row = turn.row
    elapsed = turn.now - (row.since or turn.now)
    failure: Permanent | None = None
    try:
        address = row.operation if elapsed < IMPORT_TIMEOUT else None
        if address and turn.fanout.registries.operation(address) is OperationState.RUNNING:
            return _look_again(turn)
    except Permanent as failed:
        failure = failed
    if seen := turn.fanout.registries.asset(row.registry, row.asset):
        return _arrived(turn, seen)
    if failure:
        raise failure
    if elapsed < ASK_AGAIN_AFTER:
        return _look_again(turn)
    logs.event(log, "import begins anew", logging.WARNING, share_id=row.address, asset=row.asset)
    return turn.again(replace(row, state=ShareState.REQUESTED, step="", operation=None), 0)


def _look_again(turn: Turn[ShareRow]) -> ShareRow:
    row = turn.row
    elapsed = (turn.now - (row.since or turn.now)).total_seconds()
    looks = row.looks + 1
    return turn.again(replace(row, looks=looks, failures=0), backoff.first_looks_delay(looks, elapsed))


def _arrived(turn: Turn[ShareRow], seen: RegistryAsset) -> ShareRow:
    """The registry holds it: ours, or a conflict."""
    row = turn.row
    source = turn.fanout.registries.source_id(row.origin, row.asset)
    if (seen.origin or "").lower() != source.lower():
        raise Permanent(
            "conflict",
            f"registry {row.registry} holds {row.asset} already, from {seen.origin or 'no workspace'}; this one is {source}",
            Owner.PUBLISHER,
            "register it under another name or version",
        )
    logs.event(log, "in the registry", share_id=row.address, asset=row.asset, registry=row.registry)
    row = row.tried(turn.now, IMPORT, "in the registry")
    return turn.again(replace(row, state=ShareState.FANNING_OUT, step="", operation=None, failures=0), 0)
