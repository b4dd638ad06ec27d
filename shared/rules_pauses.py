"""A tenant's rules with one of their states changed: the tenant's own, or that of a single publication or subscription."""

from collections.abc import Callable
from dataclasses import replace

from shared.tenants import Publication, RuleState, Subscription, Tenant, TenantState


def with_tenant_state(tenant: Tenant, state: RuleState) -> Tenant:
    return replace(tenant, state=TenantState(state.value))


def with_publication_state(tenant: Tenant, name: str, state: RuleState) -> Tenant:
    return replace(tenant, publications=_changed(tenant.publications, name, lambda rule: replace(rule, state=state)))


def with_subscription_state(tenant: Tenant, name: str, state: RuleState) -> Tenant:
    return replace(tenant, subscriptions=_changed(tenant.subscriptions, name, lambda rule: replace(rule, state=state)))


def _changed[R: Publication | Subscription](rules: tuple[R, ...], name: str, change: Callable[[R], R]) -> tuple[R, ...]:
    return tuple(change(rule) if rule.name == name else rule for rule in rules)
