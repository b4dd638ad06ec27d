"""The reconciler: what is wanted by the rules, beside what the rows and Azure ML say, at a price that follows change, not history.

Two walks, each over the workspaces of publishers and then over the registries, name by name. The first follows changes of the
rules, so that a new subscription need not wait for the second, which comes by everywhere, again and again, and finds what nobody
announced. The timer goes on where its last run stopped, and stops where its bounds are reached. `Cursor` holds the place, under
its ETag: one run at a time.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from handlers.reconcile_registries import all_registries, concerned_registries
from handlers.reconcile_round import Bounds, Round, boundless, bounds, no_bounds
from handlers.reconcile_workspaces import publishing_workspaces
from shared import logs
from shared.errors import Lost
from shared.listings import Listed, Listing
from shared.ports import Fanout
from shared.reconciling import Cursor, Finding, Place, changed_in

log = logging.getLogger("fanout.reconcile")

LONGEST = timedelta(seconds=60)  # of the timer's runs
MOST_LOOKS = 200  # of one of these; each is a handful of calls
TURN = timedelta(minutes=5)  # whoever does not write the cursor for so long is dead


class Item(Protocol):
    """Some names to walk over. `key` orders the items."""

    @property
    def key(self) -> str: ...
    @property
    def described(self) -> tuple[str, str, str]: ...
    def names(self, page: str, round_: Round) -> Listing: ...
    def visit(self, round_: Round) -> Callable[[Listed], None]: ...


class BusyError(Exception):
    """Another run of the reconciler is at work."""


def handle(fanout: Fanout) -> None:
    """The timer's run. One that finds another at work leaves it alone."""
    limits = bounds(fanout, LONGEST, MOST_LOOKS)
    try:
        run(fanout, lambda _finding: None, limits)
    except (BusyError, Lost) as busy:
        logs.event(log, "another run is at work", why=busy)
    else:
        logs.event(log, "reconciled", looks=MOST_LOOKS - limits.looks)


def preview(fanout: Fanout, found: Callable[[Finding], None]) -> None:
    """Look at everything once, and change nothing: not even where the timer's runs stand."""
    round_ = boundless(fanout, found, dry_run=True)
    _walk(_everything(round_), Place(), round_, lambda _place: None)


def whole_pass(fanout: Fanout, found: Callable[[Finding], None]) -> None:
    """Look at everything once, and mend it. BusyError where another run is at work, Lost where one took over."""
    _Run(fanout, found, no_bounds(fanout)).everything()


def run(fanout: Fanout, found: Callable[[Finding], None], limits: Bounds) -> None:
    """Go on where the last run stopped. BusyError where another is at work, Lost where one took over."""
    _Run(fanout, found, limits).next()


@dataclass
class _Run:
    fanout: Fanout
    found: Callable[[Finding], None]
    limits: Bounds

    def next(self) -> None:
        round_ = self._begin()
        self._follow_changes(round_)
        if not round_.spent:
            rotation = _walk(_everything(round_), self._cursor.rotation, round_, lambda at: self._stand(rotation=at))
            self._stand(rotation=rotation or Place())
        self._end()

    def everything(self) -> None:
        round_ = self._begin()
        _walk(_everything(round_), Place(), round_, lambda _place: self._stand())
        self._stand(is_behind=False, everything=False, changed=(), changes=Place(), rotation=Place())
        self._end()

    def _begin(self) -> Round:
        """Take the turn, and note what changed in the rules."""
        rules = self.fanout.rules.current()
        self._cursor = self.fanout.reconciling.cursor()
        if self._cursor.until and self.fanout.clock.now() < self._cursor.until:
            raise BusyError(f"another run has the turn until {self._cursor.until:%H:%M:%S}")
        self._stand()
        if self._cursor.revision != rules.revision:
            self._note_changes(rules.revision)
        return Round(self.fanout, rules, self.limits, self.found)

    def _note_changes(self, revision: int) -> None:
        """What is being followed begins anew, with what changed since: names that were passed may be concerned now."""
        news = self.fanout.rules.news(max(self._cursor.revision, 0), revision)
        changed = None if self._cursor.revision < 0 else changed_in(self._cursor, news)
        self._stand(revision=revision, is_behind=True, everything=changed is None, changed=changed or (), changes=Place())

    def _follow_changes(self, round_: Round) -> None:
        if self._cursor.is_behind:
            at = _walk(_changes(self._cursor, round_), self._cursor.changes, round_, lambda place: self._stand(changes=place))
            if at is None:
                self._stand(is_behind=False, everything=False, changed=(), changes=Place())
            else:
                self._stand(changes=at)

    def _stand(self, **changes: object) -> None:
        cursor = replace(self._cursor, until=self.fanout.clock.now() + TURN, **changes)  # type: ignore[arg-type] # by name
        self._cursor = self.fanout.reconciling.save_cursor(cursor)

    def _end(self) -> None:
        self._cursor = self.fanout.reconciling.save_cursor(replace(self._cursor, until=None))


def _everything(round_: Round) -> list[Item]:
    return [*publishing_workspaces(round_.rules), *all_registries(round_.rules)]


def _changes(cursor: Cursor, round_: Round) -> list[Item]:
    concerned = cursor.concerned
    workspaces = (each for each in publishing_workspaces(round_.rules) if concerned is None or each.tenant.id in concerned)
    return [*workspaces, *concerned_registries(round_.rules, concerned)]


def _walk(items: Iterable[Item], place: Place, round_: Round, stands: Callable[[Place], None]) -> Place | None:
    """From a place on, until all is seen (None), or the round's bounds are reached (there). `stands` is told of each page."""
    for item in sorted(items, key=lambda each: each.key):
        if item.key < place.item:
            continue
        at = place if item.key == place.item else Place(item.key)
        with round_.bearing(*item.described):
            stopped = _through(item, at, round_, stands)
            if stopped:
                return stopped
        stands(Place(f"{item.key}~"))  # behind this one, and before all others
    return None


def _through(item: Item, at: Place, round_: Round, stands: Callable[[Place], None]) -> Place | None:
    visit, listing = item.visit(round_), item.names(at.page, round_)
    while True:
        for listed in sorted(listing.names, key=lambda each: each.name):
            if listed.name <= at.name:
                continue
            if round_.spent:
                return at
            with round_.bearing(listed.name, *item.described[1:]):
                visit(listed)
            at = replace(at, name=listed.name)
        if not listing.next:
            return None
        at = Place(item.key, listing.next)
        stands(at)
        listing = item.names(at.page, round_)
