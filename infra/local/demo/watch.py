"""Sees what happens in the local Azure ML while it happens, tells it, and remembers when."""

import threading
import time
from collections.abc import Callable, Iterable

from infra.local.cloud import LocalCloud
from infra.local.demo.holdings import Held, in_state

SECONDS_BETWEEN_LOOKS = 0.1


class NotInTime(Exception):
    """The deadline came first; the text says what was missing."""


class Watch:
    """Looks several times a second, in a thread of its own, from `with` on. `tell` gets each new fact once."""

    def __init__(self, cloud: LocalCloud, origins: dict[str, str], deadline: float, tell: Callable[[float, Held], None]) -> None:
        self._cloud = cloud
        self._origins = origins
        self._deadline = deadline
        self._tell = tell
        self._started = time.monotonic()
        self._seen: dict[Held, float] = {}
        self._news = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_until_over, name="watch")

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def now(self) -> float:
        """Seconds since the watch began."""
        return time.monotonic() - self._started

    def seen(self, fact: Held) -> float:
        """When it was first seen."""
        return self._seen[fact]

    def wait_for(self, facts: Iterable[Held]) -> None:
        """Raises NotInTime, or PartDied where a part of the cloud ended."""
        wanted = set(facts)
        with self._news:
            while missing := wanted - self._seen.keys():
                self._cloud.require_running()
                if self.now() > self._deadline or not self._thread.is_alive():
                    raise NotInTime("\n".join(f"missing after {self.now():.0f} s: {fact}" for fact in sorted(missing)))
                self._news.wait(0.5)

    def wait_until_quiet(self, seconds: float) -> None:
        """Until nothing new came for so long, no event is on its way and no message waits to be handled now."""
        quiet_since = self.now()
        while self.now() - quiet_since < seconds:
            if self.now() > self._deadline:
                raise NotInTime(f"still not quiet after {self.now():.0f} s")
            time.sleep(SECONDS_BETWEEN_LOOKS)
            if self._is_busy() or max(self._seen.values(), default=0) > quiet_since:
                quiet_since = self.now()

    def _is_busy(self) -> bool:
        queues = self._cloud.service_bus.queues()
        waiting = [queues[name][state] for name in ("events", "commands", "wakeups") for state in ("active", "locked")]
        return any(waiting) or bool(self._cloud.event_grid.pending())

    def _look_until_over(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            facts = set(in_state(self._cloud.azure_ml.state(), self._origins))
            for fact in sorted(facts - self._seen.keys()):
                with self._news:
                    self._seen[fact] = self.now()
                    self._news.notify_all()
                self._tell(self._seen[fact], fact)
