"""The rows: what Fanout knows of each share, each delivery, each plan and each endpoint. The row is the truth."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from shared.assets import Asset, RegistryAsset, WorkspaceId
from shared.errors import Reason
from shared.keys import key
from shared.rules import Action
from shared.secrets import without_secrets
from shared.states import DeliveryState, ShareState, State, may_follow

ATTEMPTS_KEPT = 20
OPEN, CLOSED = "o|", "c|"


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
    `step` names the change to Azure that was claimed or made last; `since` when it began, `looks` how often its end was looked for.
    `failures` counts transient failures in a row. `etag` is the table's own, empty for a row never written.
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
    etag: str = field(default="", compare=False)

    def tried(self, at: datetime, step: str, outcome: str) -> Self:
        kept = (*self.attempts, Attempt(at, step, without_secrets(outcome)))[-ATTEMPTS_KEPT:]
        return replace(self, attempts=kept)

    def failed(self, reason: Reason) -> Self:
        """The row as a permanent failure leaves it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow(Row):
    """One asset's way from a workspace into a registry, and the fan-out that follows.

    `asset` is named as in the registry; `rank` orders the versions of a name by when they were registered at the origin.
    """

    state: ShareState = ShareState.REQUESTED
    registry: str
    asset: Asset
    origin: WorkspaceId
    origin_tenant: str
    rank: str
    publications: tuple[str, ...]
    rules_revision: int

    @staticmethod
    def address_of(registry: str, asset: Asset) -> Address:
        return Address(RowKind.SHARE, key(registry, asset.kind, asset.name), key(asset.version))

    @property
    def address(self) -> Address:
        return Address(RowKind.SHARE, self.partition, self.row)

    def failed(self, reason: Reason) -> Self:
        return replace(self, state=ShareState.FAILED, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow(Row):
    """One push of one asset to one target. `publication`, `subscription` and `rules_revision` say what decided it.

    `mode` says how `register` did it: "reference", the registry's own bytes.
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
    origin_tenant: str
    origin: WorkspaceId
    rank: str
    mode: str | None = None

    @staticmethod
    def address_of(asset: Asset, registry: str, workspace: WorkspaceId, route: str) -> Address:
        """The registry is part of the target: two may hold different assets of one name and version."""
        return Address(RowKind.DELIVERY, asset.key, key(registry, workspace.canonical, route))

    @property
    def address(self) -> Address:
        return Address(RowKind.DELIVERY, self.partition, self.row)

    def failed(self, reason: Reason) -> Self:
        return replace(self, state=DeliveryState.FAILED, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """How far the fan-out of one registry asset has come, and what deliveries need to know of the asset.

    `cursor` is the last target whose row stands, `page_from` the one before its page: the wake-ups of that page may be unsent.
    """

    asset: RegistryAsset
    share: Address
    origin: WorkspaceId
    origin_tenant: str
    cursor: str = ""
    page_from: str = ""
    planned: int = 0
    rev: int = 0
    etag: str = field(default="", compare=False)

    @staticmethod
    def row_key(registry: str) -> str:
        return f"plan|{key(registry)}"


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


def move(row: ShareRow | DeliveryRow, state: State) -> None:
    """ValueError where the row's state may not become `state`."""
    if not may_follow(row.state, state):
        raise ValueError(f"{row.address}: {row.state} cannot become {state}")
