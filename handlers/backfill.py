"""What stands in the registries already, for one subscription: the newest version of each name, or all of them.

The reconciler brings a new subscription the newest versions by itself. A backfill brings what it leaves out, at somebody's wish,
and shows first what that is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from handlers.fan_out import shared_asset, target_of
from handlers.reconcile_absent import push_absent
from handlers.reconcile_registries import NEWEST, deliveries_to, newest_in_ledger
from handlers.reconcile_round import Round
from shared import planning
from shared.assets import Kind
from shared.decisions import decisions as decisions_of
from shared.errors import Owner, Permanent
from shared.listings import FURTHER_LOOKS, Listed
from shared.matching import matches_glob
from shared.planning import Decision, Paused, SharedAsset, still_allowed
from shared.ports import Fanout
from shared.rows import PlanRow, ShareRow
from shared.rules import Rules
from shared.tenants import Subscription, Tenant

RESUME = "resume it first; the newest versions then arrive by themselves"


@dataclass(frozen=True, slots=True)
class Backfill:
    """`all_versions`: of each name, up to the newest thousand, instead of the newest one that fits among the NEWEST."""

    tenant: Tenant
    subscription: Subscription
    all_versions: bool

    def find(self, round_: Round) -> set[str]:
        """Note in the round what is missing, and put the commands that bring it there. Nothing is sent.

        Whose pause keeps something back: "publication cards of northwind is paused".
        """
        pauses: set[str] = set()
        for registry in round_.rules.provider.registries:
            for kind in sorted({pattern.kind for pattern in self.subscription.assets}):
                for listed in _names(registry.name, kind, round_.fanout):
                    if self._is_about(kind, listed.name):
                        self._compare(registry.name, kind, listed.name, pauses, round_)
        return pauses

    def _is_about(self, kind: Kind, name: str) -> bool:
        return any(pattern.kind is kind and matches_glob(pattern.name, name) for pattern in self.subscription.assets)

    def _compare(self, registry: str, kind: Kind, name: str, pauses: set[str], round_: Round) -> None:
        served: set[str] = set()
        most = FURTHER_LOOKS[-1] if self.all_versions else NEWEST
        for share, plan in newest_in_ledger(registry, kind, name, most, round_):
            if share.fan_out:
                self._compare_version(share, plan, served, pauses, round_)

    def _compare_version(self, share: ShareRow, plan: PlanRow, served: set[str], pauses: set[str], round_: Round) -> None:
        asset = shared_asset(share, plan.asset)
        asked_for = self._asked_for(asset, round_.rules)
        pauses |= {str(answer) for each in asked_for if isinstance(answer := still_allowed(each, asset, round_.rules), Paused)}
        decisions = planning.plan(asset, round_.rules, [self.tenant.id])
        allowed = {target_of(share, each): each for each in decisions if each.allowed}
        wanted = {target_of(share, each) for each in asked_for} - served
        mine = {target: decision for target, decision in allowed.items() if target in wanted}
        push_absent(share, deliveries_to(mine, share, round_), mine, allowed, round_)
        if not self.all_versions:
            served.update(mine)

    def _asked_for(self, asset: SharedAsset, rules: Rules) -> list[Decision]:
        """What the subscription by itself is for: that another of the tenant's brings it there too is no reason against it."""
        publisher = rules.tenant_of(asset.origin) if asset.origin else None
        alone = replace(self.tenant, subscriptions=(self.subscription,))
        decisions = decisions_of(publisher, alone, asset, rules) if publisher else []
        return [each for each in decisions if each.allowed]


def backfill_of(tenant: str, subscription: str, rules: Rules, *, all_versions: bool) -> Backfill:
    """Permanent `unknown_tenant`, `unknown_subscription`, `tenant_paused` or `subscription_paused`."""
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
        raise Permanent("tenant_paused", f"tenant {tenant} is paused, and gets nothing", Owner.PROVIDER, RESUME)
    if not found.active:
        text = f"subscription {subscription} of {tenant} is paused, and brings nothing"
        raise Permanent("subscription_paused", text, Owner.SUBSCRIBER, RESUME)
    return Backfill(known, found, all_versions)


def _names(registry: str, kind: Kind, fanout: Fanout) -> Iterator[Listed]:
    page = ""
    while True:
        listing = fanout.registries.names(registry, kind, page)
        yield from listing.names
        if not listing.next:
            return
        page = listing.next
