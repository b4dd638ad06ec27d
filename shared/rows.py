"""The rows: what Fanout knows of each share, each delivery, each plan and each endpoint. The row is the truth."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from shared.actions import Action, Mode
from shared.assets import Asset, RegistryAsset, WorkspaceId
from shared.errors import Reason
from shared.keys import key
from shared.secrets import without_secrets
from shared.states import DeliveryState, ShareState, State, is_final, may_follow

ATTEMPTS_KEPT = 20
COMMANDS_KEPT = 20
OPEN, CLOSED, PLANS = "o|", "c|", "plan|"


class RowKind(StrEnum):
    """Which table a wake-up looks into."""

    SHARE = "share"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a row is found, whether it is open or closed: `row` is the share's version key, or the delivery's target."""

    kind: RowKind
    partition: str
    row: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.partition}/{self.row}"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to change Azure for this row: `message` is the Service Bus sequence number of the wake-up that has it."""

    message: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    at: datetime
    step: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What shares and deliveries have in common: the protocol's own columns.

    `rev` rises with every write. `next_at` is when the row wants to be looked at.
    `step` names the change to Azure that was claimed or made last; `since` when it began, `looks` how often its end was looked for,
    `operation` where Azure tells of it: None where it gave no address. `failures` counts transient failures in a row.
    `etag` is the table's own, empty for a row never written.
    `untold`: the state is written, and its outcome event not out yet. `commands` are the ids of the last ones that changed the row.
    `renamed_from` is the asset's name at its origin, where a publication gave it another. `recall` is why it was taken back,
    and `cancelled_by` who asked for its end.
    """

    partition: str
    row: str
    rev: int = 1
    created_at: datetime
    next_at: datetime
    step: str = ""
    since: datetime | None = None
    looks: int = 0
    operation: str | None = None
    claim: Claim | None = None
    failures: int = 0
    attempts: tuple[Attempt, ...] = ()
    reason: Reason | None = None
    correlation_id: str | None = None
    untold: bool = False
    commands: tuple[str, ...] = ()
    renamed_from: str | None = None
    recall: str | None = None
    cancelled_by: str | None = None
    etag: str = field(default="", compare=False)

    def tried(self, at: datetime, step: str, outcome: str) -> Self:
        kept = (*self.attempts, Attempt(at, step, without_secrets(outcome)))[-ATTEMPTS_KEPT:]
        return replace(self, attempts=kept)

    def noted(self, at: datetime, step: str, outcome: str) -> Self:
        """The same, once for what comes again and again."""
        said = without_secrets(outcome)
        return self if self.attempts and self.attempts[-1].outcome == said else self.tried(at, step, said)

    def asked_by(self, command: str, correlation_id: str | None) -> Self:
        """The row as a command leaves it, whose message has this id, or none: then it is not known again."""
        kept = (*self.commands, command)[-COMMANDS_KEPT:] if command else self.commands
        return replace(self, commands=kept, correlation_id=correlation_id or self.correlation_id)

    def was_asked_by(self, command: str) -> bool:
        return bool(command) and command in self.commands

    def failed(self, reason: Reason) -> Self:
        """The row as a permanent failure leaves it."""
        raise NotImplementedError

    def named_at_origin(self, asset: Asset) -> Asset:
        return replace(asset, name=self.renamed_from) if self.renamed_from else asset


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow(Row):
    """One asset's way from a workspace into a registry, and the fan-out that follows.

    `asset` is named as in the registry; `rank` orders the versions of a name by when they were registered at the origin.
    `origin` is None for an asset that was made in the registry itself: it has a row once somebody pulled it.
    `environment` is the registry's id of the one that is shared along with a model. `needs`: what is waited for to be shared first.
    `fan_out` says whether subscribers are to get it; in a push, `again` that deliveries which came to nothing are opened again
    on the way, and `only`, `into` and `routes`, unless empty, to which tenants, into which workspaces and by which routes.
    """

    state: ShareState = ShareState.REQUESTED
    registry: str
    asset: Asset
    origin: WorkspaceId | None = None
    origin_tenant: str | None = None
    rank: str
    publications: tuple[str, ...]
    rules_revision: int
    environment: str | None = None
    needs: tuple[Asset, ...] = ()
    fan_out: bool = True
    again: bool = False
    only: tuple[str, ...] = ()
    into: tuple[WorkspaceId, ...] = ()
    routes: tuple[str, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        """Whether it is pushed to some of those alone who want it."""
        return bool(self.only or self.into or self.routes)

    def unnarrowed(self) -> Self:
        """The row once its push is over."""
        return replace(self, again=False, only=(), into=(), routes=())

    @staticmethod
    def address_of(registry: str, asset: Asset) -> Address:
        return Address(RowKind.SHARE, key(registry, asset.kind, asset.name), key(asset.version))

    @property
    def address(self) -> Address:
        return Address(RowKind.SHARE, self.partition, self.row)

    @property
    def source(self) -> Asset:
        """The asset as its origin names it."""
        return self.named_at_origin(self.asset)

    @property
    def home(self) -> WorkspaceId:
        """The workspace that it comes from. ValueError for what was made in the registry itself."""
        if self.origin is None:
            raise ValueError(f"{self.address}: {self.asset} came from no workspace")
        return self.origin

    def failed(self, reason: Reason) -> Self:
        return replace(self, state=ShareState.FAILED, reason=reason)


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left to do at an endpoint: these deployments are to `retire`, and `share` per cent of its traffic are then ours."""

    share: int
    retire: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow(Row):
    """One push of one asset to one target. `publication`, `subscription` and `rules_revision` say what decided it.

    A pull has no subscription. `mode` says how `register` did it, and `copied` what a copy brought: files, bytes, checksum.
    `traffic` is our deployment's share of its endpoint's, in per cent; `rest` what is left to do there if Azure ends well what
    was begun, where that was foreseen. `failing` is why it will have failed, once what it left
    behind is removed. `approved_by` is who let it go on, `done` what a recall did there.
    """

    state: DeliveryState = DeliveryState.PLANNED
    registry: str
    asset: Asset
    tenant: str
    workspace: WorkspaceId
    action: Action
    publication: str
    subscription: str
    rules_revision: int
    origin_tenant: str | None = None
    origin: WorkspaceId | None = None
    rank: str
    mode: Mode | None = None
    copied: str | None = None
    traffic: int | None = None
    rest: Rest | None = None
    failing: Reason | None = None
    approved_by: str | None = None
    done: str | None = None

    @staticmethod
    def address_of(asset: Asset, registry: str, workspace: WorkspaceId, route: str) -> Address:
        return Address(RowKind.DELIVERY, asset.key, DeliveryRow.target_key(registry, workspace, route))

    @staticmethod
    def target_key(registry: str, workspace: WorkspaceId, route: str) -> str:
        """The registry is part of the target: two may hold different assets of one name and version."""
        return key(registry, workspace.canonical, route)

    @property
    def address(self) -> Address:
        return Address(RowKind.DELIVERY, self.partition, self.row)

    @property
    def is_untouched(self) -> bool:
        """Whether this try has begun nothing. After a change that Azure refused for now `step` is empty again, `since` is not."""
        return not self.step and self.since is None

    @property
    def share(self) -> Address:
        """The share that brought the asset into the registry."""
        return ShareRow.address_of(self.registry, self.asset)

    @property
    def source(self) -> Asset:
        """The asset as its origin names it."""
        return self.named_at_origin(self.asset)

    def failed(self, reason: Reason) -> Self:
        return replace(self, state=DeliveryState.FAILED, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """How far the fan-out of one registry asset has come, and what deliveries need to know of the asset.

    `environment` is the registry's id of the environment that was shared along with a model. `recall`, once it is taken back,
    says why: from then on no delivery of it is planned.

    `cursor` is the last target whose row stands, `page_from` the one before its page: the wake-ups of that page may be unsent.
    `planned` counts the deliveries of all pages, for whoever reads the table; a fan-out that is run again counts on.
    """

    asset: RegistryAsset
    share: Address
    origin: WorkspaceId | None = None
    origin_tenant: str | None = None
    environment: str | None = None
    recall: str | None = None
    cursor: str = ""
    page_from: str = ""
    planned: int = 0
    rev: int = 0
    etag: str = field(default="", compare=False)

    @staticmethod
    def row_key(registry: str) -> str:
        return f"{PLANS}{key(registry)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRow:
    """What one endpoint of one tenant shall serve: the newest by rank. Only `claimant`, a delivery, changes the endpoint."""

    tenant: str
    workspace: WorkspaceId
    endpoint: str
    desired: Address
    rank: str
    claimant: Address | None = None
    rev: int = 0
    etag: str = field(default="", compare=False)

    @staticmethod
    def row_key(workspace: WorkspaceId, endpoint: str) -> str:
        return key(workspace.canonical, endpoint.lower())


type WorkRow = ShareRow | DeliveryRow


def deliveries_of(asset: Asset) -> Address:
    """Where all open deliveries of an asset are found."""
    return Address(RowKind.DELIVERY, asset.key, "")


def move(row: ShareRow | DeliveryRow, state: State) -> None:
    """ValueError where no step leads from the row's state to `state`."""
    if not may_follow(row.state, state):
        raise ValueError(f"{row.address}: {row.state} cannot become {state}")


def is_done(row: ShareRow | DeliveryRow) -> bool:
    """Whether nothing is left to do: it ended, and whoever listens was told."""
    return is_final(row.state) and not row.untold
