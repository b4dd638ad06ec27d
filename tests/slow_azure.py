"""An Azure ML that takes its time for each look, and is not always there."""

from dataclasses import dataclass, field
from datetime import timedelta

from shared import deadline
from shared.errors import Unavailable
from tests.fake_azure import FakeAzure
from tests.fakes import Crash, FakeClock, World

LOOKS = ("names", "newest", "look", "endpoint")


@dataclass
class SlowAzure(FakeAzure):
    """Each look `takes` so long. It is `mute`, or looks of some numbers kill the process. `left` is the deadline of each."""

    takes: timedelta = timedelta(0)
    mute: bool = False
    kills: frozenset[int] = frozenset()
    left: list[float | None] = field(default_factory=list)

    def maybe_fail(self, what: str) -> None:
        if what in LOOKS:
            self._look()
        super().maybe_fail(what)

    def _look(self) -> None:
        assert isinstance(self.clock, FakeClock)
        self.clock.time += self.takes
        self.left.append(deadline.remaining())
        if len(self.left) in self.kills:
            raise Crash
        if self.mute:
            raise Unavailable("timed out")


def slowed(world: World, **how: object) -> SlowAzure:
    """The world's Azure, which is slow from now on."""
    there = world.azure
    azure = SlowAzure(world.clock, **how)  # type: ignore[arg-type] # by name
    azure.assets, azure.registry, azure.endpoints = there.assets, there.registry, there.endpoints
    azure.operations, azure.effects = there.operations, there.effects
    world.use(azure)
    return azure
