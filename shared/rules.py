"""What the provider allows and what each tenant lets out and takes in: the values that planning decides on.

A tenant is named by its id, a group by its name in the provider's `groups`; `EVERYONE` stands for all tenants.
Rules are checked before they get here (see `shared.rules_file`), so these are plain values.
"""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import timedelta
from enum import StrEnum

from shared.assets import Kind, WorkspaceId
from shared.rules_index import RulesIndex

EVERYONE = "*"


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


class Mode(StrEnum):
    """Whose bytes a registered model or data asset stands for. Environments and components are definitions, and have none."""

    REFERENCE = "reference"  # the registry's
    COPY = "copy"  # the tenant's own, copied by the storage services


@dataclass(frozen=True, slots=True)
class Register:
    """Register the asset in the workspace."""

    mode: Mode = Mode.REFERENCE

    @property
    def route(self) -> str:
        return "register"


@dataclass(frozen=True, slots=True)
class Scoring:
    """How a model that is no MLflow model is scored: by ids, of a registry (azureml://registries/…) or of the workspace.

    `environment` None: the one that the model's publication named, and that was shared with it.
    """

    code: str
    script: str
    environment: str | None = None


class AuthMode(StrEnum):
    """Who may call an online endpoint: whoever has its key, or a token of Azure ML's or of Entra's."""

    KEY = "key"
    AML_TOKEN = "aml_token"  # noqa: S105 # the name of a way to authenticate, no secret
    AAD_TOKEN = "aad_token"  # noqa: S105 # likewise


@dataclass(frozen=True, slots=True)
class OnlineEndpoint:
    """Deploy a model to a managed online endpoint. `traffic`: its share in per cent, step by step, the last one 100.

    `keep`: how many of our earlier deployments stay without traffic, for a quick way back. `adopt`: also onto an endpoint
    that the tenant made. `sample_request`: JSON that the new deployment must answer before it gets any traffic.
    """

    name: str
    instance_type: str
    instance_count: int
    traffic: tuple[int, ...]
    auth_mode: AuthMode = AuthMode.KEY
    keep: int = 1
    adopt: bool = False
    sample_request: str | None = None
    scoring: Scoring | None = None

    @property
    def route(self) -> str:
        return f"online_endpoint/{self.name.lower()}"  # Azure compares resource names without regard to case


@dataclass(frozen=True, slots=True)
class BatchEndpoint:
    """Deploy a model to a batch endpoint, as its default deployment. `compute` is the name of one in the workspace."""

    name: str
    compute: str
    instance_count: int = 1
    keep: int = 1
    adopt: bool = False
    scoring: Scoring | None = None

    @property
    def route(self) -> str:
        return f"batch_endpoint/{self.name.lower()}"


type Endpoint = OnlineEndpoint | BatchEndpoint
type Action = Register | OnlineEndpoint | BatchEndpoint
"""What a push does in the workspace. Its `route` and the workspace make the target: one delivery of an asset each."""


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
