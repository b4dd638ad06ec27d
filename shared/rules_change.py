"""What an apply of rules changes, and what it needs of the store that holds them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.assets import WorkspaceId
from shared.rules import Provider, Rules
from shared.tenants import Publication, Subscription, Tenant, TenantState


class Fate(StrEnum):
    """What becomes of a tenant."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class TenantChange:
    """`details` says what of the tenant differs, a phrase each, for people."""

    tenant: str
    fate: Fate
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RulesChange:
    provider: bool
    tenants: tuple[TenantChange, ...]

    @property
    def is_empty(self) -> bool:
        return not self.provider and not self.tenants


@dataclass(frozen=True, slots=True)
class Applied:
    """`revision` is the one in force now: a new one, unless nothing changed."""

    revision: int
    change: RulesChange


@dataclass(frozen=True, slots=True)
class Revision:
    """A change that was made, when and by whom. `everything`: also what an apply that died before it had begun to write.

    Of tenants that changed by the hundred, or long ago, no more may be known than that they did.
    """

    number: int
    at: datetime
    by: str
    change: RulesChange
    everything: bool

    def concerns(self, tenant: str) -> bool:
        """Whether it changed the tenant, or may have."""
        return self.everything or any(change.tenant == tenant for change in self.change.tenants)


@dataclass(frozen=True, slots=True)
class News:
    """What is different since some revision. `everything`: so much, or so uncertain, that all is to be read again."""

    everything: bool
    provider: bool
    tenants: frozenset[str]


class ApplyLostError(Exception):
    """Another apply is at work, or came first: this one has not been announced. Look at the difference, and apply again."""


class RulesTooLargeError(Exception):
    """A tenant, or the provider, has more rules than a row can hold. Nothing was written."""


class RulesStore(Protocol):
    """Where the rules in force are kept. Each call raises Transient, or Permanent, where the store cannot be reached."""

    def load(self) -> Rules: ...

    def apply(self, provider: Provider, tenants: Sequence[Tenant], by: str, based_on: int | None = None) -> Applied:
        """Make these the rules, all of them: a tenant that is not among them is removed.

        Whole per tenant: whoever reads meanwhile, or after a crash, finds a tenant's old rules or its new ones.
        With `based_on` they are applied to that revision only. Raises ApplyLostError and RulesTooLargeError.
        """

    def apply_tenant(self, tenant: Tenant, by: str, based_on: int | None = None) -> Applied:
        """The same for one tenant's rules, new or not: the provider's and the others' are left as they are."""

    def history(self, last: int, tenant: str | None = None) -> list[Revision]:
        """The last ones, newest first: of all revisions, or of those that changed this tenant."""


def difference(before: Rules, provider: Provider, tenants: Iterable[Tenant]) -> RulesChange:
    after = {tenant.id: tenant for tenant in tenants}
    changes = (
        _tenant_change(before.tenants.get(tenant_id), after.get(tenant_id))
        for tenant_id in sorted(before.tenants.keys() | after.keys())
    )
    return RulesChange(before.provider != provider, tuple(change for change in changes if change is not None))


def _tenant_change(old: Tenant | None, new: Tenant | None) -> TenantChange | None:
    if old is None and new is not None:
        nothing = Tenant(new.id, TenantState.ACTIVE, ())
        return TenantChange(new.id, Fate.ADDED, tuple(_details(nothing, new)))
    if new is None and old is not None:
        return TenantChange(old.id, Fate.REMOVED, ())
    if old is None or new is None or old == new:
        return None
    return TenantChange(new.id, Fate.CHANGED, tuple(_details(old, new)))


def _details(old: Tenant, new: Tenant) -> Iterator[str]:
    if old.state is not new.state:
        yield f"now {new.state}"
    yield from (f"workspace {workspace.name} added" for workspace in new.workspaces if workspace not in old.workspaces)
    yield from (f"workspace {workspace.name} removed" for workspace in old.workspaces if workspace not in new.workspaces)
    yield from (
        f"workspace {workspace.name} {_region(new, workspace)}" for workspace in new.workspaces if _moved(old, new, workspace)
    )
    yield from _rule_details("publication", old.publications, new.publications)
    yield from _rule_details("subscription", old.subscriptions, new.subscriptions)


def _moved(old: Tenant, new: Tenant, workspace: WorkspaceId) -> bool:
    return workspace in old.workspaces and old.regions.get(workspace) != new.regions.get(workspace)


def _region(tenant: Tenant, workspace: WorkspaceId) -> str:
    region = tenant.regions.get(workspace)
    return f"now in {region}" if region else "without a region"


def _rule_details(word: str, old: Iterable[Publication | Subscription], new: Iterable[Publication | Subscription]) -> Iterator[str]:
    before, after = {rule.name: rule for rule in old}, {rule.name: rule for rule in new}
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"{word} {name} added"
        elif name not in after:
            yield f"{word} {name} removed"
        else:
            yield from (f"{word} {name} {how}" for how in _differences(before[name], after[name]))


def _differences(old: Publication | Subscription, new: Publication | Subscription) -> Iterator[str]:
    if old.state is not new.state:
        yield f"now {new.state}"
    if replace(old, state=new.state) != new:
        yield "changed"
