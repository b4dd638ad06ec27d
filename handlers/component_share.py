"""The share of a component, which Azure cannot share: made anew in the registry, from what it depends on there.

First what it names has its own share, or is copied; then the component itself, each reference replaced by the registry's id.
"""

import logging
from dataclasses import replace

from handlers.dependencies import closure_of, wait_for
from handlers.imports import IMPORT, importing
from handlers.turns import Turn
from shared import backoff, logs, provenance
from shared.assets import RegistryAsset, WorkspaceAsset
from shared.dependencies import Dependency, rewritten
from shared.errors import Owner, Permanent
from shared.rows import ShareRow

log = logging.getLogger("fanout.component_share")

CODE = "code"


def begin(turn: Turn[ShareRow]) -> ShareRow:
    """The next of: wait for what comes first, copy its code, make it. From the last on the row goes on as with an import."""
    row, fanout = turn.row, turn.fanout
    with fanout.fairness.admitted(row.home):
        component = fanout.workspaces.asset(row.home, row.source)
        if component is None:
            text = f"workspace {row.home} holds no {row.source} any more"
            raise Permanent("asset_not_found", text, Owner.PUBLISHER, "register it again, then retry the share")
        closure = closure_of(row, component, fanout)
    if waiting := wait_for(turn, closure.first):
        return waiting
    for code in closure.code:
        if not fanout.registries.has_code(row.registry, code.own_name):
            return _copy_code(turn, code)
    made = _in_registry(turn, component, closure.names)
    claimed = turn.claim(IMPORT)
    return importing(turn, claimed, fanout.registries.begin_component(row.registry, made), "accepted")


def _copy_code(turn: Turn[ShareRow], code: Dependency) -> ShareRow:
    """Copied by the storage services; its files are few and small, so most often within one turn."""
    copies = turn.fanout.copies
    row = turn.claim(CODE)
    place = copies.for_code(row.registry, code.own_name)
    progress = copies.advance(copies.of_code(row.home, code.arm_id), place)
    if progress.done:
        turn.fanout.registries.begin_code(row.registry, code.own_name, place)
        logs.event(log, "code copied", share_id=row.address, files=progress.files, bytes=progress.bytes)
        row = row.tried(turn.now, CODE, f"{progress.files} files, {progress.bytes} bytes, {progress.checksum}")
    after = replace(row, step="", looks=row.looks + 1, failures=0)
    return turn.again(after, backoff.first_looks_delay(row.looks, 0))


def _in_registry(turn: Turn[ShareRow], component: WorkspaceAsset, names: dict[str, str]) -> RegistryAsset:
    row = turn.row
    source = turn.fanout.registries.source_id(row.home, row.source)
    return RegistryAsset(
        asset=row.asset,
        registry=row.registry,
        uri="",
        type="",
        description=component.description,
        tags=component.tags,
        properties={**component.properties, **provenance.of_share(row, source)},
        definition=rewritten(component.definition, names, row.asset),
    )
