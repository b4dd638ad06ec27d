"""What an apply of rules changes, and what it needs of the store that holds them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.rules import Provider, Publication, Rules, Subscription, Tenant, TenantState


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
class News:
    """What is different since some revision. `everything`: so much, or so uncertain, that all is to be read again."""

    everything: bool
    provider: bool
    tenants: frozenset[str]


class ApplyLostError(Exception):
    """Another apply is at work, or came first: this one has not been announced. Look at the difference, and apply again."""


class RulesTooLargeError(Exception):
    """A tenant has more rules than its row can hold. Nothing was written."""


class RulesStore(Protocol):
    """Where the rules in force are kept. Each call raises Transient, or Permanent, where the store cannot be reached."""

    def load(self) -> Rules: ...

    def apply(self, provider: Provider, tenants: Sequence[Tenant], by: str, based_on: int | None = None) -> Applied:
        """Make these the rules, all of them: a tenant that is not among them is removed.

        Whole per tenant: whoever reads meanwhile, or after a crash, finds a tenant's old rules or its new ones.
        With `based_on` they are applied to that revision only. Raises ApplyLostError and RulesTooLargeError.
        """


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
    yield from _rule_details("publication", old.publications, new.publications)
    yield from _rule_details("subscription", old.subscriptions, new.subscriptions)


def _rule_details(word: str, old: Iterable[Publication | Subscription], new: Iterable[Publication | Subscription]) -> Iterator[str]:
    before, after = {rule.name: rule for rule in old}, {rule.name: rule for rule in new}
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"{word} {name} added"
        elif name not in after:
            yield f"{word} {name} removed"
        elif before[name] != after[name]:
            yield f"{word} {name} changed"
