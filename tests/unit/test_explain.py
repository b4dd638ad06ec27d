"""Why a tenant gets an asset, or does not: in words for the article's tenants, and never otherwise than it is planned."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.actions import Action, OnlineEndpoint, Register
from shared.assets import Asset, Kind, WorkspaceId
from shared.explain import Answer, Explanation, Word, explain, today
from shared.planning import Allowed, SharedAsset, plan, pull, still_allowed
from shared.rules import Limits, Provider, RegistryRule, Rules
from shared.tenants import Approver, AssetPattern, Publication, Subscription, TagCondition, Tenant, TenantState, Window
from tests.unit import random_rules
from tests.unit.random_rules import workspace

SATURDAY = datetime(2026, 2, 28, 12, tzinfo=UTC)
WORKSPACE1, WORKSPACE3 = workspace("workspace1"), workspace("workspace3")
CARDS = AssetPattern(Kind.MODEL, "credit-card-*", tags=(TagCondition("stage", ("production",)),))
CARD = SharedAsset(Asset(Kind.MODEL, "credit-card-default", "1"), "contoso-hub", WORKSPACE1, tags={"stage": "production"})
PROVIDER = Provider((RegistryRule("contoso-hub", ("*",)),), Limits(("Standard_DS3_v2",), 2))
PUBLICATION = Publication("cards", "contoso-hub", (CARDS,), to=("*",))
SUBSCRIPTION = Subscription("cards-live", ("northwind",), (CARDS,), WORKSPACE3, (Register(),))
NORTHWIND = Tenant("northwind", TenantState.ACTIVE, (WORKSPACE1,), publications=(PUBLICATION,))
TAILWIND = Tenant("tailwind", TenantState.ACTIVE, (WORKSPACE3,), subscriptions=(SUBSCRIPTION,))


def tailwind_s(
    publication: Publication | None = PUBLICATION,
    subscription: Subscription | None = SUBSCRIPTION,
    *,
    shared: SharedAsset = CARD,
    state: TenantState = TenantState.ACTIVE,
    provider: Provider = PROVIDER,
    at: datetime = SATURDAY,
    recall: str | None = None,
) -> Explanation:
    """Tailwind's, where northwind has at most one publication, and tailwind one subscription."""
    northwind = replace(NORTHWIND, publications=(publication,) if publication else ())
    tailwind = replace(TAILWIND, state=state, subscriptions=(subscription,) if subscription else ())
    (found,) = explain(shared, Rules(provider, {each.id: each for each in (northwind, tailwind)}, 3), at, {"tailwind"}, recall)
    return found


# ---- the article's tenants, in words


def test_given_three_yeses_when_explained_then_it_names_publication_and_subscription() -> None:
    explained = tailwind_s()

    assert explained.answer is Answer.YES
    assert explained.publisher == Word(True, "publication cards lets it out to tailwind", ("cards",))
    assert explained.subscriber == Word(True, "subscription cards-live of tailwind is about it", ("cards-live",))
    assert explained.reason == "publication cards lets it out to tailwind; subscription cards-live wants it"


def test_given_a_registry_beyond_what_a_publication_allows_when_explained_then_its_regions_are_named() -> None:
    bounded = replace(PUBLICATION, regions=("westeurope",))

    explained = tailwind_s(bounded, shared=replace(CARD, regions=("westeurope", "asia")))

    assert explained.answer is Answer.NO
    assert explained.publisher.details == "cards: forbids asia, where registry contoso-hub replicates to"


def test_given_an_approval_when_explained_then_it_waits_and_says_for_whom() -> None:
    explained = tailwind_s(subscription=replace(SUBSCRIPTION, approval=Approver.PROVIDER))

    assert explained.answer is Answer.WAITS
    assert explained.reason.endswith("subscription cards-live wants it, and waits for the approval of the provider")


@pytest.mark.parametrize(
    ("hours", "answer", "when"),
    [
        (0, Answer.WAITS, "opens at 2026-03-01T00:00Z"),
        (13, Answer.YES, "is open"),
        (17, Answer.WAITS, "opens at 2026-03-08T00:00Z"),
    ],
)
def test_given_a_window_when_explained_then_it_waits_until_it_is_open(hours: int, answer: Answer, when: str) -> None:
    sundays = Window("0 1 * * SUN", timedelta(hours=4), "Europe/Berlin")

    explained = tailwind_s(subscription=replace(SUBSCRIPTION, window=sundays), at=SATURDAY + timedelta(hours=hours))

    assert explained.answer is answer
    assert explained.reason.endswith(f"wants it, in its window alone (0 1 * * SUN, Europe/Berlin), which {when}")


@pytest.mark.parametrize("approval", [None, Approver.PROVIDER])
def test_given_a_recalled_asset_when_explained_then_nobody_gets_it_whatever_the_rules_say(approval: Approver | None) -> None:
    explained = tailwind_s(subscription=replace(SUBSCRIPTION, approval=approval), recall="leaks card numbers")

    assert (explained.answer, explained.reason) == (Answer.NO, "it was recalled: leaks card numbers")
    assert [explained.answer_to(decision) for decision in explained.decisions] == [Answer.NO]


@pytest.mark.parametrize(
    ("publication", "why"),
    [
        (None, "it has none"),
        (replace(PUBLICATION, to=("fabrikam",)), "cards: not to tailwind"),
        (replace(PUBLICATION, registry="other-hub"), "cards: names registry other-hub, which the provider does not have"),
        (replace(PUBLICATION, workspaces=(WORKSPACE3,)), "cards: lets nothing out of workspace workspace1"),
        (replace(PUBLICATION, assets=(AssetPattern(Kind.DATA, "*"),)), "cards: not about model credit-card-default"),
        (
            replace(PUBLICATION, assets=(replace(CARDS, tags=(TagCondition("reviewed"),)),)),
            "cards: not about it with these tags",
        ),
        (replace(PUBLICATION, rename="{tenant}-{name}"), "cards: names it northwind-credit-card-default in the registry"),
    ],
    ids=["none", "not to it", "registry", "workspace", "kind", "tags", "renamed"],
)
def test_given_no_publication_that_fits_when_explained_then_each_says_why(publication: Publication | None, why: str) -> None:
    explained = tailwind_s(publication)

    assert explained.answer is Answer.NO
    assert str(explained.publisher) == f"no publication of northwind lets it out to tailwind ({why})"
    assert explained.reason == f"no publication lets it out to tailwind through registry contoso-hub ({why})"


@pytest.mark.parametrize(
    ("subscription", "why"),
    [
        (None, "it has none"),
        (replace(SUBSCRIPTION, from_tenants=("fabrikam",)), "cards-live: not to assets of northwind"),
        (replace(SUBSCRIPTION, assets=(AssetPattern(Kind.MODEL, "bert-*"),)), "cards-live: not about model credit-card-default"),
    ],
    ids=["none", "from another", "name"],
)
def test_given_no_subscription_that_fits_when_explained_then_each_says_why(subscription: Subscription | None, why: str) -> None:
    explained = tailwind_s(subscription=subscription)

    assert explained.answer is Answer.NO
    assert explained.reason == f"no subscription of tailwind is about it ({why})"


def test_given_an_asset_beyond_the_limits_when_explained_then_the_provider_s_no_is_the_reason() -> None:
    large = OnlineEndpoint("cards", "Standard_NC24", 1, (100,))

    explained = tailwind_s(subscription=replace(SUBSCRIPTION, actions=(large,)))

    assert explained.reason == "instance type Standard_NC24 is not one that the provider allows (Standard_DS3_v2)"


def test_given_a_paused_tenant_when_explained_then_its_pause_is_the_reason() -> None:
    assert tailwind_s(state=TenantState.PAUSED).reason == "tenant tailwind is paused"


def test_given_tags_that_a_subscription_does_not_take_when_explained_then_it_says_so() -> None:
    explained = tailwind_s(replace(PUBLICATION, assets=(AssetPattern(Kind.MODEL, "*"),)), shared=replace(CARD, tags={}))

    assert explained.reason == "subscription cards-live excepts it by its name or its tags"


def test_given_several_rules_that_say_the_same_when_explained_then_it_is_said_once() -> None:
    others = tuple(replace(SUBSCRIPTION, name=name, from_tenants=("fabrikam",)) for name in ("b", "a"))
    rules = Rules(PROVIDER, {"northwind": NORTHWIND, "tailwind": replace(TAILWIND, subscriptions=others)}, 3)

    (explained,) = explain(CARD, rules, SATURDAY, {"tailwind"})

    assert str(explained.subscriber) == "no subscription of tailwind is about it (a, b: not to assets of northwind)"


def test_given_an_asset_made_in_the_registry_when_explained_then_it_can_be_pulled() -> None:
    explained = tailwind_s(shared=replace(CARD, origin=None))

    expected = "it was made in registry contoso-hub itself, whose readers can pull it: no subscription is about it"
    assert (explained.answer, explained.reason) == (Answer.NO, expected)


def test_given_a_workspace_of_no_tenant_when_explained_then_that_is_the_reason() -> None:
    assert tailwind_s(shared=replace(CARD, origin=workspace("gone"))).reason.endswith("which it comes from, belongs to no tenant")


# ---- what holds for all rules

_some_tenants = st.none() | st.sets(st.sampled_from(random_rules.TENANTS))


@given(random_rules.shared_assets, random_rules.the_rules, _some_tenants)
def test_what_is_explained_is_what_is_planned(shared: SharedAsset, rules: Rules, some: set[str] | None) -> None:
    explained = explain(shared, rules, SATURDAY, some)

    assert tuple(decision for each in explained for decision in each.decisions) == plan(shared, rules, some)
    assert [each.tenant for each in explained] == sorted(rules.tenants.keys() & (rules.tenants.keys() if some is None else some))


@given(random_rules.shared_assets, random_rules.the_rules)
def test_a_tenant_s_answer_is_no_exactly_where_no_delivery_is_planned(shared: SharedAsset, rules: Rules) -> None:
    served = {decision.tenant for decision in plan(shared, rules) if decision.allowed}

    assert {each.tenant for each in explain(shared, rules, SATURDAY) if each.answer is not Answer.NO} == served


@given(random_rules.shared_assets, random_rules.the_rules)
def test_every_answer_has_a_reason_and_a_yes_has_the_yes_of_both_parties(shared: SharedAsset, rules: Rules) -> None:
    for each in explain(shared, rules, SATURDAY):
        assert each.reason
        if each.answer is not Answer.NO:
            assert (each.publisher.yes, each.subscriber.yes) == (True, True)
            assert {decision.publication for decision in each.decisions if decision.allowed} <= set(each.publisher.rules)
            assert {decision.subscription for decision in each.decisions if decision.allowed} <= set(each.subscriber.rules)


@given(random_rules.shared_assets, random_rules.pulls, random_rules.the_rules)
def test_what_is_said_of_a_delivery_today_is_what_its_next_step_will_hear(
    shared: SharedAsset, asked: tuple[str, WorkspaceId, Action], rules: Rules
) -> None:
    for delivery in (*plan(shared, rules), pull(shared, *asked, rules)):
        assert today(delivery, shared, rules).yes == isinstance(still_allowed(delivery, shared, rules), Allowed)
