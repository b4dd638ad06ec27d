"""A walk over names, of workspaces and of registries: from where one stopped on, as far as a run may go.

The place is told before each look: a name that a run is killed at gets a second chance, and then holds up the others no more.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from handlers.reconcile_round import Round
from shared.listings import Listed, Listing
from shared.reconciling import Place


class Item(Protocol):
    """Some names to walk over. `key` orders the items."""

    @property
    def key(self) -> str: ...
    @property
    def described(self) -> tuple[str, str, str]: ...
    def names(self, page: str, round_: Round) -> Listing: ...
    def visit(self, round_: Round) -> Callable[[Listed], None]: ...


def walk(items: Iterable[Item], place: Place, round_: Round, stands: Callable[[Place], None]) -> bool:
    """From a place on. Whether all is seen, or the round's bounds were reached; `stands` is told each place that it comes to."""
    for item in sorted(items, key=lambda each: each.key):
        if item.key >= place.item and not _through(item, place if item.key == place.item else Place(item.key), round_, stands):
            return False
    return True


def _through(item: Item, at: Place, round_: Round, stands: Callable[[Place], None]) -> bool:
    """The same for one item. What cannot be listed is passed over."""
    visit = _visit(item, round_)
    while visit:
        stands(at)
        if round_.spent:
            return False
        round_.alive()
        listing = _page(item, at, round_)
        for listed in sorted(listing.names, key=lambda each: each.name):
            if listed.name <= at.name:
                continue
            if round_.spent:
                return False
            passed = replace(at, name=listed.name, begun="")
            stands(passed if listed.name == at.begun else replace(at, begun=listed.name))
            with round_.bearing(listed.name, *item.described[1:]):
                visit(listed)
            at = passed
            stands(at)
        if not listing.next:
            return True
        at = Place(item.key, listing.next)
    return True


def _visit(item: Item, round_: Round) -> Callable[[Listed], None] | None:
    with round_.bearing(*item.described):
        return item.visit(round_)
    return None


def _page(item: Item, at: Place, round_: Round) -> Listing:
    with round_.bearing(*item.described):
        return item.names(at.page, round_)
    return Listing(())
