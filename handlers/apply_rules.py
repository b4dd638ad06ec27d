"""Puts rules in force: first what they would change, then the change."""

from dataclasses import dataclass

from shared.rules import Provider, Tenant
from shared.rules_change import Applied, RulesChange, RulesStore, difference


@dataclass(frozen=True, slots=True)
class Proposal:
    """New rules beside those in force. `change` holds for revision `based_on`."""

    provider: Provider
    tenants: tuple[Tenant, ...]
    change: RulesChange
    based_on: int


def propose(provider: Provider, tenants: tuple[Tenant, ...], store: RulesStore) -> Proposal:
    in_force = store.load()
    return Proposal(provider, tenants, difference(in_force, provider, tenants), in_force.revision)


def apply_proposal(proposal: Proposal, store: RulesStore, by: str) -> Applied:
    """ApplyLostError where other rules came into force since the proposal was made."""
    return store.apply(proposal.provider, proposal.tenants, by, proposal.based_on)
