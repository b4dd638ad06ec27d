"""One row of the table of all that Azure can answer: a cause, how it is known, what follows from it, who must act, and how.

Rows are values, so that people can read them, and tests can walk them. What an exception is compared by is a value too: `Evidence`.
Classes are named, not imported: azure-ai-ml alone takes 0.9 to 3.4 s to load (tests/unit/test_import_weight.py).
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from shared.errors import Owner

NO_STATUS = 0  # of an error that no answer stands behind


class Verdict(Enum):
    """What becomes of the attempt; the class of shared/errors.py of the same name."""

    PERMANENT = auto()
    TRANSIENT = auto()
    UNAVAILABLE = auto()
    THROTTLED = auto()
    CONFLICT = auto()
    NOT_FOUND = auto()


class Place(Enum):
    """Which of Azure's services was asked. The same refusal has another owner in another place."""

    SHARE = auto()  # an import into a registry, and the registry's work on it: what it reads is the publisher's
    REGISTRY = auto()
    WORKSPACE = auto()
    STORAGE = auto()
    IDENTITY = auto()  # where tokens come from


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that an exception shows: the full names of its classes, the status, every code in the answer, its text, the place."""

    classes: frozenset[str]
    status: int = NO_STATUS
    codes: frozenset[str] = frozenset()
    text: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`cause` in words. `code` is ours, for a permanent failure. `remedy` is an order to `owner`.

    A row is recognised by what it names, all of it: one of `classes`, one of `status`, one of `codes`, the pattern `says`
    somewhere in the text, one of the places `at`.
    """

    cause: str
    verdict: Verdict = Verdict.PERMANENT
    code: str = ""
    owner: Owner
    remedy: str
    uncertain: bool = False  # a change may have been made all the same
    classes: frozenset[str] = frozenset()
    status: frozenset[int] = frozenset()
    codes: frozenset[str] = frozenset()
    says: re.Pattern[str] | None = None
    at: frozenset[Place] = frozenset()

    def recognises(self, seen: Evidence) -> bool:
        return (
            (not self.classes or not self.classes.isdisjoint(seen.classes))
            and (not self.status or seen.status in self.status)
            and (not self.codes or not self.codes.isdisjoint(seen.codes))
            and (not self.at or seen.place in self.at)
            and (not self.says or self.says.search(seen.text) is not None)
        )


def codes(*names: str) -> frozenset[str]:
    """Azure's codes; their case differs between its services."""
    return frozenset(name.lower() for name in names)


def says(*patterns: str) -> re.Pattern[str]:
    """Any of the patterns, in any case."""
    return re.compile("|".join(patterns), re.IGNORECASE)


def classes(module: str, *names: str) -> frozenset[str]:
    return frozenset(f"{module}.{name}" for name in names)
