"""All queues of the broker: what the real service calls a namespace."""

from collections.abc import Iterable

from infra.local.service_bus.queues.clock import Clock
from infra.local.service_bus.queues.errors import EntityNotFoundError
from infra.local.service_bus.queues.journal import Journal
from infra.local.service_bus.queues.numbers import SequenceNumbers
from infra.local.service_bus.queues.queue import Queue
from infra.local.service_bus.queues.settings import QueueSettings
from infra.local.service_bus.queues.shelf import earliest


class Namespace:
    """The queues by name, each with its dead-letter queue, as they were when an earlier run ended."""

    def __init__(self, queues: Iterable[QueueSettings], journal: Journal) -> None:
        self.clock = Clock()
        self._journal = journal
        self._numbers = SequenceNumbers(journal)
        self._entities: dict[str, Queue] = {}
        for settings in queues:
            self._add(settings)
        self.commit()

    @property
    def queues(self) -> list[Queue]:
        """Without the dead-letter queues."""
        return [queue for queue in self._entities.values() if queue.dead_letters is not None]

    def find(self, path: str) -> Queue:
        """The queue or dead-letter queue of that path, in any case. Raises EntityNotFoundError."""
        queue = self._entities.get(path.lower())
        if queue is None:
            raise EntityNotFoundError(f"The messaging entity '{path}' could not be found.")
        return queue

    def next_due(self) -> int | None:
        return earliest(*(queue.next_due() for queue in self._entities.values()))

    def run_due(self) -> None:
        for queue in self._entities.values():
            queue.run_due()

    def commit(self) -> None:
        """Makes everything so far last. Until it returns, nothing may be acknowledged."""
        self._journal.commit()

    def _add(self, settings: QueueSettings) -> None:
        dead_letters = Queue(settings.for_dead_letters(), self.clock, self._journal, self._numbers)
        queue = Queue(settings, self.clock, self._journal, self._numbers, dead_letters)
        for entity in (queue, dead_letters):
            self._entities[entity.settings.key] = entity
        queue.restore(self._journal.recover(settings.key))
