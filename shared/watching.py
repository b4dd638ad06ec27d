"""What was seen of a workspace, so that nobody reads its history again; and what of it is to be shared: values and pure functions.

Each publication follows each name by itself. Of what stood there before the publication did, or before it became another, the
newest version is shared; what came after it is shared whole. While it is paused nothing is passed over: `Reached` stays.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from shared.assets import Kind, WorkspaceAsset, WorkspaceId
from shared.keys import key
from shared.tenants import Publication

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

type LettingOut = Callable[[WorkspaceAsset], Collection[str]]
"""The names of the publications that let a version out."""


@dataclass(frozen=True, slots=True)
class Since:
    """Since when a publication is in force as it is, at the earliest. `print` differs where the publication does.

    `begun` is since when there is one of this name: what was seen by one that was there before is forgotten.
    """

    publication: str
    print: str
    at: datetime
    begun: datetime = LONG_AGO


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that other tags would let out, or bring to other subscribers. `print` differs where its tags do."""

    version: str
    print: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a publication, as it was by this `print`, came with a name: all that was registered up to `upto` was asked for."""

    publication: str
    print: str
    upto: datetime
    looked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What was seen of one name in a workspace.

    `waiting` are those of the newest versions that may be wanted once their tags change, `asked` those that were to be shared when
    they were looked at, by rules of this `revision`: nobody knows yet whether they were.
    """

    workspace: WorkspaceId
    kind: Kind
    name: str
    stamp: str
    looked_at: datetime
    reached: tuple[Reached, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    asked: tuple[str, ...] = ()
    revision: int = 0
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Position:
    """Where one publication stands at a name: what came `after` is to be shared, and the newest before it when `catching_up`."""

    publication: str
    print: str
    after: datetime
    catching_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Which publications of a tenant the reconciler knows to be about one kind of asset of one workspace."""

    workspace: WorkspaceId
    kind: Kind
    tenant: str = ""
    since: tuple[Since, ...] = ()
    etag: str = field(default="", compare=False)

    @staticmethod
    def partition(workspace: WorkspaceId, kind: Kind) -> str:
        return key(workspace.canonical, kind)

    def over(self, publications: Iterable[Publication], tenant: str, at: datetime) -> "Watch":
        """The watch over these publications of a tenant: one that is new, or another than it was, is in force since then."""
        known = {each.publication: each for each in self.since}
        since = (_since(known.get(each.name), Since(each.name, print_of(each, tenant), at, begun=at)) for each in publications)
        return replace(self, tenant=tenant, since=tuple(sorted(since, key=lambda each: each.publication)))

    def position(self, publication: str, mark: Mark | None) -> Position:
        since = next(each for each in self.since if each.publication == publication)
        reached = next((each for each in mark.reached if each.publication == publication), None) if mark else None
        if reached is None or reached.looked_at < since.begun:
            return Position(publication, since.print, since.at, catching_up=True)
        return Position(publication, since.print, reached.upto, catching_up=since.print != reached.print)

    def followed(self, mark: Mark, publications: Iterable[str]) -> bool:
        """Whether the last look at the name was by all of these, as they are."""
        by = {each.publication for each in mark.reached if each.looked_at >= mark.looked_at}
        return all(each in by and not self.position(each, mark).catching_up for each in publications)

    def after_look(
        self, mark: Mark | None, positions: Iterable[Position], upto: datetime | None, now: datetime
    ) -> tuple[Reached, ...]:
        """These publications reached the version registered at `upto`, the last one that was seen. Others stay where they are."""
        looked = {
            each.publication: Reached(each.publication, each.print, max(each.after, upto or each.after), now) for each in positions
        }
        known = {each.publication for each in self.since}
        others = [each for each in (mark.reached if mark else ()) if each.publication in known - looked.keys()]
        return (*others, *looked.values())


def _since(known: Since | None, now: Since) -> Since:
    if known is None:
        return now
    return known if known.print == now.print else replace(now, begun=known.begun)


def to_share(
    versions: Sequence[WorkspaceAsset], positions: Iterable[Position], again: Collection[str], lets_out: LettingOut
) -> list[WorkspaceAsset]:
    """Which of a name's versions, newest first, are to be shared, oldest first; those to be looked at `again` among them."""
    by_whom = [(version, lets_out(version)) for version in versions]
    wanted = set(again)
    for position in positions:
        catching_up = position.catching_up
        for version, publications in by_whom:
            is_new = version.created_at > position.after
            if position.publication in publications and (is_new or catching_up):
                wanted.add(version.asset.version)
                catching_up = catching_up and is_new
    return [version for version, publications in reversed(by_whom) if publications and version.asset.version in wanted]


def retagged_of(versions: Sequence[WorkspaceAsset], waiting: Sequence[Waiting]) -> frozenset[str]:
    """The versions that waited, and have other tags now."""
    before = {each.version: each.print for each in waiting}
    now = {each.asset.version: print_of_tags(each.tags) for each in versions}
    return frozenset(version for version, tags in before.items() if now.get(version, tags) != tags)


def print_of(publication: Publication, tenant: str) -> str:
    """Differs where other assets may leave, or go elsewhere: not where others get them, and not while it is paused."""
    rename = publication.rename and publication.name_in_registry(tenant, "{name}")
    patterns = [(each.kind, each.name, each.except_, [(tag.tag, tag.one_of) for tag in each.tags]) for each in publication.assets]
    workspaces = sorted(workspace.canonical for workspace in publication.workspaces)
    return key(json.dumps([publication.registry, rename, workspaces, patterns]))


def print_of_tags(tags: Mapping[str, str]) -> str:
    return key(*(f"{tag}={value}" for tag, value in sorted(tags.items())))
