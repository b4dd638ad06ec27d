"""What each tenant lets out and takes in.

A tenant is named by its id, a group by its name in the provider's `groups`; `shared.rules.EVERYONE` stands for all tenants.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from shared.actions import Action
from shared.assets import Kind, WorkspaceId


class TenantState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"


class RuleState(StrEnum):
    """Of a single publication or subscription."""

    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class TagCondition:
    """What a tag must be: one of some values, or with `one_of` None merely present."""

    tag: str
    one_of: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AssetPattern:
    """Which assets a rule is about. `name` and `except_` are globs, see `shared.globs`; all `tags` must hold."""

    kind: Kind
    name: str
    except_: tuple[str, ...] = ()
    tags: tuple[TagCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Publication:
    """What may leave a tenant's workspaces (`workspaces` empty: all of them), through which registry, and `to` whom.

    `advisory`: the tenant knows that more tenants can read the registry than `to` names. `rename`: the name in the registry,
    a pattern with `{tenant}` and `{name}`; None keeps it (`as` in the file). `regions`, unless empty: a registry that
    replicates beyond them is refused. `environment`: `name:version` of the publisher's, shared along with each model.
    """

    name: str
    registry: str
    assets: tuple[AssetPattern, ...]
    to: tuple[str, ...]
    workspaces: tuple[WorkspaceId, ...] = ()
    advisory: bool = False
    rename: str | None = None
    regions: tuple[str, ...] = ()
    environment: str | None = None
    state: RuleState = RuleState.ACTIVE

    @property
    def active(self) -> bool:
        return self.state is RuleState.ACTIVE

    def name_in_registry(self, tenant: str, name: str) -> str:
        return self.rename.replace("{tenant}", tenant).replace("{name}", name) if self.rename else name

    def forbidden(self, regions: Iterable[str]) -> list[str]:
        """Those of a registry's regions that it may not replicate to."""
        return [region for region in regions if region not in self.regions] if self.regions else []


class Approver(StrEnum):
    """Whose approval a delivery waits for."""

    PROVIDER = "provider"
    SUBSCRIBER = "subscriber"


@dataclass(frozen=True, slots=True)
class Window:
    """When deliveries may begin: from each time that `cron` names, by the clocks of `timezone`, `open_for` so long.

    `cron` has five fields, `timezone` is a name of the IANA database. See `shared.windows`.
    """

    cron: str
    open_for: timedelta
    timezone: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a tenant wants, from whom, `into` which of its workspaces, and what is done with it there.

    A delivery waits for the approval or the window, if there is one; there are never both.
    """

    name: str
    from_tenants: tuple[str, ...]
    assets: tuple[AssetPattern, ...]
    into: WorkspaceId
    actions: tuple[Action, ...]
    approval: Approver | None = None
    window: Window | None = None
    state: RuleState = RuleState.ACTIVE

    @property
    def active(self) -> bool:
        return self.state is RuleState.ACTIVE


@dataclass(frozen=True, slots=True)
class Tenant:
    """`regions`: where those workspaces lie whose region the rules state."""

    id: str
    state: TenantState
    workspaces: tuple[WorkspaceId, ...]
    publications: tuple[Publication, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    regions: Mapping[WorkspaceId, str] = field(default_factory=dict, hash=False)

    @property
    def active(self) -> bool:
        return self.state is TenantState.ACTIVE
