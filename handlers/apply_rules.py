"""Puts rules in force: first what they would change, then the change."""

from dataclasses import dataclass

from shared.rules import Provider, Rules
from shared.rules_change import Applied, RulesChange, RulesStore, difference
from shared.tenants import Tenant


@dataclass(frozen=True, slots=True)
class Proposal:
    """New rules beside those in force: all, or with `only` that tenant's. `change` holds for revision `based_on`."""

    provider: Provider
    tenants: tuple[Tenant, ...]
    change: RulesChange
    based_on: int
    only: Tenant | None = None


def propose(provider: Provider, tenants: tuple[Tenant, ...], store: RulesStore) -> Proposal:
    in_force = store.load()
    return Proposal(provider, tenants, difference(in_force, provider, tenants), in_force.revision)


def propose_tenant(tenant: Tenant, in_force: Rules) -> Proposal:
    tenants = tuple({**in_force.tenants, tenant.id: tenant}.values())
    return Proposal(in_force.provider, tenants, difference(in_force, in_force.provider, tenants), in_force.revision, tenant)


def apply_proposal(proposal: Proposal, store: RulesStore, by: str) -> Applied:
    """ApplyLostError where other rules came into force since the proposal was made."""
    if proposal.only:
        return store.apply_tenant(proposal.only, by, proposal.based_on)
    return store.apply(proposal.provider, proposal.tenants, by, proposal.based_on)
