"""Random rules over a small world: hypothesis strategies.

A yes needs a dozen things to fit, so what fits everything comes first and often; else hardly any example has a delivery.
"""

from hypothesis import strategies as st

from shared.assets import Asset, Kind, WorkspaceId
from shared.planning import SharedAsset
from shared.rules import (
    AssetPattern,
    Limits,
    OnlineEndpoint,
    Provider,
    Publication,
    Register,
    RegistryRule,
    Rules,
    Subscription,
    TagCondition,
    Tenant,
    TenantState,
)

TENANTS = ("fabrikam", "northwind", "tailwind")
GROUPS = ("banks", "shops")
REGISTRIES = ("contoso-hub", "contoso-inner")
INSTANCE_TYPES = ("Standard_DS3_v2", "Standard_F4s_v2")
PARTIES = ("*", "*", "*", *TENANTS, *GROUPS)


def workspace(name: str) -> WorkspaceId:
    return WorkspaceId("11111111-1111-1111-1111-111111111111", "rg-tenants", name)


WORKSPACES = tuple(workspace(f"workspace{number}") for number in range(1, 5))


def _some[T](values: st.SearchStrategy[T], least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(values, min_size=least, max_size=most).map(tuple)


_values = st.sampled_from(["production", "draft", "present"])
_tag_names = st.sampled_from(["stage", "area"])
_conditions = st.builds(TagCondition, _tag_names, st.none() | _some(_values, least=1))
_tags = st.lists(_conditions, max_size=2, unique_by=lambda condition: condition.tag).map(tuple)
_globs = st.sampled_from(["*", "*", "card-*", "card-?", "card-1", "bert-*"])

patterns = st.builds(
    AssetPattern,
    kind=st.sampled_from([Kind.MODEL, Kind.MODEL, Kind.MODEL, Kind.DATA]),
    name=_globs,
    except_=st.sampled_from([None, None, None, "*-draft", "card-?"]),
    tags=st.just(()) | st.just(()) | _tags,
)
endpoints = st.builds(
    OnlineEndpoint,
    name=st.sampled_from(["cards", "bert-live", "Cards"]),
    instance_type=st.sampled_from(INSTANCE_TYPES),
    instance_count=st.integers(1, 4),
    traffic=st.sampled_from([(100,), (10, 100), (5, 50, 100)]),
)
_actions = st.lists(st.just(Register()) | endpoints, min_size=1, max_size=3, unique_by=lambda action: action.route)


def _named[T](rules: st.SearchStrategy[T], least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(rules, min_size=least, max_size=most, unique_by=lambda rule: rule.name).map(tuple)  # type: ignore[attr-defined]


_names = st.sampled_from(["cards", "berts", "all-of-it"])
_anything = (AssetPattern(Kind.MODEL, "*"),)
_open_publications = st.builds(
    Publication, _names, st.just(REGISTRIES[0]), assets=st.just(_anything), to=st.just(("*",)), advisory=st.booleans()
)
_narrow_publications = st.builds(
    Publication,
    name=_names,
    registry=st.sampled_from((REGISTRIES[0], REGISTRIES[0], *REGISTRIES, "unknown-hub")),
    assets=_some(patterns, least=1),
    to=_some(st.sampled_from(PARTIES), least=1),
    workspaces=st.just(()) | _some(st.sampled_from(WORKSPACES)),
    advisory=st.booleans(),
)
_publications = st.sampled_from([True, True, False]).flatmap(
    lambda is_open: _open_publications if is_open else _narrow_publications
)
_readers = st.just(("*",)) | _some(st.sampled_from(PARTIES), least=1)


def _subscriptions(into: st.SearchStrategy[WorkspaceId]) -> st.SearchStrategy[Subscription]:
    return st.builds(
        Subscription,
        name=_names,
        from_tenants=_some(st.sampled_from(PARTIES), least=1),
        assets=st.just(_anything) | _some(patterns, least=1),
        into=into,
        actions=_actions.map(tuple),
    )


@st.composite
def tenants(draw: st.DrawFn, tenant_id: str, workspaces: tuple[WorkspaceId, ...]) -> Tenant:
    """Subscriptions may lead into others' workspaces, as they can between two applies."""
    into = st.sampled_from(workspaces) | st.sampled_from(WORKSPACES)
    return Tenant(
        id=tenant_id,
        state=draw(st.sampled_from([TenantState.ACTIVE, TenantState.ACTIVE, TenantState.ACTIVE, TenantState.PAUSED])),
        workspaces=workspaces,
        publications=draw(_named(_publications, least=1)),
        subscriptions=draw(_named(_subscriptions(into), least=1)),
    )


_registry_rules = st.tuples(*(st.builds(RegistryRule, st.just(name), _readers) for name in REGISTRIES))
providers = st.builds(
    Provider,
    registries=_registry_rules | _registry_rules.map(lambda both: both[1:]),
    limits=st.builds(Limits, st.just(INSTANCE_TYPES) | _some(st.sampled_from(INSTANCE_TYPES)), st.sampled_from([4, 4, 1, 0])),
    groups=st.dictionaries(st.sampled_from(GROUPS), _some(st.sampled_from(TENANTS))),
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


shared_assets = st.builds(
    SharedAsset,
    asset=st.builds(
        Asset,
        kind=st.sampled_from([Kind.MODEL, Kind.MODEL, Kind.MODEL, Kind.DATA]),
        name=st.sampled_from(["card-1", "card-draft", "bert-large"]),
        version=st.just("1"),
    ),
    registry=st.sampled_from((REGISTRIES[0], *REGISTRIES)),
    origin=st.sampled_from(WORKSPACES),
    tags=st.dictionaries(_tag_names, _values),
)
