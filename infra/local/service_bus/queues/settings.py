"""What can be set on a queue, under the real service's names."""

from dataclasses import dataclass

MAX_MESSAGE_BYTES = 256 * 1024
MAX_MESSAGE_ID_CHARACTERS = 128
DEAD_LETTER_SUFFIX = "/$deadletterqueue"


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Durations are in milliseconds; None means no limit."""

    name: str
    lock_duration: int = 60_000
    max_delivery_count: int | None = 10
    default_time_to_live: int | None = None
    dead_letter_on_expiration: bool = False
    duplicate_window: int | None = None

    @property
    def key(self) -> str:
        """Entity names are case-insensitive."""
        return self.name.lower()

    def for_dead_letters(self) -> "QueueSettings":
        """A dead-letter queue locks as its queue does, and keeps what it has until somebody takes it."""
        return QueueSettings(self.name + DEAD_LETTER_SUFFIX, self.lock_duration, max_delivery_count=None)
