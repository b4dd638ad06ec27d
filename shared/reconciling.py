"""What the reconciler finds, and where it stands: values. A run may end anywhere, and the next goes on from there."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.rules_change import News

MOST_CHANGED = 500  # tenants named in the cursor; with more, all are concerned


class What(StrEnum):
    """What differs between what is wanted and what is."""

    UNSHARED = "not shared"
    REFUSED = "refused"
    RETAGGED = "other tags"
    UNDELIVERED = "not delivered"
    GONE = "deleted"
    ARCHIVED = "archived"
    REMOVED = "endpoint removed"
    NOT_ALLOWED = "no longer allowed"
    UNREACHABLE = "not looked at"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `healed_by` is the type of the command that mends it; None where that is for people to decide.

    `tenant` and `workspace` are those of the asset's publisher where it is not shared, else of who was to get it.
    """

    what: What
    asset: str
    tenant: str
    workspace: str
    why: str
    healed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """How far a walk has come: `item` is being worked on, at this page of its names, with this one of them. "" is the beginning.

    `begun` is the next name, which is being looked at, or was when the run was killed.
    """

    item: str = ""
    page: str = ""
    name: str = ""
    begun: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where the reconciler stands. Only one run at a time: whoever wrote `until` last has the turn, until then.

    `revision` is the last one of the rules whose changes were noted, -1 before the first. While `is_behind`, these changes
    are being followed: those of the tenants in `changed`, or, with `everything`, of all; what changes meanwhile is noted when
    that is done. `changes` and `rotation` are where the two walks are. `current_at` is when `revision` was last seen to be the one
    in force; what came with it came after `came_after`.
    """

    revision: int = -1
    is_behind: bool = False
    everything: bool = False
    changed: tuple[str, ...] = ()
    changes: Place = Place()
    rotation: Place = Place()
    current_at: datetime | None = None
    came_after: datetime | None = None
    until: datetime | None = None
    etag: str = field(default="", compare=False)

    @property
    def concerned(self) -> frozenset[str] | None:
        """The tenants whose changes are being followed; None for all."""
        return None if self.everything else frozenset(self.changed)

    def last_without(self, revision: int) -> datetime | None:
        """When what is new to the reconciler in rules of this revision was not yet in force; None where nobody knows."""
        return self.came_after if self.is_behind or self.revision == revision else self.current_at


def changed_in(news: News) -> tuple[str, ...] | None:
    """The tenants whose changes are to be followed. None: all."""
    if news.everything or news.provider or len(news.tenants) > MOST_CHANGED:
        return None
    return tuple(sorted(news.tenants))
