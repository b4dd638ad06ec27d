"""What has happened on a queue since the broker started."""

from dataclasses import dataclass


@dataclass(slots=True)
class Totals:
    """`sent` leaves out the dropped duplicates and the copies; `delivered` counts every delivery, repeated ones too."""

    sent: int = 0
    duplicates_dropped: int = 0
    copies_added: int = 0
    delivered: int = 0
    completed: int = 0
    abandoned: int = 0
    locks_expired: int = 0
    dead_lettered: int = 0
    expired: int = 0
