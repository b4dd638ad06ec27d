"""One step of a share: requested → importing → fanning_out → shared, or failed; and when it is taken back, recalling → recalled."""

import logging
from dataclasses import replace
from datetime import timedelta

from handlers import component_share, recall
from handlers.dependencies import environment_of, wait_for, wait_on
from handlers.fan_out import fan_out, plan_of
from handlers.imports import IMPORT, IMPORT_TIMEOUT, importing
from handlers.turns import Turn
from shared import backoff, logs, provenance
from shared.assets import Kind, RegistryAsset
from shared.azure_ml_ports import OperationState
from shared.errors import Owner, Permanent
from shared.rows import ShareRow
from shared.states import ShareState

log = logging.getLogger("fanout.shares")

LABEL = "label"
ASK_AGAIN_AFTER = timedelta(seconds=60)  # an import whose acceptance is unknown is looked for so long, then begun anew


def step(turn: Turn[ShareRow]) -> ShareRow:
    """Permanent `cancelled` where a command asked for its end; deliveries that were planned by then go on."""
    if turn.row.cancelled_by:
        return _cancelled(turn, turn.row.cancelled_by)
    match turn.row.state:
        case ShareState.REQUESTED:
            return _begin(turn)
        case ShareState.IMPORTING:
            return _look(turn)
        case ShareState.FANNING_OUT:
            return fan_out(turn)
        case ShareState.RECALLING:
            return recall.step(turn)
        case ShareState.SHARED | ShareState.FAILED | ShareState.RECALLED:
            return turn.row


def _cancelled(turn: Turn[ShareRow], by: str) -> ShareRow:
    """What is in the registry stays shared: the end is that of the fan-out. Who was to get it by then waits for a push to all."""
    row = turn.row
    if row.state is not ShareState.FANNING_OUT:
        raise Permanent("cancelled", f"cancelled by {by}", Owner.PROVIDER, "retry the share, if it is wanted after all")
    row = row.tried(turn.now, "fan out", f"cancelled by {by}")
    return replace(row.unnarrowed(), state=ShareState.SHARED, cancelled_by=None, fan_out=row.fan_out and row.is_narrowed)


def _begin(turn: Turn[ShareRow]) -> ShareRow:
    row = turn.row
    if waiting := wait_on(turn):
        return waiting
    environment, first = environment_of(row, turn.fanout)
    if waiting := wait_for(turn, first):
        return waiting
    row = replace(row, environment=environment)
    if seen := turn.fanout.registries.asset(row.registry, row.asset):
        return _arrived(turn, row, seen)
    if row.step == IMPORT:  # claimed before, and nobody lived to see its answer
        return importing(turn, row, None, "may have been accepted")
    if row.asset.kind is Kind.COMPONENT:
        return component_share.begin(turn)
    row = replace(turn.claim(IMPORT), environment=environment)
    operation = turn.fanout.registries.begin_import(row.registry, row.asset, row.home, row.source)
    return importing(turn, row, operation, "accepted" if operation else "is under way already")


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
        return _arrived(turn, row, seen)
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


def _arrived(turn: Turn[ShareRow], row: ShareRow, seen: RegistryAsset) -> ShareRow:
    """The registry holds it: ours, or a conflict. `seen` is what its deliveries will be made of."""
    source = turn.fanout.registries.source_id(row.home, row.source)
    origin = seen.origin or seen.properties.get(provenance.ORIGIN)
    if (origin or "").lower() != source.lower():
        raise Permanent(
            "conflict",
            f"registry {row.registry} holds {row.asset} already, from {origin or 'no workspace'}; this one is {source}",
            Owner.PUBLISHER,
            "register it under another name or version",
        )
    logs.event(log, "in the registry", share_id=row.address, asset=row.asset, registry=row.registry)
    label = provenance.of_share(row, source)
    labelled = _labelled(turn, seen, label).tried(turn.now, IMPORT, "in the registry")
    row = replace(labelled, environment=row.environment)
    plan_of(row, turn.fanout, replace(seen, tags={**seen.tags, **label}))
    return turn.again(replace(row, state=ShareState.FANNING_OUT, step="", operation=None, failures=0), 0)


def _labelled(turn: Turn[ShareRow], seen: RegistryAsset, tags: dict[str, str]) -> ShareRow:
    """Its provenance, which an import can not bring, in its tags: of a version that stands Azure lets nothing else be changed.

    A registry that refuses them keeps the asset all the same, and the row says so.
    """
    if tags.items() <= {**seen.tags, **seen.properties}.items():
        return turn.row
    row = turn.claim(LABEL)
    try:
        turn.fanout.registries.begin_update(seen, tags)
    except Permanent as refused:
        logs.event(log, "not labelled", logging.WARNING, share_id=row.address, reason=refused.reason)
        return row.tried(turn.now, LABEL, str(refused.reason))
    return row
