"""Subscriptions to which nothing can come, however assets are named: found by all that publications can let out.

That no publication fits may be so for now, as its tenant may write it later: then it is a warning.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice

from shared.assets import Kind, WorkspaceId
from shared.globs import KEPT, can_match, plain_globs
from shared.objections import left_out_of_limits
from shared.rules import EVERYONE, AssetPattern, Provider, Publication, Subscription, TagCondition, Tenant
from shared.rules_findings import Finding
from shared.rules_region_checks import covers

MOST_OFFERS = 500  # compared with one pattern; a subscription that names publishers of more is not checked

_LITERAL = re.compile(r"[^*?]*")


@dataclass(frozen=True, slots=True)
class Offer:
    """One pattern of a publication. `names` and `excepted` are globs of names in the registry, `beginnings` how names begin."""

    publisher: str
    publication: Publication
    kind: Kind
    names: tuple[str, ...]
    beginnings: tuple[str, ...]
    excepted: tuple[str, ...]
    tags: tuple[TagCondition, ...]
    workspaces: tuple[WorkspaceId, ...]

    def __str__(self) -> str:
        return f"publication {self.publication.name} of {self.publisher}"


type Offers = Mapping[str, Sequence[Offer]]
"""By their publishers' ids."""


def check_matches(tenants: Mapping[str, Tenant], provider: Provider, files: Set[str]) -> Iterator[Finding]:
    """About the subscriptions in `files`. `tenants` are all, by the file that each stands in."""
    offers = offers_of(tenants.values())
    for file in sorted(files):
        tenant = tenants[file]
        for place, subscription in enumerate(tenant.subscriptions):
            candidates = tuple(islice(_candidates(subscription, offers, provider), MOST_OFFERS + 1))
            if len(candidates) <= MOST_OFFERS:
                yield from _Check(file, place, subscription, tenant, provider).findings(candidates)


def offers_of(tenants: Iterable[Tenant]) -> Offers:
    return {tenant.id: tuple(_offers(tenant)) for tenant in tenants}


def reaching(subscription: Subscription, tenant: Tenant, provider: Provider, offers: Offers) -> Iterator[Offer]:
    """Those through which something can come to the subscription, wherever workspaces and registries lie."""
    check = _Check("", 0, subscription, tenant, provider)
    candidates = tuple(_candidates(subscription, offers, provider))
    fitting = chain.from_iterable(check.fitting(candidates, pattern) for pattern in subscription.assets)
    return (offer for offer in fitting if check.obstacle(offer) is None)


def _offers(tenant: Tenant) -> Iterator[Offer]:
    for publication in tenant.publications:
        is_told_apart = publication.rename is None or publication.rename.count("{name}") == 1  # one name, one new name
        for pattern in publication.assets:
            names = tuple(publication.name_in_registry(tenant.id, name) for name in plain_globs(pattern.name))
            excepted = pattern.except_ if is_told_apart else ()
            yield Offer(
                publisher=tenant.id,
                publication=publication,
                kind=pattern.kind,
                names=names,
                beginnings=_beginnings(names),
                excepted=tuple(publication.name_in_registry(tenant.id, glob) for glob in excepted),
                tags=pattern.tags,
                workspaces=publication.workspaces or tenant.workspaces,
            )


def _beginnings(globs: Iterable[str]) -> tuple[str, ...]:
    """What stands before the first wildcard of each."""
    return tuple(literal[0] for glob in globs if (literal := _LITERAL.match(glob)))


def _candidates(subscription: Subscription, offers: Offers, provider: Provider) -> Iterator[Offer]:
    """Of those whom the subscription names."""
    named = subscription.from_tenants
    if EVERYONE in named:
        return chain.from_iterable(offers.values())
    publishers = sorted({*named, *chain.from_iterable(provider.groups.get(name, ()) for name in named)})
    return chain.from_iterable(offers.get(publisher, ()) for publisher in publishers)


@dataclass(frozen=True, slots=True)
class _Check:
    file: str
    place: int
    subscription: Subscription
    tenant: Tenant
    provider: Provider

    def findings(self, candidates: Sequence[Offer]) -> Iterator[Finding]:
        for at, pattern in enumerate(self.subscription.assets):
            fitting = list(self.fitting(candidates, pattern))
            obstacles = [self.obstacle(offer) for offer in fitting]
            if None not in obstacles:
                yield self._nothing_comes(at, pattern, obstacles[0] if obstacles else None)
            yield from self._out_of_region([offer for offer, obstacle in zip(fitting, obstacles, strict=True) if not obstacle])

    def fitting(self, candidates: Iterable[Offer], pattern: AssetPattern) -> Iterator[Offer]:
        """Those of which an asset could be such as the pattern asks for, and come from elsewhere."""
        beginnings = _beginnings(plain_globs(pattern.name))
        alike = (offer for offer in candidates if _begin_alike(offer.beginnings, beginnings))
        return (offer for offer in alike if _fits(offer, pattern) and set(offer.workspaces) != {self.subscription.into})

    def _nothing_comes(self, at: int, pattern: AssetPattern, obstacle: str | None) -> Finding:
        named = self.subscription.from_tenants
        whose = "no tenant" if EVERYONE in named else f"none of {', '.join(named)}"
        what = f"{whose} publishes any {pattern.kind} that {pattern.name!r} stands for in the registry"
        remedy = "mind the name that `as` gives it there, the exceptions and the tags; until one is published, nothing comes"
        if obstacle:
            what, remedy = f"nothing can come by it: {obstacle}", "until that changes, nothing comes"
        return Finding(self.file, ("subscriptions", self.place, "assets", at), what, remedy, is_warning=True)

    def obstacle(self, offer: Offer) -> str | None:
        """Why the offer does not reach the tenant, wherever its workspaces are."""
        name = offer.publication.registry
        registry = self.provider.registry(name)
        if not self.provider.includes(offer.publication.to, self.tenant.id):
            return f"{offer} is not for {self.tenant.id}"
        if registry is None or not self.provider.includes(registry.readers, self.tenant.id):
            return f"{offer} goes through registry {name}, of which {self.tenant.id} is no reader"
        return left_out_of_limits(name, offer.kind, self.provider.limits)

    def _out_of_region(self, offers: Sequence[Offer]) -> Iterator[Finding]:
        """A warning where something else can come: to some of it the registry is no obstacle."""
        beyond = [offer for offer in offers if not self._covers(offer)]
        if beyond:
            into = self.subscription.into
            region, registry = self.tenant.regions[into], self.provider.registry(beyond[0].publication.registry)
            covered = ", ".join(registry.regions) if registry else ""
            what = f"workspace {into.name} is in {region}, and {beyond[0]} goes through a registry that covers {covered}"
            remedy = "lead it into a workspace in one of these regions, or have the provider add the region to the registry"
            path = ("subscriptions", self.place, "into")
            yield Finding(self.file, path, what, remedy, is_warning=len(beyond) < len(offers))

    def _covers(self, offer: Offer) -> bool:
        registry = self.provider.registry(offer.publication.registry)
        return registry is None or covers(registry, self.tenant, self.subscription.into)


def _begin_alike(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether one of each can begin the same name: rules out most, and costs little."""
    return any(one.startswith(other) or other.startswith(one) for one in some for other in others)


def _fits(offer: Offer, pattern: AssetPattern) -> bool:
    """Whether an asset's name and tags could be such as both ask for."""
    if offer.kind is not pattern.kind or not _have_in_common(offer.names, offer.excepted, pattern.name, pattern.except_):
        return False
    accepted = {condition.tag: condition.one_of for condition in offer.tags}
    both = ((accepted.get(condition.tag), condition.one_of) for condition in pattern.tags)
    return all(here is None or there is None or set(here) & set(there) for here, there in both)


@lru_cache(KEPT)
def _have_in_common(names: tuple[str, ...], excepted: tuple[str, ...], wanted: str, unwanted: tuple[str, ...]) -> bool:
    return can_match([names, [wanted]], [*excepted, *unwanted])
