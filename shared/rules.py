"""All rules in force: what the provider allows, and what each tenant lets out and takes in. Planning decides on these values.

Rules are checked before they get here (see `shared.rules_file`), so these are plain values.
"""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

from shared.assets import Kind, WorkspaceId
from shared.rules_index import RulesIndex
from shared.tenants import Tenant

EVERYONE = "*"


@dataclass(frozen=True, slots=True)
class RegistryRule:
    """A registry that publications may use, and who can read it in Azure: tenants, groups or `EVERYONE`.

    `regions` are all that it replicates to; empty where the rules do not state them.
    """

    name: str
    readers: tuple[str, ...]
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a subscription may ask for at most. The default allows no endpoint, and every registry and kind (None)."""

    instance_types: tuple[str, ...] = ()
    max_instances: int = 0
    registries: tuple[str, ...] | None = None
    kinds: tuple[Kind, ...] | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    registries: tuple[RegistryRule, ...] = ()
    limits: Limits = Limits()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    entra_tenant: str | None = None

    def registry(self, name: str) -> RegistryRule | None:
        return next((registry for registry in self.registries if registry.name == name), None)

    def includes(self, names: tuple[str, ...], tenant: str) -> bool:
        """Whether one of the names stands for the tenant: its id, a group that it is in, or `EVERYONE`."""
        return any(name in (EVERYONE, tenant) or tenant in self.groups.get(name, ()) for name in names)

    def names_of(self, tenant: str) -> set[str]:
        """All that rules can call the tenant by."""
        return {EVERYONE, tenant, *(group for group, members in self.groups.items() if tenant in members)}


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules in force. `revision` is the number of the change that made them; 0 before the first."""

    provider: Provider
    tenants: Mapping[str, Tenant]
    revision: int
    index: InitVar[RulesIndex | None] = None
    _index: RulesIndex = field(init=False, repr=False, compare=False)

    def __post_init__(self, index: RulesIndex | None) -> None:
        object.__setattr__(self, "_index", index or RulesIndex.of(self.tenants.values()))

    def changed(self, provider: Provider, tenants: Mapping[str, Tenant | None], revision: int) -> "Rules":
        """The rules of a later revision, which gave these tenants other rules; None for one that it removed."""
        after = {tenant_id: tenant for tenant_id, tenant in {**self.tenants, **tenants}.items() if tenant is not None}
        old = [self.tenants[tenant_id] for tenant_id in tenants if tenant_id in self.tenants]
        return Rules(provider, after, revision, self._index.changed(old, filter(None, tenants.values())))

    def tenant(self, tenant_id: str) -> Tenant | None:
        return self.tenants.get(tenant_id)

    def tenant_of(self, workspace: WorkspaceId) -> Tenant | None:
        owner = self._index.owner(workspace)
        return None if owner is None else self.tenants[owner]

    def who_might_want(self, name: str, publisher: str) -> set[str]:
        """The ids of all tenants with a subscription about the publisher's assets of this name, and of some others."""
        return self._index.interested(self.provider.names_of(publisher), name)
