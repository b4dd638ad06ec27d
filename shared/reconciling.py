"""What the reconciler keeps between its runs, and what it finds: values.

A run may end anywhere, and the next goes on from there: `Cursor` says where. `Mark` and `Watch` say what was seen of a
workspace, so that nobody reads its history again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.assets import Kind, WorkspaceId
from shared.keys import key
from shared.rules_change import News
from shared.tenants import Publication

MOST_CHANGED = 500  # tenants named in the cursor; with more, all are concerned


class What(StrEnum):
    """What differs between what is wanted and what is."""

    UNSHARED = "not shared"
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
    """How far a walk has come: `item` is being worked on, at this page of its names, up to this name. "" is the beginning."""

    item: str = ""
    page: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where the reconciler stands. Only one run at a time: whoever wrote `until` last has the turn, until then.

    `revision` is the last one of the rules whose changes were noted, -1 before the first. While `is_behind`, these changes
    are being followed: those of the tenants in `changed`, or, with `everything`, of all. `changes` and `rotation` are where
    the two walks are.
    """

    revision: int = -1
    is_behind: bool = False
    everything: bool = False
    changed: tuple[str, ...] = ()
    changes: Place = Place()
    rotation: Place = Place()
    until: datetime | None = None
    etag: str = field(default="", compare=False)

    @property
    def concerned(self) -> frozenset[str] | None:
        """The tenants whose changes are being followed; None for all."""
        return None if self.everything else frozenset(self.changed)


def changed_in(cursor: Cursor, news: News) -> tuple[str, ...] | None:
    """The tenants whose changes are to be followed, those that were not done with among them. None: all."""
    tenants = tuple(sorted({*cursor.changed, *news.tenants}))
    if cursor.everything or news.everything or news.provider or len(tenants) > MOST_CHANGED:
        return None
    return tenants


@dataclass(frozen=True, slots=True)
class Since:
    """Since when a publication is known as it is. `print` differs where the publication does."""

    publication: str
    print: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Which publications the reconciler knows to be about one kind of asset of one workspace."""

    workspace: WorkspaceId
    kind: Kind
    since: tuple[Since, ...] = ()
    etag: str = field(default="", compare=False)

    def of(self, publication: str) -> datetime:
        return next(each.at for each in self.since if each.publication == publication)

    @staticmethod
    def partition(workspace: WorkspaceId, kind: Kind) -> str:
        return key(workspace.canonical, kind)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that other tags would let out, or bring to a subscriber. `print` differs where its tags do."""

    version: str
    print: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What was seen of one name in a workspace: all versions registered up to `seen`.

    `waiting` are those of the newest versions that may be wanted once their tags change, `asked` those that were to be shared when
    they were looked at, by rules of this `revision`: nobody knows yet whether they were.
    """

    workspace: WorkspaceId
    kind: Kind
    name: str
    stamp: str
    seen: datetime
    looked_at: datetime
    waiting: tuple[Waiting, ...] = ()
    asked: tuple[str, ...] = ()
    revision: int = 0
    etag: str = field(default="", compare=False)


def print_of(publication: Publication) -> str:
    return key(repr(publication))


def print_of_tags(tags: Mapping[str, str]) -> str:
    return key(*(f"{tag}={value}" for tag, value in sorted(tags.items())))
