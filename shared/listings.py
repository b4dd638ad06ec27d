"""What a workspace or a registry lists: names by page, and versions of one name, newest first.

Azure ML lists names in no order that it promises, and versions by the time when they were registered (azure-rest-api-specs,
machinelearningservices 2024-04-01: `$orderBy`, `$top`). So what is new among the names is found by reading each page of them,
and what is new of a name by reading no further back than the last version seen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.assets import WorkspaceAsset

FIRST_LOOK = 10  # versions; more are asked for only where all of these are new
FURTHER_LOOKS = (100, 1_000)


@dataclass(frozen=True, slots=True)
class Listed:
    """One name. `stamp` is another once a version was added or the name was changed."""

    name: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of names, those that are archived left out. `next` leads to the page after it, "" from the last one."""

    names: tuple[Listed, ...]
    next: str = ""


def newest_until(seen: datetime, look: Callable[[int], Sequence[WorkspaceAsset]]) -> Iterator[WorkspaceAsset]:
    """The versions of a name, newest first, at least as far back as `seen`, or the last thousand. `look` gets the newest so many.

    One look, unless more than FIRST_LOOK versions are newer than that.
    """
    yielded = 0
    for most in (FIRST_LOOK, *FURTHER_LOOKS):
        found = look(most)
        yield from found[yielded:]
        yielded = len(found)
        if len(found) < most or found[-1].created_at <= seen:
            return
