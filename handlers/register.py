"""The route `register`: the asset stands in the tenant's workspace under its own name and version.

A model's or a data asset's bytes are the registry's own (mode `reference`), or the tenant's, copied by the storage services
(mode `copy`). An environment and a component are definitions, and are put there as they are.
"""

import logging
from dataclasses import replace

from handlers.permission import claimed, delivered, unless_withdrawn
from handlers.turns import Turn
from shared import backoff, logs
from shared.actions import Mode, Register
from shared.assets import Kind, RegistryAsset, WorkspaceAsset
from shared.errors import Owner, Permanent
from shared.provenance import CHECKSUM, DELIVERY, of_delivery
from shared.rows import DeliveryRow

log = logging.getLogger("fanout.register")

REGISTER, COPY = "register", "copy"
WITH_BYTES = (Kind.MODEL, Kind.DATA)


def step(turn: Turn[DeliveryRow], action: Register) -> DeliveryRow:
    row = turn.row
    asset = turn.fanout.rows.planned_asset(row.asset, row.registry)
    first = row.cancelled_by or not row.step  # asked before anything else: it needs no workspace that answers
    if first and (withdrawn := unless_withdrawn(turn, row, asset)):
        return withdrawn
    mode = action.mode if row.asset.kind in WITH_BYTES else Mode.REFERENCE
    there = turn.fanout.workspaces.asset(row.workspace, row.asset)
    if there is None:
        if mode is Mode.COPY:
            return claimed(turn, COPY, asset, lambda claim: _copy(turn, claim, asset))
        return claimed(turn, REGISTER, asset, lambda claim: _register(turn, claim, asset, Mode.REFERENCE))
    if _is_ours(there, row) or _is_the_same(there, asset):
        checksum = there.properties.get(CHECKSUM) if _is_ours(there, row) else None
        mode = Mode.COPY if checksum else Mode.REFERENCE
        return delivered(turn, replace(row, mode=mode, copied=row.copied or checksum), asset)
    raise Permanent(
        "conflict",
        f"workspace {row.workspace.name} holds {row.asset} already, with other content ({_content(there)})",
        Owner.SUBSCRIBER,
        "archive or rename that one, or end the subscription; nothing was overwritten",
    )


def _register(
    turn: Turn[DeliveryRow], row: DeliveryRow, asset: RegistryAsset, mode: Mode, properties: dict[str, str] | None = None
) -> DeliveryRow:
    turn.fanout.workspaces.register(row.workspace, asset, of_delivery(row) | (properties or {}))
    return delivered(turn, replace(row.tried(turn.now, REGISTER, "registered"), mode=mode), asset)


def _copy(turn: Turn[DeliveryRow], row: DeliveryRow, asset: RegistryAsset) -> DeliveryRow:
    """Begin what is not there yet; register it when all is there, and the same."""
    copies = turn.fanout.copies
    source = copies.of_registry_asset(asset)
    place, uri = copies.in_workspace(row.workspace, f"{row.partition}/{row.row}/{source.name}")
    progress = copies.advance(source, place)
    if not progress.done:
        since = row.since or turn.now
        elapsed = (turn.now - since).total_seconds()
        return turn.again(replace(row, step="", since=since, looks=row.looks + 1, failures=0), backoff.poll_delay(elapsed))
    brought = f"{progress.files} files, {progress.bytes} bytes, {progress.checksum}"
    logs.event(log, "copied", delivery_id=row.address, tenant=row.tenant, files=progress.files, bytes=progress.bytes)
    row = replace(row.tried(turn.now, COPY, brought), copied=brought)
    return _register(turn, row, replace(asset, uri=uri), Mode.COPY, {CHECKSUM: progress.checksum})


def _is_ours(there: WorkspaceAsset, row: DeliveryRow) -> bool:
    """Whether this very delivery made it, in a try that did not live to write so."""
    return there.properties.get(DELIVERY) == str(row.address)


def _is_the_same(there: WorkspaceAsset, asset: RegistryAsset) -> bool:
    if asset.asset.kind in WITH_BYTES:
        return there.uri == asset.uri
    return there.definition == asset.definition


def _content(there: WorkspaceAsset) -> str:
    return there.uri.partition("?")[0] or "another definition"
