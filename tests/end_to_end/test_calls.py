"""The table of calls in the README stays true: what each route asks of Azure ML, to the call. `make bench` counts all of it.

Looks at operations, whose number depends on time, are left out. Batch endpoints are counted in
tests/contract/test_endpoint_adapters.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.bench.calls import Calls
from tests.bench.calls_needed import DELIVERIES, SHARES
from tests.bench.calls_scene import calls_scene


@dataclass(frozen=True, slots=True)
class Figures:
    """A line of the README's table. Change both together."""

    needed: int
    by_sdk: int
    reads: int
    writes: int
    storage: int = 0


EXPECTED = {
    "share a model": Figures(2, 0, 2, 1),
    "share an environment": Figures(2, 0, 2, 1),
    "share a component and its code": Figures(8, 0, 8, 0, storage=5),
    "`register`, reference, model": Figures(1, 0, 1, 0),
    "`register`, reference, environment": Figures(1, 0, 1, 0),
    "`register`, reference, component": Figures(1, 0, 1, 0),
    "`register`, copy, model": Figures(4, 0, 1, 0, storage=5),
    "`online_endpoint`, first": Figures(4, 3, 1, 0),
    "`online_endpoint`, second": Figures(4, 2, 1, 0),
}


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Calls]]:
    """One share or delivery by each route, one after the other."""
    routes = [route for route in (*SHARES, *DELIVERIES) if route.name in EXPECTED]
    with calls_scene(tmp_path_factory.mktemp("calls")) as scene:
        yield {route.name: Calls.of(route, scene.requests(route)) for route in routes}


@pytest.mark.slow
@pytest.mark.parametrize("route", EXPECTED)
def test_a_route_makes_the_calls_that_the_readme_says(counted: Mapping[str, Calls], route: str) -> None:
    calls = counted[route]
    figures = Figures(calls.needed, calls.by_sdk, calls.reads, calls.writes, calls.storage)
    assert figures == EXPECTED[route], f"Fanout adds {calls.added}"
