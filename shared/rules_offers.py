"""What publications let out, found by who may be named for it, by kind and by how its names begin.

Of all that 10,000 tenants publish, a subscription is held to those few offers whose names could begin as it wants.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from shared.assets import Kind, WorkspaceId
from shared.globs import plain_globs
from shared.rules import EVERYONE, Provider
from shared.tenants import AssetPattern, Publication, TagCondition, Tenant

_WILDCARD = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class Offer:
    """One pattern of a publication. `names` and `excepted` are globs of names in the registry, `endings` how the names end."""

    publisher: str
    publication: Publication
    kind: Kind
    names: tuple[str, ...]
    endings: tuple[str, ...]
    excepted: tuple[str, ...]
    tags: tuple[TagCondition, ...]
    workspaces: tuple[WorkspaceId, ...]

    def __str__(self) -> str:
        return f"publication {self.publication.name} of {self.publisher}"


class Offers:
    """Those of all tenants. `parties` are all that rules can call a tenant by, by its id."""

    def __init__(self, tenants: Iterable[Tenant], provider: Provider) -> None:
        self.parties: Mapping[str, frozenset[str]] = _parties(tenants := tuple(tenants), provider)
        shelves: dict[tuple[str, Kind], list[tuple[str, Offer]]] = defaultdict(list)
        for offer in (offer for tenant in tenants for offer in _offers(tenant)):
            for party in self.parties[offer.publisher]:
                shelves[party, offer.kind] += [(beginning, offer) for beginning in _beginnings(offer.names)]
        self._shelves = {key: _Shelf(offers) for key, offers in shelves.items()}

    def alike(self, publishers: Iterable[str], pattern: AssetPattern) -> Iterator[Offer]:
        """Of these tenants, groups or everyone: what may fit the pattern, as far as how names begin tells. Some come twice."""
        beginnings = _beginnings(plain_globs(pattern.name))
        for party, beginning in product(publishers, beginnings):
            if shelf := self._shelves.get((party, pattern.kind)):
                yield from shelf.alike(beginning)


class _Shelf:
    """Offers by how a name of theirs begins."""

    def __init__(self, offers: Iterable[tuple[str, Offer]]) -> None:
        self._offers: dict[str, list[Offer]] = defaultdict(list)
        for beginning, offer in offers:
            self._offers[beginning].append(offer)
        self._beginnings = sorted(self._offers)

    def alike(self, beginning: str) -> Iterator[Offer]:
        """Those that begin with less first: more fits them."""
        for length in range(len(beginning)):
            yield from self._offers.get(beginning[:length], ())
        for place in range(bisect_left(self._beginnings, beginning), len(self._beginnings)):
            if not self._beginnings[place].startswith(beginning):
                break
            yield from self._offers[self._beginnings[place]]


def _parties(tenants: Iterable[Tenant], provider: Provider) -> dict[str, frozenset[str]]:
    """As `Provider.names_of`, of all tenants at once."""
    groups: dict[str, set[str]] = defaultdict(set)
    for group, members in provider.groups.items():
        for member in members:
            groups[member].add(group)
    return {tenant.id: frozenset({EVERYONE, tenant.id, *groups[tenant.id]}) for tenant in tenants}


def _offers(tenant: Tenant) -> Iterator[Offer]:
    for publication in tenant.publications:
        is_told_apart = publication.rename is None or publication.rename.count("{name}") == 1  # one name, one new name
        for pattern in publication.assets:
            excepted = pattern.except_ if is_told_apart else ()
            names = tuple(publication.name_in_registry(tenant.id, name) for name in plain_globs(pattern.name))
            yield Offer(
                publisher=tenant.id,
                publication=publication,
                kind=pattern.kind,
                names=names,
                endings=endings(names),
                excepted=tuple(publication.name_in_registry(tenant.id, glob) for glob in excepted),
                tags=pattern.tags,
                workspaces=publication.workspaces or tenant.workspaces,
            )


def _beginnings(globs: Iterable[str]) -> Iterable[str]:
    """What stands before the first wildcard of each."""
    return dict.fromkeys(_WILDCARD.split(glob, 1)[0] for glob in globs)


def endings(globs: Iterable[str]) -> tuple[str, ...]:
    """What stands behind the last wildcard of each."""
    return tuple(dict.fromkeys(_WILDCARD.split(glob)[-1] for glob in globs))
