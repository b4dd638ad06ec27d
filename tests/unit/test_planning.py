"""Who gets a shared asset: the article's tenants as examples, then what holds for all rules there can be."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.actions import Action, BatchEndpoint, Endpoint, Mode, OnlineEndpoint, Register
from shared.assets import Asset, Kind, WorkspaceId
from shared.planning import (
    Allowed,
    Decision,
    NoLongerAllowed,
    Paused,
    SharedAsset,
    plan,
    publications_for,
    pull,
    still_allowed,
)
from shared.rules import Limits, Provider, RegistryRule, Rules
from shared.tenants import Approver, AssetPattern, Publication, RuleState, Subscription, TagCondition, Tenant, TenantState
from tests.unit import random_rules
from tests.unit.random_rules import workspace

WORKSPACE1, WORKSPACE2, WORKSPACE3 = workspace("workspace1"), workspace("workspace2"), workspace("workspace3")
CARDS = AssetPattern(Kind.MODEL, "credit-card-*", except_=("*-draft",), tags=(TagCondition("stage", ("production",)),))
ENDPOINT = OnlineEndpoint("cards", "Standard_DS3_v2", 1, (100,))
BATCH = BatchEndpoint("cards-nightly", "cpu-cluster")
CARD = SharedAsset(Asset(Kind.MODEL, "credit-card-default", "1"), "contoso-hub", WORKSPACE1, tags={"stage": "production"})


def northwind(**changes: object) -> Tenant:
    publication = Publication("cards", "contoso-hub", (CARDS,), to=("*",))
    tenant = Tenant("northwind", TenantState.ACTIVE, (WORKSPACE1,), publications=(publication,))
    return replace(tenant, **changes)  # type: ignore[arg-type]


def tailwind(*actions: Action, **changes: object) -> Tenant:
    anything = AssetPattern(Kind.MODEL, "credit-*")
    subscription = Subscription("cards-live", ("northwind",), (anything,), WORKSPACE3, actions or (Register(),))
    tenant = Tenant("tailwind", TenantState.ACTIVE, (WORKSPACE3,), subscriptions=(subscription,))
    return replace(tenant, **changes)  # type: ignore[arg-type]


PROVIDER = Provider((RegistryRule("contoso-hub", ("*",)),), Limits(("Standard_DS3_v2",), 2))


def rules_of(*tenants: Tenant, provider: Provider = PROVIDER) -> Rules:
    return Rules(provider, {tenant.id: tenant for tenant in tenants}, revision=3)


def refusal(decisions: tuple[Decision, ...]) -> str:
    (decision,) = decisions
    assert not decision.allowed
    return decision.reason


def test_given_publication_and_subscription_when_planned_then_each_action_is_delivered_and_names_its_rules() -> None:
    decisions = plan(CARD, rules_of(northwind(), tailwind(Register(), ENDPOINT)))

    assert [(decision.allowed, decision.action) for decision in decisions] == [(True, Register()), (True, ENDPOINT)]
    assert {(decision.tenant, decision.workspace) for decision in decisions} == {("tailwind", WORKSPACE3)}
    assert {(decision.publication, decision.subscription) for decision in decisions} == {("cards", "cards-live")}
    assert {decision.revision for decision in decisions} == {3}


def test_given_no_publication_when_planned_then_the_asset_stays_private() -> None:
    assert "no publication" in refusal(plan(CARD, rules_of(northwind(publications=()), tailwind())))


def test_given_a_publication_to_another_tenant_when_planned_then_it_is_not_let_out_to_this_one() -> None:
    to_fabrikam = Publication("cards", "contoso-hub", (CARDS,), to=("fabrikam",))

    assert "no publication" in refusal(plan(CARD, rules_of(northwind(publications=(to_fabrikam,)), tailwind())))


def test_given_a_publication_to_a_group_when_planned_then_its_members_get_the_asset() -> None:
    to_shops = Publication("cards", "contoso-hub", (CARDS,), to=("shops",))
    provider = replace(PROVIDER, groups={"shops": ("tailwind",)})

    (decision,) = plan(CARD, rules_of(northwind(publications=(to_shops,)), tailwind(), provider=provider))

    assert decision.allowed


def test_given_a_publication_from_other_workspaces_when_planned_then_it_does_not_let_this_one_s_assets_out() -> None:
    from_workspace2 = Publication("cards", "contoso-hub", (CARDS,), to=("*",), workspaces=(WORKSPACE2,))

    reason = refusal(plan(CARD, rules_of(northwind(publications=(from_workspace2,)), tailwind())))

    assert "no publication" in reason


def test_given_a_publication_through_another_registry_when_planned_then_it_does_not_count() -> None:
    provider = replace(PROVIDER, registries=(*PROVIDER.registries, RegistryRule("contoso-inner", ("*",))))
    inner = Publication("cards", "contoso-inner", (CARDS,), to=("*",))

    reason = refusal(plan(CARD, rules_of(northwind(publications=(inner,)), tailwind(), provider=provider)))

    assert "through registry contoso-hub" in reason


@pytest.mark.parametrize(
    ("name", "tags"),
    [("credit-card-draft", {"stage": "production"}), ("credit-card-default", {"stage": "test"}), ("credit-card-default", {})],
)
def test_given_an_excepted_name_or_another_tag_when_planned_then_it_is_not_let_out(name: str, tags: Mapping[str, str]) -> None:
    asset = replace(CARD, asset=Asset(Kind.MODEL, name, "1"), tags=tags)

    assert "no publication" in refusal(plan(asset, rules_of(northwind(), tailwind())))


def test_given_no_subscription_about_the_asset_when_planned_then_there_is_nothing_to_decide() -> None:
    assert plan(CARD, rules_of(northwind(), tailwind(subscriptions=()))) == ()


@pytest.mark.parametrize("paused", ["northwind", "tailwind"])
def test_given_either_tenant_paused_when_planned_then_nothing_is_delivered(paused: str) -> None:
    tenants = [replace(tenant, state=TenantState.PAUSED) if tenant.id == paused else tenant for tenant in (northwind(), tailwind())]

    assert refusal(plan(CARD, rules_of(*tenants))) == f"tenant {paused} is paused"


def test_given_a_paused_publication_when_planned_then_nothing_is_delivered_or_leaves_by_it() -> None:
    (publication,) = northwind().publications
    rules = rules_of(northwind(publications=(replace(publication, state=RuleState.PAUSED),)), tailwind())

    assert refusal(plan(CARD, rules)) == "publication cards of northwind is paused"
    assert publications_for(CARD.asset, WORKSPACE1, CARD.tags, rules) == ()


def test_given_a_paused_subscription_when_planned_then_nothing_is_delivered_by_it() -> None:
    (subscription,) = tailwind().subscriptions
    paused = tailwind(subscriptions=(replace(subscription, state=RuleState.PAUSED),))

    assert refusal(plan(CARD, rules_of(northwind(), paused))) == "subscription cards-live of tailwind is paused"


def test_given_a_paused_rule_beside_an_active_one_that_does_the_same_when_planned_then_the_active_one_counts() -> None:
    (publication,), (subscription,) = northwind().publications, tailwind().subscriptions
    publisher = northwind(publications=(replace(publication, name="a-first", state=RuleState.PAUSED), publication))
    subscriber = tailwind(subscriptions=(replace(subscription, name="a-first", state=RuleState.PAUSED), subscription))

    allowed = [decision for decision in plan(CARD, rules_of(publisher, subscriber)) if decision.allowed]

    assert [(decision.publication, decision.subscription) for decision in allowed] == [("cards", "cards-live")]


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(registries=("contoso-inner",)), "limits leave out registry contoso-hub"),
        (Limits(kinds=(Kind.DATA, Kind.ENVIRONMENT)), "limits leave out assets of kind model"),
    ],
)
def test_given_limits_that_leave_out_the_registry_or_the_kind_when_planned_then_the_provider_says_no(
    limits: Limits, reason: str
) -> None:
    assert reason in refusal(plan(CARD, rules_of(northwind(), tailwind(), provider=replace(PROVIDER, limits=limits))))


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        (replace(ENDPOINT, instance_type="Standard_NC6"), "instance type Standard_NC6"),
        (replace(ENDPOINT, instance_count=3), "3 instances"),
        (replace(BATCH, instance_count=3), "3 instances"),
    ],
)
def test_given_an_endpoint_beyond_the_limits_when_planned_then_the_provider_says_no(endpoint: Endpoint, reason: str) -> None:
    assert reason in refusal(plan(CARD, rules_of(northwind(), tailwind(endpoint))))


def test_given_a_batch_endpoint_on_the_tenant_s_own_compute_when_planned_then_instance_types_do_not_limit_it() -> None:
    provider = replace(PROVIDER, limits=Limits((), 2))

    (decision,) = plan(CARD, rules_of(northwind(), tailwind(BATCH), provider=provider))

    assert decision.allowed


@pytest.mark.parametrize(
    ("action", "reason"),
    [(Register(Mode.COPY), "only models and data have bytes"), (ENDPOINT, "only models"), (BATCH, "only models")],
)
def test_given_an_action_that_the_kind_cannot_have_when_planned_then_the_provider_says_no(action: Action, reason: str) -> None:
    environments = (AssetPattern(Kind.ENVIRONMENT, "*"),)
    publisher = northwind(publications=(Publication("all", "contoso-hub", environments, to=("*",)),))
    subscriber = tailwind(subscriptions=(Subscription("all", ("*",), environments, WORKSPACE3, (action,)),))
    environment = replace(CARD, asset=Asset(Kind.ENVIRONMENT, "inference", "1"))

    assert reason in refusal(plan(environment, rules_of(publisher, subscriber)))


def test_given_a_subscription_with_approval_when_planned_then_the_decision_says_whose() -> None:
    (subscription,) = tailwind().subscriptions
    cautious = tailwind(subscriptions=(replace(subscription, approval=Approver.SUBSCRIBER),))

    (decision,) = plan(CARD, rules_of(northwind(), cautious))

    assert (decision.allowed, decision.approval) == (True, Approver.SUBSCRIBER)


def test_given_names_of_tenants_when_planned_then_nobody_else_gets_the_asset() -> None:
    (subscription,) = tailwind().subscriptions
    fabrikam = Tenant("fabrikam", TenantState.ACTIVE, (WORKSPACE2,), (), (replace(subscription, into=WORKSPACE2),))
    rules = rules_of(northwind(), tailwind(), fabrikam)

    assert [decision.tenant for decision in plan(CARD, rules)] == ["fabrikam", "tailwind"]
    assert [decision.tenant for decision in plan(CARD, rules, only={"tailwind", "contoso"})] == ["tailwind"]
    assert plan(CARD, rules, only=()) == ()


# ---- a name that changes on the way

RENAMING = Publication("cards", "contoso-hub", (CARDS,), to=("*",), rename="{tenant}-{name}")
RENAMED = replace(CARD, asset=replace(CARD.asset, name="northwind-credit-card-default"), source=CARD.asset)


def wanting(name: str) -> Tenant:
    (subscription,) = tailwind().subscriptions
    return tailwind(subscriptions=(replace(subscription, assets=(AssetPattern(Kind.MODEL, name),)),))


def test_given_a_renamed_asset_when_planned_then_its_first_name_is_published_and_its_new_one_subscribed_to() -> None:
    publisher = northwind(publications=(RENAMING,))

    (decision,) = plan(RENAMED, rules_of(publisher, wanting("northwind-credit-*")))

    assert decision.allowed
    assert plan(RENAMED, rules_of(publisher, wanting("credit-*"))) == ()


@pytest.mark.parametrize("rename", [None, "hub-{name}"])
def test_given_a_publication_that_names_it_otherwise_when_planned_then_it_does_not_let_this_asset_out(rename: str | None) -> None:
    publisher = northwind(publications=(replace(RENAMING, rename=rename),))

    assert "no publication" in refusal(plan(RENAMED, rules_of(publisher, wanting("*"))))


# ---- pulls


def test_given_a_published_asset_when_a_tenant_pulls_it_then_it_needs_no_subscription() -> None:
    decision = pull(CARD, "tailwind", WORKSPACE3, ENDPOINT, rules_of(northwind(), tailwind(subscriptions=())))

    assert decision == Decision(
        allowed=True,
        tenant="tailwind",
        subscription="",
        action=ENDPOINT,
        workspace=WORKSPACE3,
        publication="cards",
        reason="tenant tailwind asked for it",
        revision=3,
    )


def test_given_an_asset_made_in_the_registry_itself_when_a_reader_pulls_it_then_it_gets_it() -> None:
    provider_s_own = replace(CARD, origin=None)

    decision = pull(provider_s_own, "tailwind", WORKSPACE3, Register(), rules_of(tailwind()))

    assert (decision.allowed, decision.publication) == (True, None)
    assert plan(provider_s_own, rules_of(northwind(), tailwind())) == ()


READ_BY_FABRIKAM = replace(PROVIDER, registries=(RegistryRule("contoso-hub", ("fabrikam",)),))
REFUSED_PULLS: dict[str, tuple[Rules, WorkspaceId, Action, str]] = {
    "unknown tenant": (rules_of(northwind()), WORKSPACE3, Register(), "tenant tailwind is not in the rules"),
    "another's workspace": (rules_of(northwind(), tailwind()), WORKSPACE2, Register(), "not one of tailwind's"),
    "its origin": (rules_of(tailwind(workspaces=(WORKSPACE1,))), WORKSPACE1, Register(), "comes from this workspace"),
    "publisher gone": (rules_of(tailwind()), WORKSPACE3, Register(), "belongs to no tenant"),
    "private": (rules_of(northwind(publications=()), tailwind()), WORKSPACE3, Register(), "no publication"),
    "no reader": (rules_of(northwind(), tailwind(), provider=READ_BY_FABRIKAM), WORKSPACE3, Register(), "among the readers"),
    "limits": (rules_of(northwind(), tailwind()), WORKSPACE3, replace(ENDPOINT, instance_count=3), "3 instances"),
    "publisher paused": (rules_of(northwind(state=TenantState.PAUSED), tailwind()), WORKSPACE3, Register(), "northwind is paused"),
    "puller paused": (rules_of(northwind(), tailwind(state=TenantState.PAUSED)), WORKSPACE3, Register(), "tailwind is paused"),
}


@pytest.mark.parametrize(("rules", "into", "action", "reason"), REFUSED_PULLS.values(), ids=REFUSED_PULLS.keys())
def test_given_something_against_it_when_pulled_then_it_is_refused_with_the_reason(
    rules: Rules, into: WorkspaceId, action: Action, reason: str
) -> None:
    decision = pull(CARD, "tailwind", into, action, rules)

    assert not decision.allowed
    assert reason in decision.reason


def test_given_a_subscriber_that_cannot_read_the_registry_when_planned_then_the_provider_says_no() -> None:
    provider = replace(PROVIDER, registries=(RegistryRule("contoso-hub", ("fabrikam",)),))

    assert "readers of registry" in refusal(plan(CARD, rules_of(northwind(), tailwind(), provider=provider)))


def test_given_two_subscriptions_for_one_target_when_planned_then_the_first_by_name_delivers() -> None:
    (later,) = tailwind().subscriptions
    first = replace(later, name="berlin")

    berlin, live = plan(CARD, rules_of(northwind(), tailwind(subscriptions=(later, first))))

    assert (berlin.subscription, berlin.allowed) == ("berlin", True)
    assert (live.subscription, live.allowed) == ("cards-live", False)
    assert "subscription berlin brings it there" in live.reason


def test_given_tags_unknown_when_asked_what_may_leave_then_name_and_workspace_decide() -> None:
    rules = rules_of(northwind(), tailwind())

    assert [publication.name for publication in publications_for(CARD.asset, WORKSPACE1, None, rules)] == ["cards"]
    assert publications_for(CARD.asset, WORKSPACE1, {"stage": "test"}, rules) == ()
    assert publications_for(Asset(Kind.MODEL, "bert", "1"), WORKSPACE1, None, rules) == ()
    assert publications_for(CARD.asset, WORKSPACE3, None, rules) == ()
    assert publications_for(CARD.asset, WORKSPACE2, None, rules) == ()


def test_given_a_paused_publisher_when_asked_what_may_leave_then_nothing_does() -> None:
    assert publications_for(CARD.asset, WORKSPACE1, None, rules_of(northwind(state=TenantState.PAUSED))) == ()


@pytest.fixture
def delivery() -> Decision:
    (decision,) = plan(CARD, rules_of(northwind(), tailwind()))
    return decision


def test_given_unchanged_rules_when_asked_again_then_the_delivery_is_still_allowed(delivery: Decision) -> None:
    assert still_allowed(delivery, CARD, rules_of(northwind(), tailwind())) == Allowed(delivery)


def test_given_another_subscription_for_the_same_target_when_asked_again_then_that_one_allows_it(
    delivery: Decision,
) -> None:
    (subscription,) = tailwind().subscriptions
    renamed = tailwind(subscriptions=(replace(subscription, name="renamed"),))

    assert still_allowed(delivery, CARD, rules_of(northwind(), renamed)) == Allowed(
        replace(delivery, subscription="renamed", reason="subscription renamed wants it")
    )


def test_given_a_paused_tenant_when_asked_again_then_the_delivery_is_held(delivery: Decision) -> None:
    paused = tailwind(state=TenantState.PAUSED)

    assert still_allowed(delivery, CARD, rules_of(northwind(), paused)) == Paused("tailwind")


def test_given_a_paused_rule_when_asked_again_then_the_delivery_is_held(delivery: Decision) -> None:
    (publication,), (subscription,) = northwind().publications, tailwind().subscriptions
    unpublished = northwind(publications=(replace(publication, state=RuleState.PAUSED),))
    unsubscribed = tailwind(subscriptions=(replace(subscription, state=RuleState.PAUSED),))

    assert still_allowed(delivery, CARD, rules_of(unpublished, tailwind())) == Paused("northwind", "publication cards")
    assert still_allowed(delivery, CARD, rules_of(northwind(), unsubscribed)) == Paused("tailwind", "subscription cards-live")


def test_given_limits_tightened_when_asked_again_then_the_delivery_is_no_longer_allowed(delivery: Decision) -> None:
    tightened = replace(PROVIDER, limits=Limits(kinds=()))

    answer = still_allowed(delivery, CARD, rules_of(northwind(), tailwind(), provider=tightened))

    assert answer == NoLongerAllowed("the provider's limits leave out assets of kind model")


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (rules_of(tailwind()), "no longer belongs to a tenant"),
        (rules_of(northwind()), "tenant tailwind is no longer in the rules"),
        (rules_of(northwind(), tailwind(subscriptions=())), "no subscription of tailwind"),
        (rules_of(northwind(publications=(), state=TenantState.PAUSED), tailwind()), "no publication"),
    ],
    ids=["workspace given up", "subscriber gone", "subscription gone", "publication gone, and paused"],
)
def test_given_a_rule_withdrawn_when_asked_again_then_the_delivery_is_no_longer_allowed(
    rules: Rules, reason: str, delivery: Decision
) -> None:
    answer = still_allowed(delivery, CARD, rules)

    assert isinstance(answer, NoLongerAllowed)
    assert reason in answer.reason


def test_given_an_asset_of_no_workspace_when_a_subscription_s_delivery_is_asked_again_then_it_is_not_allowed(
    delivery: Decision,
) -> None:
    answer = still_allowed(delivery, replace(CARD, origin=None), rules_of(northwind(), tailwind()))

    assert answer == NoLongerAllowed("no subscription is about what was made in registry contoso-hub itself")


@pytest.fixture
def pulled() -> Decision:
    return pull(CARD, "tailwind", WORKSPACE3, Register(), rules_of(northwind(), tailwind(subscriptions=())))


def test_given_a_pull_without_subscription_when_asked_again_then_it_is_still_allowed(pulled: Decision) -> None:
    assert still_allowed(pulled, CARD, rules_of(northwind(), tailwind(subscriptions=()))) == Allowed(pulled)


def test_given_the_publication_gone_when_a_pull_is_asked_again_then_no_subscription_helps(pulled: Decision) -> None:
    answer = still_allowed(pulled, CARD, rules_of(northwind(publications=()), tailwind()))

    assert answer == NoLongerAllowed("no publication lets it out to tailwind through registry contoso-hub")


@pytest.mark.parametrize("paused", ["northwind", "tailwind"])
def test_given_a_tenant_paused_when_a_pull_is_asked_again_then_it_is_held(paused: str, pulled: Decision) -> None:
    tenants = [replace(tenant, state=TenantState.PAUSED) if tenant.id == paused else tenant for tenant in (northwind(), tailwind())]

    assert still_allowed(pulled, CARD, rules_of(*tenants)) == Paused(paused)


# ---- what holds for all rules


@given(random_rules.shared_assets, random_rules.the_rules)
def test_a_delivery_is_planned_exactly_where_all_three_say_yes(shared: SharedAsset, rules: Rules) -> None:
    planned = [(each.tenant, each.workspace, each.action.route) for each in plan(shared, rules) if each.allowed]

    assert sorted(planned, key=str) == sorted(_three_yeses(shared, rules), key=str)


@given(random_rules.shared_assets, random_rules.the_rules)
def test_nothing_is_ever_delivered_to_the_workspace_it_came_from(shared: SharedAsset, rules: Rules) -> None:
    assert not any(decision.allowed and decision.workspace == shared.origin for decision in plan(shared, rules))


type Pull = tuple[str, WorkspaceId, Action]


@given(random_rules.shared_assets, random_rules.pulls, random_rules.the_rules)
def test_a_pull_is_allowed_exactly_where_publisher_and_provider_say_yes(shared: SharedAsset, asked: Pull, rules: Rules) -> None:
    assert pull(shared, *asked, rules).allowed == _two_yeses(shared, *asked, rules)


@given(random_rules.shared_assets, random_rules.pulls, random_rules.the_rules)
def test_nothing_is_ever_pulled_into_the_workspace_it_came_from(shared: SharedAsset, asked: Pull, rules: Rules) -> None:
    owner = rules.tenant_of(shared.origin) if shared.origin else None
    if shared.origin and owner:
        assert not pull(shared, owner.id, shared.origin, asked[2], rules).allowed


@given(random_rules.shared_assets, random_rules.pulls, random_rules.the_rules)
def test_a_pull_that_is_allowed_is_still_allowed_by_the_same_rules(shared: SharedAsset, asked: Pull, rules: Rules) -> None:
    decision = pull(shared, *asked, rules)

    assert isinstance(still_allowed(decision, shared, rules), Allowed) == decision.allowed


@given(random_rules.shared_assets, random_rules.the_rules, st.sets(st.sampled_from(random_rules.TENANTS)))
def test_a_plan_for_some_is_the_part_of_the_whole_plan_that_is_about_them(
    shared: SharedAsset, rules: Rules, some: set[str]
) -> None:
    assert plan(shared, rules, some) == tuple(decision for decision in plan(shared, rules) if decision.tenant in some)


@given(random_rules.shared_assets, random_rules.the_rules, st.randoms())
def test_the_order_of_tenants_and_of_their_rules_does_not_matter(shared: SharedAsset, rules: Rules, random: Random) -> None:
    shuffled = {
        tenant.id: replace(
            tenant,
            publications=tuple(random.sample(tenant.publications, len(tenant.publications))),
            subscriptions=tuple(random.sample(tenant.subscriptions, len(tenant.subscriptions))),
        )
        for tenant in random.sample(list(rules.tenants.values()), len(rules.tenants))
    }

    assert plan(shared, replace(rules, tenants=shuffled)) == plan(shared, rules)


@given(random_rules.shared_assets, random_rules.the_rules)
def test_a_planned_delivery_is_still_allowed_by_the_same_rules(shared: SharedAsset, rules: Rules) -> None:
    for decision in plan(shared, rules):
        if decision.allowed:
            assert still_allowed(decision, shared, rules) == Allowed(decision)


@given(random_rules.shared_assets, random_rules.the_rules)
def test_what_is_delivered_may_leave_by_the_publication_that_the_decision_names(shared: SharedAsset, rules: Rules) -> None:
    delivered_by = {decision.publication for decision in plan(shared, rules) if decision.allowed}
    if shared.origin is None:
        assert not delivered_by
        return
    source = shared.source or shared.asset
    leaving = {each.name for each in publications_for(source, shared.origin, shared.tags, rules)}
    by_name_alone = {each.name for each in publications_for(source, shared.origin, None, rules)}

    assert delivered_by <= leaving <= by_name_alone


def _three_yeses(shared: SharedAsset, rules: Rules) -> set[tuple[str, WorkspaceId, str]]:
    """The same in the plainest words there are: every tenant, every subscription, every action."""
    return {
        (tenant.id, subscription.into, action.route)
        for publisher in _owners(shared, rules)
        for tenant in rules.tenants.values()
        for subscription in tenant.subscriptions
        for action in subscription.actions
        if publisher.state == tenant.state == TenantState.ACTIVE
        and subscription.state == RuleState.ACTIVE
        and _lets_out(publisher, tenant.id, shared, rules)
        and _names(subscription.from_tenants, publisher.id, rules)
        and any(_fits(pattern, shared.asset, shared.tags) for pattern in subscription.assets)
        and subscription.into in tenant.workspaces
        and subscription.into != shared.origin
        and _provides(tenant.id, action, shared, rules)
    }


def _two_yeses(shared: SharedAsset, asking: str, into: WorkspaceId, action: Action, rules: Rules) -> bool:
    """The publisher's and the provider's; none but the provider's for what was made in the registry itself."""
    tenant = rules.tenants.get(asking)
    if tenant is None or tenant.state != TenantState.ACTIVE or into not in tenant.workspaces:
        return False
    let_out = shared.origin is None or any(
        publisher.state == TenantState.ACTIVE and _lets_out(publisher, asking, shared, rules)
        for publisher in _owners(shared, rules)
    )
    return let_out and into != shared.origin and _provides(asking, action, shared, rules)


def _owners(shared: SharedAsset, rules: Rules) -> list[Tenant]:
    return [tenant for tenant in rules.tenants.values() if shared.origin in tenant.workspaces]


def _lets_out(publisher: Tenant, to: str, shared: SharedAsset, rules: Rules) -> bool:
    source = shared.source or shared.asset
    return any(
        publication.registry == shared.registry
        and publication.state == RuleState.ACTIVE
        and (not publication.workspaces or shared.origin in publication.workspaces)
        and _names(publication.to, to, rules)
        and any(_fits(pattern, source, shared.tags) for pattern in publication.assets)
        and (publication.rename or "{name}").format(tenant=publisher.id, name=source.name) == shared.asset.name
        and publication.registry in {registry.name for registry in rules.provider.registries}
        and not (publication.regions and set(shared.regions) - set(publication.regions))
        for publication in publisher.publications
    )


def _provides(tenant: str, action: Action, shared: SharedAsset, rules: Rules) -> bool:
    readable = any(
        registry.name == shared.registry and _names(registry.readers, tenant, rules) for registry in rules.provider.registries
    )
    limits = rules.provider.limits
    granted = (limits.registries is None or shared.registry in limits.registries) and (
        limits.kinds is None or shared.asset.kind in limits.kinds
    )
    return readable and granted and _within(action, shared.asset.kind, limits)


def _names(parties: tuple[str, ...], tenant: str, rules: Rules) -> bool:
    return "*" in parties or tenant in parties or any(tenant in rules.provider.groups.get(each, ()) for each in parties)


def _fits(pattern: AssetPattern, asset: Asset, tags: Mapping[str, str]) -> bool:
    excepted = any(_glob(glob, asset.name) for glob in pattern.except_)
    tagged = all(
        condition.tag in tags and (condition.one_of is None or tags[condition.tag] in condition.one_of)
        for condition in pattern.tags
    )
    return pattern.kind == asset.kind and _glob(pattern.name, asset.name) and not excepted and tagged


def _glob(glob: str, name: str) -> bool:
    if "{" in glob:
        before, _, rest = glob.partition("{")
        choices, _, after = rest.partition("}")
        return any(_glob(before + choice + after, name) for choice in choices.split(","))
    if not glob:
        return not name
    if glob[0] == "*":
        return _glob(glob[1:], name) or bool(name and _glob(glob, name[1:]))
    return bool(name) and glob[0] in ("?", name[0]) and _glob(glob[1:], name[1:])


def _within(action: Action, kind: Kind, limits: Limits) -> bool:
    if isinstance(action, Register):
        return action.mode == Mode.REFERENCE or kind in (Kind.MODEL, Kind.DATA)
    right_size = isinstance(action, BatchEndpoint) or action.instance_type in limits.instance_types
    return right_size and action.instance_count <= limits.max_instances and kind is Kind.MODEL
