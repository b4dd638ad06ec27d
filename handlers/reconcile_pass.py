"""The reconciler: what is wanted by the rules, beside what the rows and Azure ML say, at a price that follows change, not history.

Two walks, each over the workspaces of publishers and then over the registries, name by name. The first follows changes of the
rules, so that a new subscription need not wait for the second, which comes by everywhere, again and again, and finds what nobody
announced; it has half of each run, however much changes. The timer goes on where its last run stopped, and stops where its bounds
are reached. `Cursor` holds the place, under its ETag: one run at a time.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from handlers.reconcile_drift import look_at_chosen
from handlers.reconcile_registries import all_registries, concerned_registries
from handlers.reconcile_round import Bounds, Round, boundless, bounds, no_bounds
from handlers.reconcile_walk import Item, walk
from handlers.reconcile_withdrawn import show_all_withdrawn
from handlers.reconcile_workspaces import concerned_workspaces, publishing_workspaces
from shared import logs
from shared.errors import Lost, Permanent, Transient
from shared.ports import Fanout
from shared.reconciling import Cursor, Finding, Place, changed_in

log = logging.getLogger("fanout.reconcile")

LONGEST = timedelta(seconds=60)  # of the timer's runs, which end with the name that they are at
MOST_LOOKS = 200  # of one of these; each is a handful of calls
TURN = timedelta(minutes=5)  # whoever does not write the cursor for so long is dead


class BusyError(Exception):
    """Another run of the reconciler is at work."""


def handle(fanout: Fanout) -> None:
    """The timer's run. One that finds another at work leaves it alone."""
    fanout.rules.current()  # the first time that takes as long as it takes, and is not the run's
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
    round_.after = fanout.reconciling.cursor().last_without(round_.rules.revision)
    walk(_everything(round_), Place(), round_, lambda _place: None)
    show_all_withdrawn(round_)


def whole_pass(fanout: Fanout, found: Callable[[Finding], None]) -> None:
    """Look at everything once, and mend it. BusyError where another run is at work, Lost where one took over."""
    _Run(fanout, found, no_bounds(fanout)).everything()


def run(fanout: Fanout, found: Callable[[Finding], None], limits: Bounds) -> None:
    """Go on where the last run stopped. BusyError where another is at work, Lost where one took over."""
    _Run(fanout, found, limits).next()


@dataclass
class _Run:
    """`_cursor` is where the run stands, which began at `_began`; `_written` what the table says of it."""

    fanout: Fanout
    found: Callable[[Finding], None]
    limits: Bounds

    def next(self) -> None:
        with self._turn() as round_:
            with round_.by_half():
                self._follow_changes(round_)
            if walk(_everything(round_), self._cursor.rotation, round_, lambda place: self._stand(rotation=place)):
                self._stand(rotation=Place())
            look_at_chosen(round_)

    def everything(self) -> None:
        with self._turn() as round_:
            round_.thorough = True
            walk([*concerned_workspaces(round_, None), *all_registries(round_.rules)], Place(), round_, lambda _place: None)
            show_all_withdrawn(round_)
            self._note(round_)
            self._stand(is_behind=False, everything=False, changed=(), rotation=Place())

    @contextmanager
    def _turn(self) -> Iterator[Round]:
        """Given back at the end, also where something fails. A run that is killed keeps it until it runs out."""
        self._began = self.fanout.clock.now()
        rules = self.fanout.rules.current()
        self._cursor = self.fanout.reconciling.cursor()
        if self._cursor.until and self.fanout.clock.now() < self._cursor.until:
            raise BusyError(f"another run has the turn until {self._cursor.until:%H:%M:%S}")
        self._take()
        after = self._cursor.last_without(rules.revision)
        try:
            yield Round(self.fanout, rules, self.limits, self.found, after=after, alive=self._keep)
        except (Exception, KeyboardInterrupt):
            with suppress(Lost, Transient, Permanent):
                self._end()
            raise
        self._end()

    def _follow_changes(self, round_: Round) -> None:
        """Changes that come meanwhile are noted when these are done with: else they would never be, where rules always change."""
        if self._cursor.revision == round_.rules.revision:
            self._stand(current_at=self._began)
        elif not self._cursor.is_behind:
            news = self.fanout.rules.news(max(self._cursor.revision, 0), round_.rules.revision)
            changed = None if self._cursor.revision < 0 else changed_in(news)
            self._note(round_)
            self._stand(is_behind=True, everything=changed is None, changed=changed or ())
        if self._cursor.is_behind and walk(
            _changes(self._cursor, round_), self._cursor.changes, round_, lambda place: self._stand(changes=place)
        ):
            self._stand(is_behind=False, everything=False, changed=(), changes=Place())

    def _note(self, round_: Round) -> None:
        self._stand(revision=round_.rules.revision, came_after=round_.after, current_at=self._began, changes=Place())

    def _stand(self, **changes: object) -> None:
        self._cursor = replace(self._cursor, **changes)  # type: ignore[arg-type] # by name

    def _keep(self) -> None:
        """The turn, and the place."""
        half_used = self._written.until is None or self._written.until - self.fanout.clock.now() < TURN / 2
        if half_used or self._cursor != self._written:
            self._take()

    def _take(self) -> None:
        self._write(replace(self._cursor, until=self.fanout.clock.now() + TURN))

    def _end(self) -> None:
        self._write(replace(self._cursor, until=None))

    def _write(self, cursor: Cursor) -> None:
        self._cursor = self._written = self.fanout.reconciling.save_cursor(cursor)


def _everything(round_: Round) -> list[Item]:
    return [*publishing_workspaces(round_.rules), *all_registries(round_.rules)]


def _changes(cursor: Cursor, round_: Round) -> list[Item]:
    concerned = cursor.concerned
    return [*concerned_workspaces(round_, concerned), *concerned_registries(round_.rules, concerned)]
