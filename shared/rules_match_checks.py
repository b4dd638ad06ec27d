"""Subscriptions to which nothing can come, however assets are named: found by all that publications can let out.

That no publication fits may be so for now, as its tenant may write it later: then it is a warning.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache

from shared.globs import KEPT, can_match, has_wildcard, plain_globs
from shared.marked_yaml import Path
from shared.matching import matches_glob
from shared.objections import left_out_of_limits
from shared.rules import EVERYONE, Provider
from shared.rules_findings import Finding
from shared.rules_offers import Offer, Offers, endings
from shared.rules_region_checks import covers
from shared.tenants import AssetPattern, Subscription, Tenant

MOST_LOOKS = 10_000_000  # at offers, for all subscriptions together: half a minute


@dataclass(slots=True)
class Looks:
    """How many may still be taken, and the patterns for which they did not suffice, each with its file."""

    left: int
    unchecked: list[tuple[str, Path]] = field(default_factory=list)


@dataclass(slots=True)
class Outlook:
    """What can come by a pattern: an offer `within` the regions of its registry, one `beyond` them, and why others cannot."""

    within: Offer | None = None
    beyond: Offer | None = None
    obstacle: str | None = None


def check_matches(
    tenants: Mapping[str, Tenant], provider: Provider, files: Set[str], most_looks: int = MOST_LOOKS
) -> Iterator[Finding]:
    """About the subscriptions in `files`. `tenants` are all, by the file that each stands in."""
    offers, looks = Offers(tenants.values(), provider), Looks(most_looks)
    for file in sorted(files):
        tenant = tenants[file]
        for place, subscription in enumerate(tenant.subscriptions):
            yield from _Check(file, place, subscription, tenant, provider, offers, looks).findings()
    if looks.unchecked:
        yield _unchecked(looks)


def reaching(subscription: Subscription, tenant: Tenant, provider: Provider, offers: Offers) -> Iterator[Offer]:
    """Those through which something can come to the subscription, wherever workspaces and registries lie."""
    check = _Check("", 0, subscription, tenant, provider, offers, Looks(0))
    for pattern in subscription.assets:
        for offer in offers.alike(subscription.from_tenants, pattern):
            if check.obstacle(offer) is None and check.fits(offer, pattern):
                yield offer


def _unchecked(looks: Looks) -> Finding:
    file, path = looks.unchecked[0]
    others = f", nor by {len(looks.unchecked) - 1} more" if len(looks.unchecked) > 1 else ""
    what = f"whether anything can come by it was not checked{others}: too much is published to go through"
    remedy = "name publishers instead of '*', or let names begin with what those that are meant have in common"
    return Finding(file, path, what, remedy, is_warning=True)


class _Check:
    def __init__(
        self, file: str, place: int, subscription: Subscription, tenant: Tenant, provider: Provider, offers: Offers, looks: Looks
    ) -> None:
        self._file, self._place, self._subscription, self._tenant = file, place, subscription, tenant
        self._provider, self._offers, self._looks = provider, offers, looks
        self._parties = offers.parties[tenant.id]
        self._beyond = {each.name for each in provider.registries if not covers(each, tenant, subscription.into)}

    def findings(self) -> Iterator[Finding]:
        for at, pattern in enumerate(self._subscription.assets):
            path: Path = ("subscriptions", self._place, "assets", at)
            outlook = self._outlook(pattern)
            if outlook is None:
                self._looks.unchecked.append((self._file, path))
                continue
            if not outlook.within and not outlook.beyond:
                yield self._nothing_comes(path, pattern, outlook.obstacle)
            if outlook.beyond:
                yield self._out_of_region(outlook.beyond, something_comes=outlook.within is not None)

    def _outlook(self, pattern: AssetPattern) -> Outlook | None:
        """None where it took too many looks."""
        found = Outlook()
        for offer in self._offers.alike(self._subscription.from_tenants, pattern):
            if not self._looks.left:
                return None
            self._looks.left -= 1
            obstacle = self.obstacle(offer)
            if (obstacle and found.obstacle) or not self.fits(offer, pattern):
                continue
            if obstacle:
                found.obstacle = obstacle
            elif offer.publication.registry in self._beyond:
                found.beyond = found.beyond or offer
            else:
                found.within = offer
            if found.within and (found.beyond or not self._beyond):
                break
        return found

    def fits(self, offer: Offer, pattern: AssetPattern) -> bool:
        """Whether an asset could be of it that is such as the pattern asks for, and comes from elsewhere."""
        return _fits(offer, pattern) and set(offer.workspaces) != {self._subscription.into}

    def obstacle(self, offer: Offer) -> str | None:
        """Why the offer does not reach the tenant, wherever its workspaces are."""
        name = offer.publication.registry
        registry = self._provider.registry(name)
        if self._parties.isdisjoint(offer.publication.to):
            return f"{offer} is not for {self._tenant.id}"
        if registry is None or self._parties.isdisjoint(registry.readers):
            return f"{offer} goes through registry {name}, of which {self._tenant.id} is no reader"
        return left_out_of_limits(name, offer.kind, self._provider.limits)

    def _nothing_comes(self, path: Path, pattern: AssetPattern, obstacle: str | None) -> Finding:
        named = self._subscription.from_tenants
        whose = "no tenant" if EVERYONE in named else f"none of {', '.join(named)}"
        what = f"{whose} publishes any {pattern.kind} that {pattern.name!r} stands for in the registry"
        remedy = "mind the name that `as` gives it there, the exceptions and the tags; until one is published, nothing comes"
        if obstacle:
            what, remedy = f"nothing can come by it: {obstacle}", "until that changes, nothing comes"
        return Finding(self._file, path, what, remedy, is_warning=True)

    def _out_of_region(self, offer: Offer, *, something_comes: bool) -> Finding:
        """A warning where something else can come."""
        into = self._subscription.into
        region, registry = self._tenant.regions[into], self._provider.registry(offer.publication.registry)
        covered = ", ".join(registry.regions) if registry else ""
        what = f"workspace {into.name} is in {region}, and {offer} goes through a registry that covers {covered}"
        remedy = "lead it into a workspace in one of these regions, or have the provider add the region to the registry"
        return Finding(self._file, ("subscriptions", self._place, "into"), what, remedy, is_warning=something_comes)


def _fits(offer: Offer, pattern: AssetPattern) -> bool:
    """Whether an asset's name and tags could be such as both ask for. What costs little and rules out much comes first."""
    ends = endings(plain_globs(pattern.name))
    if not any(one.endswith(other) or other.endswith(one) for one in offer.endings for other in ends):
        return False
    accepted = {condition.tag: condition.one_of for condition in offer.tags}
    both = ((accepted.get(condition.tag), condition.one_of) for condition in pattern.tags)
    if not all(here is None or there is None or set(here) & set(there) for here, there in both):
        return False
    return _have_in_common(offer.names, offer.excepted, pattern.name, pattern.except_)


@lru_cache(KEPT)
def _have_in_common(names: tuple[str, ...], excepted: tuple[str, ...], wanted: str, unwanted: tuple[str, ...]) -> bool:
    if any(map(has_wildcard, names)):
        return can_match([names, [wanted]], [*excepted, *unwanted])
    exceptions = (*excepted, *unwanted)
    return any(matches_glob(wanted, name) and not any(matches_glob(glob, name) for glob in exceptions) for name in names)
