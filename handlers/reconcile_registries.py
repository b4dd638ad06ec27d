"""What registries hold, and who was to get it and did not: a new subscription, a wider publication, a tenant that is resumed.

For each target, that is a workspace and a route, the newest version counts that its tenant may have and wants, among the
NEWEST of its name. Whoever subscribes gets that, and not all of history: a registry keeps versions for years, and an endpoint
could serve but one of them. `fanout backfill` brings the others, when somebody wants them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from handlers.fan_out import shared_asset, target_of
from handlers.reconcile_absent import push_absent
from handlers.reconcile_drift import look_for_drift
from handlers.reconcile_round import Round
from handlers.reconcile_withdrawn import show_withdrawn
from shared import planning
from shared.assets import Kind, RegistryAsset
from shared.listings import Listed, Listing
from shared.matching import matches_glob
from shared.planning import Decision, SharedAsset
from shared.rows import Address, DeliveryRow, PlanRow, RowKind, ShareRow
from shared.rules import Rules
from shared.states import DeliveryState, ShareState

NEWEST = 5  # versions of a name that are compared with their deliveries
FEW = 20  # targets; those of more are found sooner among all deliveries of their asset, a thousand a request


@dataclass(frozen=True, slots=True)
class SubscribedRegistry:
    """One kind of asset of one registry. `wanted` are globs of the names to look at, `only` the tenants whose changes matter.

    `drift`: look too whether what was delivered is still there, and allowed; and leave what is on its way to a later look.
    """

    registry: str
    kind: Kind
    wanted: frozenset[str]
    only: frozenset[str] | None
    drift: bool

    @property
    def key(self) -> str:
        return f"2|{self.registry}|{self.kind}"

    @property
    def described(self) -> tuple[str, str, str]:
        return f"all {self.kind.plural}", "", self.registry

    def names(self, page: str, round_: Round) -> Listing:
        return round_.fanout.registries.names(self.registry, self.kind, page)

    def visit(self, round_: Round) -> Callable[[Listed], None]:
        return _Visit(self, round_).look_at


def all_registries(rules: Rules) -> Iterator[SubscribedRegistry]:
    """All names, also those that nobody subscribes to any more: they may have been delivered."""
    for registry in rules.provider.registries:
        for kind in Kind:
            yield SubscribedRegistry(registry.name, kind, frozenset("*"), None, drift=True)


def concerned_registries(rules: Rules, changed: frozenset[str] | None) -> Iterator[SubscribedRegistry]:
    """Where these tenants' changes matter: what one subscribes to, and, where it publishes, what anyone does. None: all tenants."""
    changes = [tenant for tenant in rules.tenants.values() if changed is None or tenant.id in changed]
    subscribers = rules.tenants.values() if any(tenant.publications for tenant in changes) else changes
    wanted: dict[Kind, set[str]] = defaultdict(set)
    for tenant in subscribers:
        for pattern in (pattern for subscription in tenant.subscriptions for pattern in subscription.assets):
            wanted[pattern.kind].add(pattern.name)
    for registry in rules.provider.registries:
        for kind, globs in wanted.items():
            yield SubscribedRegistry(registry.name, kind, frozenset(globs), changed, drift=False)


class _Visit:
    def __init__(self, place: SubscribedRegistry, round_: Round) -> None:
        self._place = place
        self._round = round_

    def look_at(self, listed: Listed) -> None:
        place, round_ = self._place, self._round
        if not any(matches_glob(glob, listed.name) for glob in place.wanted):
            return
        round_.looked()
        served: set[str] = set()
        watched: set[str] = set()
        for share, plan in newest_in_ledger(place.registry, place.kind, listed.name, NEWEST, round_):
            if place.drift and share.state is ShareState.FANNING_OUT:
                break
            self._compare(share, plan, served, watched)
        round_.send()

    def _compare(self, share: ShareRow, plan: PlanRow, served: set[str], watched: set[str]) -> None:
        """The decisions about one version, beside its deliveries. A newer one is for the targets `served`, stands at `watched`."""
        asset = shared_asset(share, plan.asset)
        allowed = {target_of(share, each): each for each in self._decisions(asset) if each.allowed}
        few = not self._place.drift and len(allowed) <= FEW
        rows = deliveries_to(allowed, share, self._round) if few else deliveries_of(share, self._round)
        wanted = allowed.keys() if share.fan_out else allowed.keys() & rows.keys()
        mine = {target: decision for target, decision in allowed.items() if target in wanted and target not in served}
        push_absent(share, rows, mine, allowed, self._round)
        served.update(mine)
        if self._place.drift:
            delivered = [row for row in rows.values() if row.state is DeliveryState.DELIVERED]
            standing = {row.row: row for row in delivered if not show_withdrawn(row, asset, self._round)}
            newest = standing.keys() & allowed.keys() - watched
            look_for_drift([standing[target] for target in newest], self._round)
            watched.update(newest)

    def _decisions(self, asset: SharedAsset) -> Sequence[Decision]:
        """For all, where the publisher of today, who may not have shared it, is one of those whose changes matter."""
        only, rules = self._place.only, self._round.rules
        publisher = rules.tenant_of(asset.origin) if asset.origin else None
        return planning.plan(asset, rules, None if only is None or (publisher and publisher.id in only) else only)


def newest_in_ledger(registry: str, kind: Kind, name: str, most: int, round_: Round) -> list[tuple[ShareRow, PlanRow]]:
    """Those of the versions that came to the registry last, newest first: by when they were registered at their origin."""
    found = round_.fanout.registries.newest(registry, kind, name, most)
    known = [shared for each in found if (shared := _in_ledger(each, round_))]
    return sorted(known, key=lambda shared: shared[0].rank, reverse=True)


def _in_ledger(found: RegistryAsset, round_: Round) -> tuple[ShareRow, PlanRow] | None:
    """The share and the plan of a version; None for what no tenant shared, or what was taken back."""
    rows = round_.fanout.rows
    share = rows.get(ShareRow.address_of(found.registry, found.asset))
    if not isinstance(share, ShareRow) or share.origin is None or share.recall:
        return None
    if share.state is not ShareState.SHARED and share.state is not ShareState.FANNING_OUT:
        return None  # its own fan-out follows
    plan = rows.plan(found.asset, found.registry)
    return None if plan is None or plan.recall else (share, plan)


def deliveries_to(targets: Iterable[str], share: ShareRow, round_: Round) -> Mapping[str, DeliveryRow]:
    """Those of the asset to these targets, open and closed, however many others have it."""
    addresses = [Address(RowKind.DELIVERY, share.asset.key, target) for target in targets]
    return {row.row: row for address in addresses if (row := round_.fanout.rows.find_delivery(address))}


def deliveries_of(share: ShareRow, round_: Round) -> Mapping[str, DeliveryRow]:
    """Those of the asset, open and closed, by their targets."""
    rows = round_.fanout.rows
    opened = list(rows.open_deliveries(share.asset.key))  # first: one that ends meanwhile is found among the closed
    return {row.row: row for row in (*opened, *rows.closed_deliveries(share.asset.key)) if row.registry == share.registry}
