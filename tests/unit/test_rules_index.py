"""The index of the rules: it leads to whoever a look at every tenant finds, also after changes."""

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.actions import Register
from shared.assets import Kind
from shared.planning import SharedAsset, plan
from shared.rules import Provider, Rules
from shared.tenants import AssetPattern, Subscription, Tenant, TenantState
from tests.brute_force import look_at_every_tenant
from tests.unit import random_rules
from tests.unit.random_rules import TENANTS, WORKSPACES

NAMES = ("card-1", "card-draft", "bert-large", "")


def subscriber(*globs: str, to: str = "northwind") -> Tenant:
    patterns = tuple(AssetPattern(Kind.MODEL, glob) for glob in globs)
    subscription = Subscription("all", (to,), patterns, WORKSPACES[0], (Register(),))
    return Tenant("tailwind", TenantState.ACTIVE, WORKSPACES[:1], subscriptions=(subscription,))


def rules_of(*tenants: Tenant, **groups: tuple[str, ...]) -> Rules:
    return Rules(Provider(groups=groups), {tenant.id: tenant for tenant in tenants}, 1)


def test_given_a_name_that_begins_otherwise_when_asked_then_its_subscriber_is_not_looked_at() -> None:
    rules = rules_of(subscriber("credit-*", "fraud?"))

    assert rules.who_might_want("credit-card", "northwind") == {"tailwind"}
    assert rules.who_might_want("fraud1", "northwind") == {"tailwind"}
    assert rules.who_might_want("debit-card", "northwind") == set()


def test_given_a_subscription_to_others_when_asked_then_its_tenant_is_not_looked_at() -> None:
    assert rules_of(subscriber("*", to="fabrikam")).who_might_want("credit-card", "northwind") == set()


def test_given_a_group_that_the_publisher_joins_when_asked_then_its_followers_are_looked_at() -> None:
    before = rules_of(subscriber("*", to="banks"))

    after = before.changed(Provider(groups={"banks": ("northwind",)}), {}, 2)

    assert before.who_might_want("credit-card", "northwind") == set()
    assert after.who_might_want("credit-card", "northwind") == {"tailwind"}


@given(random_rules.shared_assets, random_rules.the_rules)
def test_a_plan_is_what_a_look_at_every_tenant_finds(shared: SharedAsset, rules: Rules) -> None:
    assert plan(shared, rules) == look_at_every_tenant(shared, rules)


@settings(max_examples=50)  # two worlds of rules each
@given(random_rules.shared_assets, random_rules.the_rules, random_rules.rules(), st.randoms())
def test_rules_that_were_changed_tenant_by_tenant_are_as_if_read_anew(
    shared: SharedAsset, after: Rules, before: Rules, random: Random
) -> None:
    changed = before
    for revision, tenant_id in enumerate(random.sample(TENANTS, len(TENANTS)), start=before.revision + 1):
        changed = changed.changed(after.provider, {tenant_id: after.tenant(tenant_id)}, revision)

    assert changed == replace(after, revision=changed.revision)
    assert plan(shared, changed) == plan(shared, replace(after, revision=changed.revision))
    assert [changed.tenant_of(workspace) for workspace in WORKSPACES] == [after.tenant_of(workspace) for workspace in WORKSPACES]
    for name in NAMES:
        for publisher in TENANTS:
            assert changed.who_might_want(name, publisher) == after.who_might_want(name, publisher)
