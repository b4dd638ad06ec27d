"""One concern after the other: what cannot be looked at for one of them is said, and the others are looked at all the same."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from shared.doctor.findings import Finding
from shared.doctor.operations import READER
from shared.doctor.unseen import not_seen
from shared.errors import Permanent, Transient


@dataclass(frozen=True, slots=True)
class Concern:
    """`name` as in "could not look at …"; to look takes `role` at `scope`."""

    name: str
    scope: str
    look: Callable[[], Iterable[Finding]]
    role: str = READER


def look_at(concerns: Iterable[Concern]) -> Iterator[Finding]:
    for concern in concerns:
        try:
            yield from concern.look()
        except (Permanent, Transient) as error:
            yield not_seen(concern.name, concern.scope, concern.role, error)
