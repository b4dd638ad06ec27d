"""Puts the rules of a folder in force: first what they would change, then the change."""

from dataclasses import dataclass
from pathlib import Path

from shared.rules import Provider, Tenant
from shared.rules_change import Applied, RulesChange, RulesStore, difference
from shared.rules_file import read_rules


@dataclass(frozen=True, slots=True)
class Proposal:
    """A folder's rules beside those in force. `change` holds for revision `based_on`."""

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


def apply_rules(folder: Path, store: RulesStore, by: str) -> Applied:
    """Both at once. InvalidRulesError, with every problem, before anything is written."""
    provider, tenants = read_rules(folder)
    return apply_proposal(propose(provider, tenants, store), store, by)
