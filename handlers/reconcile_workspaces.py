"""What publishers hold, and did not share: models whose event never came, and all that raises no event.

The names of a workspace are read page by page. A name's versions are read only where something may have changed since: it is new,
it has another latest version, a publication about it is new or another, or a version waits for its tags; and at the latest
after LOOK_ANYWAY. They are read newest first, back to the last one seen: what was registered before costs nothing any more.

Of what stood there before a publication did, the newest version alone is shared: a new rule is no wish for all of history.
What came after it is shared whole, whenever it is found. A version whose tags let it out only now is found for as long as it is
among the ten newest of its name.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handlers.reconcile_round import Round, share_command
from handlers.share_command import came_from_registry
from shared.assets import Asset, Kind, WorkspaceAsset, WorkspaceId
from shared.listings import FIRST_LOOK, Listed, Listing, newest_until
from shared.matching import matches, matches_name
from shared.objections import letting_out
from shared.reconciling import Finding, Mark, Since, Waiting, Watch, What, print_of, print_of_tags
from shared.rows import Address, ShareRow
from shared.rules import Rules
from shared.tenants import Publication, Tenant

LOOK_ANYWAY = timedelta(days=1)
SETTLING = timedelta(minutes=5)  # a list may show a version before an older one

type LettingOut = Callable[[WorkspaceAsset], Sequence[Publication]]


@dataclass(frozen=True, slots=True)
class PublishingWorkspace:
    """One kind of asset of one workspace, and the publications that are about it."""

    tenant: Tenant
    workspace: WorkspaceId
    kind: Kind
    publications: tuple[Publication, ...]

    @property
    def key(self) -> str:
        return f"1|{self.workspace.canonical}|{self.kind}"

    @property
    def described(self) -> tuple[str, str, str]:
        return f"all {self.kind.plural}", self.tenant.id, self.workspace.name

    def names(self, page: str, round_: Round) -> Listing:
        with round_.fanout.fairness.admitted(self.workspace):
            return round_.fanout.workspaces.names(self.workspace, self.kind, page)

    def visit(self, round_: Round) -> Callable[[Listed], None]:
        return _Visit(self, round_).look_at


def publishing_workspaces(rules: Rules) -> Iterator[PublishingWorkspace]:
    """Of active tenants: while one is paused nothing is shared, and nothing is passed over."""
    for tenant in rules.tenants.values():
        for workspace in tenant.workspaces if tenant.active else ():
            about = [each for each in tenant.publications if not each.workspaces or workspace in each.workspaces]
            for kind in Kind:
                of_kind = tuple(each for each in about if any(pattern.kind is kind for pattern in each.assets))
                if of_kind:
                    yield PublishingWorkspace(tenant, workspace, kind, of_kind)


class _Visit:
    def __init__(self, place: PublishingWorkspace, round_: Round) -> None:
        self._place = place
        self._round = round_
        watch, self._marks = round_.fanout.reconciling.seen(place.workspace, place.kind)
        self._watch = watching(watch, place.publications, round_.now)
        if self._watch != watch and not round_.dry_run:
            self._watch = round_.fanout.reconciling.save_watch(self._watch)

    def look_at(self, listed: Listed) -> None:
        about = self._letting_out(listed.name, None)
        if not about:
            return
        mark = self._marks.get(listed.name)
        catching_up = mark is None or any(self._watch.of(each.name) > mark.looked_at for each in about)
        if mark and not catching_up and self._is_known(listed, mark):
            return
        self._round.looked()
        seen = mark.seen if mark else min(self._watch.of(each.name) for each in about)
        versions = list(newest_until(seen, lambda most: self._newest(listed.name, most)))
        retagged = retagged_of(versions, mark.waiting if mark else ())
        again = retagged.union(mark.asked if mark else ())
        wanted = to_share(versions, seen, again, self._published, catching_up=catching_up)
        asked = [each.asset.version for each in wanted if self._share(each, retagged=each.asset.version in retagged)]
        self._round.send()
        if not self._round.dry_run:
            marked = replace(self._marked(listed, versions, seen), asked=tuple(asked), etag=mark.etag if mark else "")
            self._round.fanout.reconciling.save_mark(marked)

    def _is_known(self, listed: Listed, mark: Mark) -> bool:
        """What was asked for may have been refused: that is asked again by other rules, or on another day."""
        may_be_refused = mark.asked and mark.revision != self._round.rules.revision
        open_questions = mark.waiting or may_be_refused
        return mark.stamp == listed.stamp and not open_questions and self._round.now - mark.looked_at < LOOK_ANYWAY

    def _marked(self, listed: Listed, versions: Sequence[WorkspaceAsset], seen: datetime) -> Mark:
        settled = self._round.now - SETTLING
        return Mark(
            workspace=self._place.workspace,
            kind=self._place.kind,
            name=listed.name,
            stamp=listed.stamp,
            seen=max([seen, *(each.created_at for each in versions if each.created_at <= settled)]),
            looked_at=self._round.now,
            waiting=tuple(
                Waiting(each.asset.version, print_of_tags(each.tags)) for each in versions[:FIRST_LOOK] if self._waits(each)
            ),
            revision=self._round.rules.revision,
        )

    def _newest(self, name: str, most: int) -> Sequence[WorkspaceAsset]:
        place = self._place
        with self._round.fanout.fairness.admitted(place.workspace):
            return self._round.fanout.workspaces.newest(place.workspace, place.kind, name, most)

    def _waits(self, found: WorkspaceAsset) -> bool:
        """Whether other tags would let it out, or let it out and bring it to somebody more."""
        published = self._published(found)
        names = {publication.name_in_registry(self._place.tenant.id, found.asset.name) for publication in published}
        asked = self._round.asked_by_tags[self._place.kind]
        return not published or any(
            matches_name(pattern, found.asset.kind, name) and not matches(pattern, found.asset.kind, name, found.tags)
            for pattern in asked
            for name in names
        )

    def _share(self, found: WorkspaceAsset, *, retagged: bool) -> bool:
        """Ask for it, unless it is on its way to every registry that it is published to, or came from one.

        To share one again that has other tags now brings these after it.
        """
        place, rows = self._place, self._round.fanout.rows
        missing = [
            publication.registry
            for publication in self._published(found)
            if rows.get(_address(publication, place.tenant.id, found.asset)) is None
        ]
        if not (missing or retagged) or came_from_registry(place.workspace, found, self._round.rules, self._round.fanout):
            return False
        why = f"registered {found.created_at:%Y-%m-%d %H:%M}, and not in registry {', '.join(sorted(set(missing)))}"
        if not missing:
            why = f"it has other tags now: {', '.join(f'{tag}={value}' for tag, value in sorted(found.tags.items()))}"
        finding = Finding(
            What.UNSHARED if missing else What.RETAGGED, str(found.asset), place.tenant.id, place.workspace.name, why, "share"
        )
        self._round.note(finding, share_command(place.workspace, found.asset))
        return True

    def _published(self, found: WorkspaceAsset) -> Sequence[Publication]:
        return self._letting_out(found.asset.name, found.tags)

    def _letting_out(self, name: str, tags: Mapping[str, str] | None) -> Sequence[Publication]:
        place = self._place
        return list(letting_out(place.tenant, Asset(place.kind, name, ""), place.workspace, tags, self._round.rules))


def watching(watch: Watch, publications: Iterable[Publication], now: datetime) -> Watch:
    """The watch over these publications: one that is new, or another than it was, is known from now on."""
    known = {(each.publication, each.print): each for each in watch.since}
    since = (
        known.get((publication.name, print_of(publication))) or Since(publication.name, print_of(publication), now)
        for publication in publications
    )
    return replace(watch, since=tuple(sorted(since, key=lambda each: each.publication)))


def to_share(
    versions: Sequence[WorkspaceAsset], seen: datetime, again: Collection[str], published: LettingOut, *, catching_up: bool
) -> list[WorkspaceAsset]:
    """Which of a name's versions, newest first, are to be shared, oldest first.

    All that came after `seen`; of the others those to be looked at `again` and, when catching up with a rule, the newest.
    """
    found = []
    for version in versions:
        is_new = version.created_at > seen
        if published(version) and (is_new or catching_up or version.asset.version in again):
            found.append(version)
            catching_up = catching_up and is_new
    return found[::-1]


def retagged_of(versions: Sequence[WorkspaceAsset], waiting: Sequence[Waiting]) -> frozenset[str]:
    """The versions that waited, and have other tags now."""
    before = {each.version: each.print for each in waiting}
    now = {each.asset.version: print_of_tags(each.tags) for each in versions}
    return frozenset(version for version, tags in before.items() if now.get(version, tags) != tags)


def _address(publication: Publication, tenant: str, asset: Asset) -> Address:
    named = replace(asset, name=publication.name_in_registry(tenant, asset.name))
    return ShareRow.address_of(publication.registry, named)
