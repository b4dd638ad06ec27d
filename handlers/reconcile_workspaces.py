"""What publishers hold, and did not share: models whose event never came, and all that raises no event.

The names of a workspace are read page by page. A name's versions are read only where something may have changed since: it is new,
it has another latest version, a publication about it is new, another or resumed, or a version waits for its tags; and at the
latest after LOOK_ANYWAY. They are read newest first, back to the last one seen: what was registered before costs nothing any more.

`shared.watching` says what of them is to be shared. A version whose tags let it out only now, or no more, is found for as long as
it is among the ten newest of its name.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.reconcile_round import Round
from handlers.reconcile_shares import ask_for_share, standing_shares
from handlers.share_request import ShareRequest
from shared.assets import Asset, Kind, WorkspaceAsset, WorkspaceId
from shared.listings import FIRST_LOOK, FURTHER_LOOKS, Listed, Listing, newest_until
from shared.matching import matches_name
from shared.objections import letting_out
from shared.rules import Rules
from shared.tenants import Publication, Tenant, TenantState
from shared.watching import Mark, Position, Waiting, print_of_tags, retagged_of, to_share

LOOK_ANYWAY = timedelta(days=1)
FEW = 5  # versions; more are found sooner in one list
SETTLING = timedelta(minutes=5)  # a list may show a version before an older one


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
        """No names while the tenant is paused: nothing is shared then, and nothing is passed over."""
        if not (self.publications and self.tenant.active):
            return Listing(())
        with round_.fanout.fairness.admitted(self.workspace):
            return round_.fanout.workspaces.names(self.workspace, self.kind, page)

    def visit(self, round_: Round) -> Callable[[Listed], None]:
        return _Visit(self, round_).look_at


def publishing_workspaces(rules: Rules) -> Iterator[PublishingWorkspace]:
    return _publishing(rules.tenants.values())


def concerned_workspaces(round_: Round, changed: frozenset[str] | None) -> Iterator[PublishingWorkspace]:
    """Where these tenants publish, and where they did and nothing is published any more: that is to be known. None: all tenants."""
    rules = round_.rules
    yield from _publishing(tenant for tenant in rules.tenants.values() if changed is None or tenant.id in changed)
    for tenant, workspace, kind in round_.fanout.reconciling.watched(changed):
        owner = rules.tenant_of(workspace)
        if owner is None or not _about(owner, workspace, kind):
            yield PublishingWorkspace(Tenant(tenant, TenantState.ACTIVE, (workspace,)), workspace, kind, ())


def _publishing(tenants: Iterable[Tenant]) -> Iterator[PublishingWorkspace]:
    for tenant in tenants:
        for workspace in tenant.workspaces:
            for kind in Kind:
                if about := _about(tenant, workspace, kind):
                    yield PublishingWorkspace(tenant, workspace, kind, about)


def _about(tenant: Tenant, workspace: WorkspaceId, kind: Kind) -> tuple[Publication, ...]:
    there = [each for each in tenant.publications if not each.workspaces or workspace in each.workspaces]
    return tuple(each for each in there if any(pattern.kind is kind for pattern in each.assets))


class _Visit:
    def __init__(self, place: PublishingWorkspace, round_: Round) -> None:
        self._place = place
        self._round = round_
        watch, marks = round_.fanout.reconciling.seen(place.workspace, place.kind)
        self._marks = dict(marks)
        self._watch = watch.over(place.publications, place.tenant.id, round_.after or round_.now)
        if self._watch != watch and not round_.dry_run:
            self._watch = round_.fanout.reconciling.save_watch(self._watch)

    def look_at(self, listed: Listed) -> None:
        mark = self._marks.get(listed.name)
        by = [publication.name for publication in self._letting_out(listed.name, None)]
        if not by or (mark and self._is_known(listed, mark, by)):
            return
        self._round.looked()
        positions = [self._watch.position(publication, mark) for publication in by]
        versions = self._versions(listed.name, min(each.after for each in positions), mark)
        retagged = self._retagged(versions, mark, by)
        wanted = self._wanted(listed.name, versions, positions, retagged.union(mark.asked if mark else ()))
        lost = [each for each in versions if each.asset.version in retagged and not self._by(each) and self._was_shared(each)]
        asked = [each for each in (*wanted, *lost) if self._share(each, retagged=each.asset.version in retagged)]
        self._round.send()
        if not self._round.dry_run:
            self._save(listed, mark, positions, versions, asked)

    def _is_known(self, listed: Listed, mark: Mark, by: Sequence[str]) -> bool:
        """What was asked for may have been refused: that is looked at again by other rules, or on another day."""
        other_rules = mark.revision != self._round.rules.revision
        may_be_refused = mark.asked and (self._round.thorough or other_rules)
        if mark.stamp != listed.stamp or mark.waiting or may_be_refused or self._round.now - mark.looked_at >= LOOK_ANYWAY:
            return False
        return self._watch.followed(mark, by) and not (other_rules and self._depends_on_tags(listed.name))

    def _save(
        self,
        listed: Listed,
        mark: Mark | None,
        positions: Sequence[Position],
        versions: Sequence[WorkspaceAsset],
        asked: Sequence[WorkspaceAsset],
    ) -> None:
        now = self._round.now
        settled = max((each.created_at for each in versions if each.created_at <= now - SETTLING), default=None)
        seen = Mark(
            workspace=self._place.workspace,
            kind=self._place.kind,
            name=listed.name,
            stamp=listed.stamp,
            looked_at=now,
            reached=self._watch.after_look(mark, positions, settled, now),
            waiting=self._waiting(listed.name, versions[:FIRST_LOOK]),
            asked=tuple(each.asset.version for each in asked),
            revision=self._round.rules.revision,
            etag=mark.etag if mark else "",
        )
        self._marks[listed.name] = self._round.fanout.reconciling.save_mark(seen)  # a page may list it again

    def _versions(self, name: str, after: datetime, mark: Mark | None) -> list[WorkspaceAsset]:
        """Newest first, back to `after`; and what was asked for before, however long ago it came."""
        found = list(newest_until(after, lambda most: self._newest(name, most)))
        older = set(mark.asked if mark else ()) - {each.asset.version for each in found}
        if len(older) > FEW:
            return list(self._newest(name, FURTHER_LOOKS[-1]))
        asked = [there for version in sorted(older) if (there := self._one(Asset(self._place.kind, name, version)))]
        return found + sorted(asked, key=lambda each: each.rank, reverse=True)

    def _one(self, asset: Asset) -> WorkspaceAsset | None:
        place = self._place
        with self._round.fanout.fairness.admitted(place.workspace):
            found = self._round.fanout.workspaces.asset(place.workspace, asset)
        return found if found and not found.archived else None

    def _newest(self, name: str, most: int) -> Sequence[WorkspaceAsset]:
        place = self._place
        with self._round.fanout.fairness.admitted(place.workspace):
            return self._round.fanout.workspaces.newest(place.workspace, place.kind, name, most)

    def _retagged(self, versions: Sequence[WorkspaceAsset], mark: Mark | None, by: Sequence[str]) -> frozenset[str]:
        """Those with other tags than at the last look, or, where that was not by all of these, than they were shared with.

        Where somebody waits for all that differs, what was found at that look counts for nothing: it may have been rejected.
        """
        waiting = mark.waiting if mark else ()
        is_known = mark and self._watch.followed(mark, by) and not self._round.thorough
        known = {each.version for each in waiting} if is_known else set()
        others = [each for each in versions[:FIRST_LOOK] if each.asset.version not in known]
        retagged = retagged_of(versions, waiting)
        if others and self._depends_on_tags(others[0].asset.name):
            retagged |= {each.asset.version for each in others if self._has_other_tags(each)}
        return retagged

    def _wanted(
        self, name: str, versions: Sequence[WorkspaceAsset], positions: Sequence[Position], again: Collection[str]
    ) -> list[WorkspaceAsset]:
        """What was recalled is not among them. It is asked for where there is something to share at all, which is seldom."""
        if not to_share(versions, positions, again, self._by):
            return []
        recalled = self._round.fanout.reconciling.recalled(self._place.workspace, self._place.kind, name)
        return to_share([each for each in versions if each.asset.version not in recalled], positions, again, self._by)

    def _waiting(self, name: str, versions: Sequence[WorkspaceAsset]) -> tuple[Waiting, ...]:
        """These versions, where other tags would let them out by one publication more, or less, or bring them to others."""
        if not self._depends_on_tags(name):
            return ()
        return tuple(Waiting(each.asset.version, print_of_tags(each.tags)) for each in versions)

    def _depends_on_tags(self, name: str) -> bool:
        published = self._letting_out(name, None)
        if len(self._letting_out(name, {})) < len(published):
            return True
        names = {publication.name_in_registry(self._place.tenant.id, name) for publication in published}
        asked = self._round.asked_by_tags[self._place.kind]
        return any(matches_name(pattern, self._place.kind, each) for pattern in asked for each in names)

    def _share(self, found: WorkspaceAsset, *, retagged: bool) -> bool:
        place = self._place
        by = self._letting_out(found.asset.name, found.tags)
        return ask_for_share(place.tenant, place.workspace, found, by, self._round, retagged=retagged)

    def _standing_shares(self, found: WorkspaceAsset) -> Iterator[ShareRequest]:
        """Whatever tags it has now."""
        place = self._place
        by = self._letting_out(found.asset.name, None)
        return standing_shares(place.tenant, place.workspace, found, by, self._round)

    def _was_shared(self, found: WorkspaceAsset) -> bool:
        return any(self._standing_shares(found))

    def _has_other_tags(self, found: WorkspaceAsset) -> bool:
        """Than it was shared with."""
        return any(request.retagged(self._round.fanout) for request in self._standing_shares(found))

    def _by(self, found: WorkspaceAsset) -> list[str]:
        return [publication.name for publication in self._letting_out(found.asset.name, found.tags)]

    def _letting_out(self, name: str, tags: Mapping[str, str] | None) -> list[Publication]:
        """None that is paused: it lets nothing out, and what it would is not passed over."""
        place = self._place
        found = letting_out(place.tenant, Asset(place.kind, name, ""), place.workspace, tags, self._round.rules)
        return [publication for publication in found if publication.active]
