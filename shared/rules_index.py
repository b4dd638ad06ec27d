"""Finds, without a look at every tenant, whom a workspace belongs to and who might want an asset.

By whom a subscription names as publishers, and by how the names that it wants begin. What is found is a choice to look
through, never an answer: kinds, wildcards and tags are not in here. Of 100,000 subscriptions (`python -m tests.bench planning`)
it leaves those few whose globs are worth a match.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from shared.assets import WorkspaceId
from shared.tenants import Tenant

type Interest = tuple[str, str]
"""A tenant, a group or everyone, as a subscription names it, and how a name that it wants begins."""

_LITERAL = re.compile(r"[A-Za-z0-9._-]*")  # what a glob says by itself, see shared.rules_words.Glob


class RulesIndex:
    """A value: a change makes another one, and costs no look at the tenants that stay as they are."""

    __slots__ = ("_tenants",)

    def __init__(self, tenants: Mapping[WorkspaceId | Interest, tuple[str, ...]]) -> None:
        self._tenants = tenants  # their ids, by each key that leads to them

    @classmethod
    def of(cls, tenants: Iterable[Tenant]) -> Self:
        found: dict[WorkspaceId | Interest, list[str]] = {}
        for tenant in tenants:
            for key in _keys(tenant):
                found.setdefault(key, []).append(tenant.id)
        return cls({key: tuple(ids) for key, ids in found.items()})

    def changed(self, old: Iterable[Tenant], new: Iterable[Tenant]) -> Self:
        """The same where some tenants were replaced, came or went."""
        before = {(key, tenant.id) for tenant in old for key in _keys(tenant)}
        after = {(key, tenant.id) for tenant in new for key in _keys(tenant)}
        found = dict(self._tenants)
        for key, tenant_id in before - after:
            found[key] = tuple(each for each in found[key] if each != tenant_id)
            if not found[key]:
                del found[key]
        for key, tenant_id in after - before:
            found[key] = (*found.get(key, ()), tenant_id)
        return type(self)(found)

    def owner(self, workspace: WorkspaceId) -> str | None:
        """Of several, as there can be in the middle of an apply, always the same one."""
        return min(self._tenants.get(workspace, ()), default=None)

    def interested(self, parties: Iterable[str], name: str) -> set[str]:
        """All who have a subscription that names one of the parties, and a glob that the name could match."""
        beginnings = [name[:length] for length in range(len(name) + 1)]
        return {tenant for party in parties for beginning in beginnings for tenant in self._tenants.get((party, beginning), ())}


def _keys(tenant: Tenant) -> Iterator[WorkspaceId | Interest]:
    """Each once."""
    yield from dict.fromkeys(tenant.workspaces)
    yield from {
        (party, _beginning(pattern.name))
        for subscription in tenant.subscriptions
        for party in subscription.from_tenants
        for pattern in subscription.assets
    }


def _beginning(glob: str) -> str:
    """Up to the first wildcard."""
    literal = _LITERAL.match(glob)
    return literal[0] if literal else ""
