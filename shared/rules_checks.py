"""What rules must be towards each other, beyond the form of each: found before they are applied, and all at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shared.assets import WorkspaceId
from shared.marked_yaml import Path
from shared.outcomes import PROVIDER
from shared.rules import EVERYONE, Provider, RegistryRule
from shared.rules_action_checks import check_action
from shared.rules_findings import Finding
from shared.rules_name_checks import check_names, check_patterns
from shared.rules_region_checks import check_regions
from shared.tenants import Publication, Subscription, Tenant


@dataclass(frozen=True, slots=True)
class Known:
    """What a rule may refer to. `provider` None: its file is unreadable, so nothing that refers to it can be checked.

    `tenants` has also those whose own files are wrong, so that one mistake is reported once.
    """

    provider: Provider | None
    tenants: frozenset[str]

    def lacks(self, party: str) -> bool:
        known = party == EVERYONE or party in self.tenants
        return not known and self.provider is not None and party not in self.provider.groups


def check_provider(file: str, provider: Provider, known: Known) -> Iterator[Finding]:
    yield from _repeated(file, ("registries",), (registry.name for registry in provider.registries))
    for place, registry in enumerate(provider.registries):
        yield from _unknown_parties(file, ("registries", place, "readers"), registry.readers, known)
    for place, name in enumerate(provider.limits.registries or ()):
        if provider.registry(name) is None:
            yield Finding(file, ("limits", "registries", place), f"there is no registry {name!r}", "name one of `registries`")
    for group, members in provider.groups.items():
        if group in known.tenants:
            yield Finding(file, ("groups", group), f"{group!r} is a tenant too", "give the group another name")
        for place, member in enumerate(members):
            if member not in known.tenants:
                yield Finding(file, ("groups", group, place), f"there is no tenant {member!r}", "name a tenant's id")


def check_tenants(tenants: Mapping[str, Tenant], known: Known) -> Iterator[Finding]:
    """`tenants` by the file that each stands in."""
    yield from check_owners(tenants)
    for file, tenant in tenants.items():
        yield from check_tenant(file, tenant, known)


def check_tenant(file: str, tenant: Tenant, known: Known) -> Iterator[Finding]:
    if tenant.id == PROVIDER:
        yield Finding(file, ("id",), f"{PROVIDER!r} stands for the provider in outcome events", "give the tenant another id")
    yield from _repeated(file, ("publications",), (publication.name for publication in tenant.publications))
    yield from _repeated(file, ("subscriptions",), (subscription.name for subscription in tenant.subscriptions))
    for place, publication in enumerate(tenant.publications):
        yield from _publication(file, ("publications", place), publication, tenant, known)
    for place, subscription in enumerate(tenant.subscriptions):
        yield from _subscription(file, ("subscriptions", place), subscription, tenant, known)


def check_owners(tenants: Mapping[str, Tenant]) -> Iterator[Finding]:
    """That each id, and each workspace, is of one tenant: the later one of two is found."""
    named: dict[str, str] = {}
    owned: dict[WorkspaceId, str] = {}
    for file, tenant in tenants.items():
        if named.setdefault(tenant.id, file) != file:
            yield Finding(file, ("id",), f"{tenant.id!r} is the tenant of {named[tenant.id]} too", "keep one of the files")
        for place, workspace in enumerate(tenant.workspaces):
            if workspace in owned:
                what = f"{workspace.name} stands in {owned[workspace]} already"
                yield Finding(file, ("workspaces", place), what, "a workspace belongs to one tenant: remove it here or there")
            owned.setdefault(workspace, file)


def _publication(file: str, path: Path, publication: Publication, tenant: Tenant, known: Known) -> Iterator[Finding]:
    yield from _unknown_parties(file, (*path, "to"), publication.to, known)
    for place, workspace in enumerate(publication.workspaces):
        if workspace not in tenant.workspaces:
            yield _not_own(file, (*path, "workspaces", place), workspace, tenant)
    yield from check_patterns(file, path, publication.assets)
    yield from check_names(file, path, publication, tenant)
    if known.provider is None:
        return
    registry = known.provider.registry(publication.registry)
    if registry is None:
        names = ", ".join(registry.name for registry in known.provider.registries) or "none yet"
        remedy = f"name one of provider.yaml's registries ({names}), or add it there"
        yield Finding(file, (*path, "registry"), f"there is no registry {publication.registry!r}", remedy)
        return
    yield from check_regions(file, path, publication, registry, tenant)
    if not publication.advisory and _is_narrower(publication, registry, tenant, known.provider, known.tenants):
        what = f"more tenants can read registry {registry.name} in Azure than `to` names"
        remedy = "publish through a registry with fewer readers, or write `advisory: true` to accept it"
        yield Finding(file, (*path, "to"), what, remedy)


def _is_narrower(
    publication: Publication, registry: RegistryRule, tenant: Tenant, provider: Provider, tenants: Iterable[str]
) -> bool:
    if EVERYONE in publication.to:
        return False
    readers = {reader for reader in tenants if provider.includes(registry.readers, reader)} - {tenant.id}
    return EVERYONE in registry.readers or not all(provider.includes(publication.to, reader) for reader in readers)


def _subscription(file: str, path: Path, subscription: Subscription, tenant: Tenant, known: Known) -> Iterator[Finding]:
    yield from _unknown_parties(file, (*path, "from"), subscription.from_tenants, known)
    if subscription.into not in tenant.workspaces:
        yield _not_own(file, (*path, "into"), subscription.into, tenant)
    yield from _repeated(file, (*path, "actions"), (action.route for action in subscription.actions), name=None)
    limits = known.provider.limits if known.provider else None
    yield from check_patterns(file, path, subscription.assets)
    allowed_kinds = limits.kinds if limits else None
    for place, pattern in enumerate(subscription.assets):
        if allowed_kinds is not None and pattern.kind not in allowed_kinds:
            what = f"the provider's limits leave out assets of kind {pattern.kind}"
            yield Finding(file, (*path, "assets", place, "kind"), what, "remove the pattern, or have the provider raise its limits")
    for place, action in enumerate(subscription.actions):
        yield from check_action(file, (*path, "actions", place), action, subscription, limits)


def _unknown_parties(file: str, path: Path, parties: Iterable[str], known: Known) -> Iterator[Finding]:
    for place, party in enumerate(parties):
        if known.lacks(party):
            yield Finding(file, (*path, place), f"there is no tenant or group {party!r}", "name a tenant's id or a group")


def _not_own(file: str, path: Path, workspace: WorkspaceId, tenant: Tenant) -> Finding:
    return Finding(file, path, f"{workspace} is not one of {tenant.id}'s workspaces", "name one of them, or add it to them")


def _repeated(file: str, path: Path, names: Iterable[str], name: str | None = "name") -> Iterator[Finding]:
    seen: set[str] = set()
    for place, found in enumerate(names):
        if found in seen:
            here: Path = (*path, place, name) if name else (*path, place)
            yield Finding(file, here, f"{found!r} stands here twice", "remove one, or name it differently")
        seen.add(found)
