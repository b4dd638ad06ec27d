"""What happened to a share or a delivery, told to whoever listens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

PROVIDER = "provider"  # the topic of what concerns no single tenant; no tenant may have this id


@dataclass(frozen=True, slots=True)
class Outcome:
    """A CloudEvent, once it is out. `topic` is the tenant whose own it is: on a domain, its topic. `data` is JSON."""

    id: str
    type: str
    topic: str
    subject: str
    time: datetime
    data: Mapping[str, object]
    correlation_id: str | None = None


class NoOutcomes:
    """Nobody listens: no topic is set."""

    wanted = False

    def publish(self, outcomes: Sequence[Outcome]) -> None:
        """Nothing."""
