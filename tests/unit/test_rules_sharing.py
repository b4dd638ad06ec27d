"""Equal parts of rules are held once, and the rules stay what they are."""

from dataclasses import replace

from hypothesis import given

from shared.actions import Register
from shared.assets import Kind, WorkspaceId
from shared.rules import Rules
from shared.rules_document import tenant_from_document, to_document
from shared.rules_sharing import EqualParts
from shared.tenants import AssetPattern, Subscription, Tenant, TenantState
from tests.unit import random_rules
from tests.unit.random_rules import workspace


def tenant(into: WorkspaceId) -> Tenant:
    patterns = (AssetPattern(Kind.MODEL, "credit-*"),)
    subscription = Subscription("cards", ("northwind",), patterns, into, (Register(),))
    return tenant_from_document(to_document(Tenant("tailwind", TenantState.ACTIVE, (into,), subscriptions=(subscription,))))


def test_given_two_tenants_that_ask_for_the_same_when_shared_then_it_is_held_once() -> None:
    parts = EqualParts()

    first, second = (parts.shared(tenant(workspace(name))).subscriptions[0] for name in ("one", "two"))

    assert (first.assets is second.assets, first.actions is second.actions) == (True, True)


def test_given_a_workspace_that_is_written_otherwise_when_shared_then_it_stays_as_it_was_written() -> None:
    parts = EqualParts()
    parts.shared(tenant(workspace("one")))

    assert parts.shared(tenant(workspace("ONE"))).workspaces[0].name == "ONE"


@given(random_rules.rules())
def test_what_is_shared_is_equal_to_what_it_was(rules: Rules) -> None:
    parts = EqualParts()
    shared = {tenant_id: parts.shared(tenant) for tenant_id, tenant in rules.tenants.items()}

    assert replace(rules, tenants=shared) == rules
    assert [to_document(tenant) for tenant in shared.values()] == [to_document(tenant) for tenant in rules.tenants.values()]
