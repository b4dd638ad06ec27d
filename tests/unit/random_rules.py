"""Random rules over a small world: hypothesis strategies.

A yes needs a dozen things to fit, so what fits everything comes first and often; else hardly any example has a delivery.
"""

from dataclasses import replace
from datetime import timedelta
from functools import cache

from hypothesis import strategies as st

from shared.actions import Action, AuthMode, BatchEndpoint, Mode, OnlineEndpoint, Register, Scoring
from shared.assets import Asset, Kind, WorkspaceId
from shared.planning import SharedAsset
from shared.rules import Limits, Provider, RegistryRule, Rules
from shared.tenants import Approver, AssetPattern, Publication, RuleState, Subscription, TagCondition, Tenant, TenantState, Window

TENANTS = ("fabrikam", "northwind", "tailwind")
GROUPS = ("banks", "shops")
REGISTRIES = ("contoso-hub", "contoso-inner")
REGIONS = ("westeurope", "eastus2")
INSTANCE_TYPES = ("Standard_DS3_v2", "Standard_F4s_v2")
PARTIES = ("*", "*", "*", *TENANTS, *GROUPS)


def workspace(name: str) -> WorkspaceId:
    return WorkspaceId("11111111-1111-1111-1111-111111111111", "rg-tenants", name)


WORKSPACES = tuple(workspace(f"workspace{number}") for number in range(1, 5))


def _some[T](values: st.SearchStrategy[T], least: int = 0, most: int = 2) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(values, min_size=least, max_size=most).map(tuple)


_values = st.sampled_from(["production", "draft", "present"])
_tag_names = st.sampled_from(["stage", "area"])
_conditions = st.builds(TagCondition, _tag_names, st.none() | _some(_values, least=1))
_tags = st.lists(_conditions, max_size=2, unique_by=lambda condition: condition.tag).map(tuple)
_globs = st.sampled_from(["*", "*", "card-*", "card-?", "card-1", "{card,bert}-*"])

patterns = st.builds(
    AssetPattern,
    kind=st.sampled_from([Kind.MODEL, Kind.MODEL, Kind.MODEL, Kind.DATA, Kind.ENVIRONMENT]),
    name=_globs,
    except_=st.sampled_from([(), (), (), ("*-draft",), ("card-?", "*-draft")]),
    tags=st.just(()) | st.just(()) | _tags,
)
SCORINGS = (
    Scoring("azureml://registries/contoso-hub/codes/score/versions/1", "score.py"),
    Scoring(
        f"{WORKSPACES[0]}/codes/score/versions/1", "src/score.py", "azureml://registries/azureml/environments/mlflow/versions/36"
    ),
)
SAMPLE = '{"input_data": [[1, 2]]}'
_registers = st.sampled_from([Register(), Register(), Register(Mode.COPY)])
_online_endpoints = st.builds(
    replace,
    st.sampled_from(
        [
            OnlineEndpoint("cards", INSTANCE_TYPES[0], 1, (100,)),
            OnlineEndpoint("Cards", INSTANCE_TYPES[0], 1, (5, 50, 100), AuthMode.AAD_TOKEN, 18, adopt=True, scoring=SCORINGS[1]),
            OnlineEndpoint("bert-live", INSTANCE_TYPES[1], 1, (10, 100), AuthMode.AML_TOKEN, 0, sample_request=SAMPLE),
        ]
    ),
    instance_count=st.integers(1, 4),
)
_batch_endpoints = st.builds(
    replace,
    st.sampled_from(
        [
            BatchEndpoint("cards", "cpu-cluster"),
            BatchEndpoint("Cards", "cpu-cluster", keep=0, adopt=True, scoring=SCORINGS[0]),
        ]
    ),
    instance_count=st.integers(1, 4),
)
actions: st.SearchStrategy[Action] = _registers | _online_endpoints | _batch_endpoints
_actions = st.lists(actions, min_size=1, max_size=2, unique_by=lambda action: action.route)


def _named[T](rules: st.SearchStrategy[T], least: int = 0, most: int = 2) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(rules, min_size=least, max_size=most, unique_by=lambda rule: rule.name).map(tuple)  # type: ignore[attr-defined]


_names = st.sampled_from(["cards", "berts", "all-of-it"])
_anything = (AssetPattern(Kind.MODEL, "*"),)
_rule_states = st.sampled_from([RuleState.ACTIVE, RuleState.ACTIVE, RuleState.PAUSED])
RENAMES = ("{tenant}-{name}", "{tenant}-{name}", "hub-{name}", "{name}", "model")
_open_publications = st.builds(
    Publication,
    name=_names,
    registry=st.just(REGISTRIES[0]),
    assets=st.just(_anything),
    to=st.just(("*",)),
    advisory=st.booleans(),
    rename=st.sampled_from([None, None, RENAMES[0]]),
)
_narrow_publications = st.builds(
    Publication,
    name=_names,
    registry=st.sampled_from((REGISTRIES[0], REGISTRIES[0], *REGISTRIES, "unknown-hub")),
    assets=_some(patterns, least=1),
    to=_some(st.sampled_from(PARTIES), least=1),
    workspaces=st.just(()) | _some(st.sampled_from(WORKSPACES)),
    advisory=st.booleans(),
    rename=st.sampled_from([None, *RENAMES]),
    regions=st.sampled_from([(), REGIONS, REGIONS[:1]]),
    environment=st.sampled_from([None, "inference:3"]),
    state=_rule_states,
)
_publications = _named(
    st.sampled_from([True, True, False]).flatmap(lambda is_open: _open_publications if is_open else _narrow_publications), least=1
)
_readers = st.just(("*",)) | _some(st.sampled_from(PARTIES), least=1)


WINDOWS = (Window("0 1 * * SUN", timedelta(hours=4), "Europe/Berlin"), Window("*/30 * * * *", timedelta(seconds=90), "UTC"))


def _released(subscription: Subscription, release: Approver | Window | None) -> Subscription:
    if isinstance(release, Window):
        return replace(subscription, window=release)
    return replace(subscription, approval=release)


@cache  # building a strategy costs more than drawing from it
def _subscriptions(workspaces: tuple[WorkspaceId, ...]) -> st.SearchStrategy[tuple[Subscription, ...]]:
    """They may lead into others' workspaces, as they can between two applies."""
    subscriptions = st.builds(
        Subscription,
        name=_names,
        from_tenants=_some(st.sampled_from(PARTIES), least=1),
        assets=st.just(_anything) | _some(patterns, least=1),
        into=st.sampled_from((*workspaces, *workspaces, *WORKSPACES)),
        actions=_actions.map(tuple),
        state=_rule_states,
    )
    subscriptions = st.builds(_released, subscriptions, st.sampled_from([None, *Approver, *WINDOWS]))
    return _named(subscriptions, least=1)


@st.composite
def tenants(draw: st.DrawFn, tenant_id: str, workspaces: tuple[WorkspaceId, ...]) -> Tenant:
    return Tenant(
        id=tenant_id,
        state=draw(st.sampled_from([TenantState.ACTIVE, TenantState.ACTIVE, TenantState.ACTIVE, TenantState.PAUSED])),
        workspaces=workspaces,
        publications=draw(_publications),
        subscriptions=draw(_subscriptions(workspaces)),
        regions=draw(st.just({}) | st.dictionaries(st.sampled_from(workspaces), st.sampled_from(REGIONS))) if workspaces else {},
    )


_covered = st.sampled_from([(), (), REGIONS, REGIONS[:1]])
_registry_rules = st.tuples(*(st.builds(RegistryRule, st.just(name), _readers, _covered) for name in REGISTRIES))
providers = st.builds(
    Provider,
    registries=_registry_rules | _registry_rules.map(lambda both: both[1:]),
    limits=st.builds(
        Limits,
        instance_types=st.just(INSTANCE_TYPES) | _some(st.sampled_from(INSTANCE_TYPES)),
        max_instances=st.sampled_from([4, 4, 1, 0]),
        registries=st.sampled_from([None, None, REGISTRIES, REGISTRIES[:1]]),
        kinds=st.sampled_from([None, None, (Kind.MODEL,), tuple(Kind)]),
    ),
    groups=st.dictionaries(st.sampled_from(GROUPS), _some(st.sampled_from(TENANTS))),
    entra_tenant=st.sampled_from([None, "99999999-0000-0000-0000-000000000000"]),
)


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    """Every workspace has one owner; not every owner is in the rules."""
    owners = dict(zip(WORKSPACES, draw(st.permutations((*TENANTS, TENANTS[0]))), strict=True))
    present = draw(st.sampled_from([TENANTS, TENANTS, TENANTS[:2]]))
    found = {
        tenant_id: draw(tenants(tenant_id, tuple(space for space, owner in owners.items() if owner == tenant_id)))
        for tenant_id in present
    }
    return Rules(draw(providers), found, revision=7)


_under_their_names = st.builds(
    SharedAsset,
    asset=st.builds(
        Asset,
        kind=st.sampled_from([Kind.MODEL, Kind.MODEL, Kind.MODEL, Kind.DATA, Kind.ENVIRONMENT]),
        name=st.sampled_from(["card-1", "card-draft", "bert-large"]),
        version=st.just("1"),
    ),
    registry=st.sampled_from((REGISTRIES[0], *REGISTRIES)),
    origin=st.sampled_from(WORKSPACES),
    tags=st.dictionaries(_tag_names, _values),
    regions=st.sampled_from([(), REGIONS[:1], REGIONS]),
)


the_rules = st.shared(rules(), key="rules")
"""The same rules for all of one example that is about them."""


@st.composite
def _shared_under(draw: st.DrawFn, rules: Rules) -> SharedAsset:
    """An asset under its own name, or renamed as its publisher does or somebody else would, or made in the registry itself."""
    shared = draw(_under_their_names)
    if draw(st.sampled_from([False] * 6 + [True])):
        return replace(shared, origin=None)
    publisher = rules.tenant_of(shared.origin) if shared.origin else None
    published_as = [publication.rename for publication in publisher.publications] if publisher else []
    rename = draw(st.sampled_from([*published_as, *published_as, None, RENAMES[0]]))
    if rename is None or publisher is None:
        return shared
    name = rename.replace("{tenant}", publisher.id).replace("{name}", shared.asset.name)
    return replace(shared, asset=replace(shared.asset, name=name), source=shared.asset)


shared_assets = the_rules.flatmap(_shared_under)


@st.composite
def _pulls_under(draw: st.DrawFn, rules: Rules) -> tuple[str, WorkspaceId, Action]:
    tenant = draw(st.sampled_from(TENANTS))
    known = rules.tenant(tenant)
    own = known.workspaces if known else WORKSPACES
    return tenant, draw(st.sampled_from(own) | st.sampled_from(WORKSPACES)), draw(actions)


pulls = the_rules.flatmap(_pulls_under)
"""Who pulls, into which workspace, what is done with it there."""
