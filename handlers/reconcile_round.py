"""One run of the reconciler, as its loops see it: what it may use, how far it may go, and what becomes of what it finds.

It changes no row of others. What it finds is mended by commands on the queue, as if somebody had sent them.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from handlers.sampling import Sample
from shared import commands, logs
from shared.actions import Action
from shared.assets import Asset, Kind, WorkspaceId
from shared.deadline import LONGEST_MESSAGE, within
from shared.errors import Lost, Permanent, Transient
from shared.keys import key
from shared.messages import BY_EVENT, Outgoing, Queue
from shared.ports import Fanout
from shared.reconciling import Finding, What
from shared.rows import Address, DeliveryRow
from shared.rules import Rules
from shared.rules_document import action_to_document
from shared.tenants import AssetPattern
from shared.wakeups import NUDGE_EVERY

log = logging.getLogger("fanout.reconcile")

MOST_DRIFT = 200  # looks of a run at what was delivered, a call each
BATCH = 50  # commands, of those that somebody watches being sent


@dataclass(slots=True)
class Bounds:
    """How much one run may do: what is left waits for the next one.

    `looks` are at names. `drift` are looks at what was delivered, None for all of it: a number of its own, so that many deliveries
    keep nothing else waiting.
    """

    until: datetime
    looks: int
    drift: int | None = MOST_DRIFT

    def half(self, now: datetime) -> "Bounds":
        return replace(self, until=now + (self.until - now) / 2, looks=max(self.looks // 2, 1))


@dataclass
class Round:
    """`found` is told of each finding, `alive` before each look that the run goes on. A dry run sends and writes nothing.

    `thorough`: somebody waits for all that differs now, also for what was asked for already or would be refused. What is new in
    the rules came `after` that time; None where nobody knows.
    """

    fanout: Fanout
    rules: Rules
    bounds: Bounds
    found: Callable[[Finding], None]
    dry_run: bool = False
    thorough: bool = False
    after: datetime | None = None
    alive: Callable[[], None] = lambda: None
    chosen: Sample[DeliveryRow] = field(init=False)
    _told: set[Finding] = field(default_factory=set)
    _unsent: list[Outgoing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chosen = Sample(self.bounds.drift or 0)

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
        self.alive()

    @property
    def spent(self) -> bool:
        """Whether no further name is to be begun."""
        return self.bounds.looks <= 0 or self.now >= self.bounds.until

    @contextmanager
    def by_half(self) -> Iterator[None]:
        """What is done inside leaves half of what the run may use to what comes after it."""
        whole, half = self.bounds, self.bounds.half(self.now)
        looks = half.looks
        self.bounds = half
        yield
        whole.looks -= looks - half.looks
        self.bounds = whole

    def note(self, finding: Finding, command: bytes | None = None) -> None:
        """What both walks come across is told once."""
        if finding in self._told:
            return
        self._told.add(finding)
        level = logging.WARNING if finding.what in (What.UNREACHABLE, What.REFUSED) else logging.INFO
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
        """What cannot be looked at in time is told, and holds up nothing else: the next walk comes by again."""
        try:
            with within(LONGEST_MESSAGE):
                yield
        except Lost:
            raise
        except (Transient, Permanent) as failure:
            self.note(Finding(What.UNREACHABLE, what, tenant, workspace, str(failure)))
        except Exception as fault:  # noqa: BLE001 # ours: raised, it would keep all that is behind it from being looked at
            self.note(Finding(What.UNREACHABLE, what, tenant, workspace, f"unexpected: {fault!r}"))

    def _message(self, command: bytes, why: str) -> Outgoing:
        """The same message for all runs within the queue's duplicate window, unless the rules, or the reason, are others now."""
        bucket = int(self.now.timestamp() // NUDGE_EVERY.total_seconds())
        name = key(command.decode(), why, str(self.rules.revision))
        return Outgoing(command, f"reconcile-{name}.{bucket}", properties={BY_EVENT: True})


def bounds(fanout: Fanout, longest: timedelta, looks: int) -> Bounds:
    return Bounds(fanout.clock.now() + longest, looks)


def no_bounds(fanout: Fanout) -> Bounds:
    """For who asked for all of it, and waits."""
    return replace(bounds(fanout, timedelta(days=1), 1_000_000_000), drift=None)


def boundless(fanout: Fanout, found: Callable[[Finding], None], *, dry_run: bool) -> Round:
    return Round(fanout, fanout.rules.current(), no_bounds(fanout), found, dry_run, thorough=True)


def share_command(workspace: WorkspaceId, asset: Asset) -> bytes:
    return commands.share_of(workspace, asset)


def push_command(
    registry: str, asset: Asset, tenants: Sequence[str], into: Sequence[WorkspaceId], action: Action | None, *, again: bool
) -> bytes:
    """To these tenants, into these workspaces, by one action or all that they want. `again`: what was cancelled is opened too."""
    command: dict[str, object] = {"type": "push", "asset": asset.document, "registry": registry, "again": again}
    command |= {"to": list(tenants), "into": list(map(str, into))}
    if action:
        command["actions"] = [action_to_document(action)]
    return json.dumps(command).encode()


def repair_command(delivery: Address) -> bytes:
    return json.dumps({"type": "retry", "delivery": str(delivery), "repair": True}).encode()
