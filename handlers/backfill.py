"""What stands in the registries already, for one subscription: the newest version of each name, or all of them.

The reconciler brings a new subscription the newest versions by itself. A backfill brings what it leaves out, at somebody's wish,
and shows first what that is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.fan_out import shared_asset
from handlers.reconcile_registries import NEWEST, Served, in_ledger, push_absent, target_of
from handlers.reconcile_round import Round
from shared import planning
from shared.assets import Kind, RegistryAsset
from shared.errors import Owner, Permanent
from shared.listings import FURTHER_LOOKS, Listed
from shared.matching import matches_glob
from shared.ports import Fanout
from shared.rows import DeliveryRow
from shared.rules import Rules
from shared.tenants import Subscription, Tenant


@dataclass(frozen=True, slots=True)
class Backfill:
    """`all_versions`: of each name, up to the newest thousand, instead of the newest one that fits."""

    tenant: Tenant
    subscription: Subscription
    all_versions: bool

    def find(self, round_: Round) -> None:
        """Note in the round what is missing, and put the commands that bring it there. Nothing is sent."""
        for registry in round_.rules.provider.registries:
            for kind in sorted({pattern.kind for pattern in self.subscription.assets}):
                for listed in _names(registry.name, kind, round_.fanout):
                    if self._is_about(kind, listed.name):
                        self._compare(registry.name, kind, listed.name, round_)

    def _is_about(self, kind: Kind, name: str) -> bool:
        return any(pattern.kind is kind and matches_glob(pattern.name, name) for pattern in self.subscription.assets)

    def _compare(self, registry: str, kind: Kind, name: str, round_: Round) -> None:
        served: Served = set()
        most = FURTHER_LOOKS[-1] if self.all_versions else NEWEST
        for found in round_.fanout.registries.newest(registry, kind, name, most):
            self._compare_version(found, served, round_)

    def _compare_version(self, found: RegistryAsset, served: Served, round_: Round) -> None:
        known = in_ledger(found, round_)
        if known is None:
            return
        share, plan = known
        decisions = planning.plan(shared_asset(share, plan), round_.rules, [self.tenant.id])
        allowed = [each for each in decisions if each.allowed]
        mine = [each for each in allowed if each.subscription == self.subscription.name and target_of(each) not in served]
        addresses = [DeliveryRow.address_of(share.asset, share.registry, each.workspace, each.action.route) for each in mine]
        rows = {row.row: row for address in addresses if (row := round_.fanout.rows.find_delivery(address))}
        push_absent(share, rows, mine, allowed, round_)
        if not self.all_versions:
            served |= {target_of(each) for each in mine}


def backfill_of(tenant: str, subscription: str, rules: Rules, *, all_versions: bool) -> Backfill:
    """Permanent `unknown_tenant`, `unknown_subscription`, or `tenant_paused`."""
    known = rules.tenant(tenant)
    if known is None:
        names = ", ".join(sorted(rules.tenants)) or "none"
        raise Permanent("unknown_tenant", f"no tenant {tenant} is in the rules", Owner.PROVIDER, f"name one of: {names}")
    found = next((each for each in known.subscriptions if each.name == subscription), None)
    if found is None:
        names = ", ".join(each.name for each in known.subscriptions) or "none"
        text = f"tenant {tenant} has no subscription {subscription}"
        raise Permanent("unknown_subscription", text, Owner.PROVIDER, f"name one of its own: {names}")
    if not known.active:
        text = f"tenant {tenant} is paused, and gets nothing"
        raise Permanent("tenant_paused", text, Owner.PROVIDER, "resume it first; the newest versions then arrive by themselves")
    return Backfill(known, found, all_versions)


def _names(registry: str, kind: Kind, fanout: Fanout) -> Iterator[Listed]:
    page = ""
    while True:
        listing = fanout.registries.names(registry, kind, page)
        yield from listing.names
        if not listing.next:
            return
        page = listing.next
