"""Kills the process at calls of its ports, before or after they took effect."""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes import Crash, World

PORTS = ("queues", "rows", "open_work", "registries", "workspaces", "endpoints", "copies", "outcomes", "reconciling")


@dataclass
class Saboteur:
    """`before` and `after` are the numbers of the calls at which the process dies; `calls` counts all."""

    calls: int = 0
    before: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)


class _Sabotaged:
    def __init__(self, port: object, saboteur: Saboteur) -> None:
        self._port, self._saboteur = port, saboteur

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self._saboteur.calls += 1
            number = self._saboteur.calls
            if number in self._saboteur.before:
                raise Crash
            answer = found(*arguments, **options)
            if number in self._saboteur.after:
                raise Crash
            return answer

        return call


def sabotage(world: World) -> Saboteur:
    """From now on; what was called before does not count."""
    saboteur = Saboteur()
    for port in PORTS:
        setattr(world, port, _Sabotaged(getattr(world, port), saboteur))
    return saboteur
