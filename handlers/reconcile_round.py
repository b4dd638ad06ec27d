"""One run of the reconciler, as its loops see it: what it may use, how far it may go, and what becomes of what it finds.

It changes no row of others. What it finds is mended by commands on the queue, as if somebody had sent them.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from shared import commands, logs
from shared.actions import Action
from shared.assets import Asset, Kind, WorkspaceId
from shared.errors import Permanent, Transient
from shared.keys import key
from shared.messages import BY_EVENT, Outgoing, Queue
from shared.ports import Fanout
from shared.reconciling import Finding, What
from shared.rows import Address
from shared.rules import Rules
from shared.rules_document import action_to_document
from shared.tenants import AssetPattern
from shared.wakeups import NUDGE_EVERY

log = logging.getLogger("fanout.reconcile")

BATCH = 50  # commands, of those that somebody watches being sent


@dataclass(slots=True)
class Bounds:
    """How much one run may do: what is left waits for the next one. `looks` are at a name or at what was delivered."""

    until: datetime
    looks: int

    def spent(self, now: datetime) -> bool:
        return self.looks <= 0 or now >= self.until


@dataclass
class Round:
    """`found` is told of each finding. A dry run sends nothing and writes nothing."""

    fanout: Fanout
    rules: Rules
    bounds: Bounds
    found: Callable[[Finding], None]
    dry_run: bool = False
    _told: set[Finding] = field(default_factory=set)
    _unsent: list[Outgoing] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.fanout.clock.now()

    @cached_property
    def asked_by_tags(self) -> Mapping[Kind, Sequence[AssetPattern]]:
        """What subscriptions say of tags."""
        found: dict[Kind, set[AssetPattern]] = {kind: set() for kind in Kind}
        for tenant in self.rules.tenants.values():
            for pattern in (pattern for subscription in tenant.subscriptions for pattern in subscription.assets):
                if pattern.tags:
                    found[pattern.kind].add(pattern)
        return {kind: tuple(patterns) for kind, patterns in found.items()}

    def looked(self) -> None:
        self.bounds.looks -= 1

    @property
    def spent(self) -> bool:
        return self.bounds.spent(self.now)

    def note(self, finding: Finding, command: bytes | None = None) -> None:
        """What both walks come across is told once."""
        if finding in self._told:
            return
        self._told.add(finding)
        level = logging.WARNING if finding.what is What.UNREACHABLE else logging.INFO
        logs.event(
            log, finding.what, level, asset=finding.asset, tenant=finding.tenant, workspace=finding.workspace, why=finding.why
        )
        self.found(finding)
        if command is not None:
            self.ask(command, finding.why)

    def ask(self, command: bytes, why: str = "") -> None:
        """For a command that mends several findings."""
        self._unsent.append(self._message(command, why))

    def send(self) -> None:
        """Before it is written that this was seen: what was found and not sent would never be found again."""
        if self._unsent and not self.dry_run:
            self.fanout.queues.send(Queue.COMMANDS, self._unsent)
        self._unsent.clear()

    def batches(self) -> list[list[Outgoing]]:
        """What is to be sent, for who wants to show how far that is. None in a dry run."""
        unsent = [] if self.dry_run else self._unsent
        return [unsent[start : start + BATCH] for start in range(0, len(unsent), BATCH)]

    def deliver(self, batch: Sequence[Outgoing]) -> None:
        self.fanout.queues.send(Queue.COMMANDS, batch)

    @contextmanager
    def bearing(self, what: str, tenant: str, workspace: str) -> Iterator[None]:
        """What cannot be looked at now is told, and holds up nothing else: the next walk comes by again."""
        try:
            yield
        except (Transient, Permanent) as failure:
            self.note(Finding(What.UNREACHABLE, what, tenant, workspace, str(failure)))

    def _message(self, command: bytes, why: str) -> Outgoing:
        """The same message for all runs within the queue's duplicate window, unless the rules, or the reason, are others now."""
        bucket = int(self.now.timestamp() // NUDGE_EVERY.total_seconds())
        name = key(command.decode(), why, str(self.rules.revision))
        return Outgoing(command, f"reconcile-{name}.{bucket}", properties={BY_EVENT: True})


def bounds(fanout: Fanout, longest: timedelta, looks: int) -> Bounds:
    return Bounds(fanout.clock.now() + longest, looks)


def no_bounds(fanout: Fanout) -> Bounds:
    """For who asked for all of it, and waits."""
    return bounds(fanout, timedelta(days=1), 1_000_000_000)


def boundless(fanout: Fanout, found: Callable[[Finding], None], *, dry_run: bool) -> Round:
    return Round(fanout, fanout.rules.current(), no_bounds(fanout), found, dry_run)


def share_command(workspace: WorkspaceId, asset: Asset) -> bytes:
    return commands.share_of(workspace, asset)


def push_command(
    registry: str, asset: Asset, tenants: Sequence[str], actions: Sequence[Action] = (), *, again: bool = False
) -> bytes:
    """To these tenants, by these actions or all that they want. `again`: what was cancelled is opened as well."""
    command: dict[str, object] = {"type": "push", "asset": _named(asset), "to": list(tenants), "registry": registry, "again": again}
    if actions:
        command["actions"] = [action_to_document(action) for action in actions]
    return json.dumps(command).encode()


def repair_command(delivery: Address) -> bytes:
    return json.dumps({"type": "retry", "delivery": str(delivery), "repair": True}).encode()


def _named(asset: Asset) -> dict[str, str]:
    return {"kind": asset.kind.value, "name": asset.name, "version": asset.version}
