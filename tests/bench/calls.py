"""How many requests a share and a delivery cost, by route, and for whose sake: `python -m tests.bench calls`.

Counted, not timed. A test holds the app to these figures: tests/end_to_end/test_calls.py.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.bench import report
from tests.bench.calls_needed import DELIVERIES, SHARES, Route
from tests.bench.calls_scene import calls_scene
from tests.bench.outcome import Request

OURS = "fanout"  # the whole of the user agent, where no SDK made the request
READS = ("GET", "HEAD")
_PLACE = re.compile(r"/(?P<where>workspaces|registries)/[^/]+/?(?P<path>.*)$")


@dataclass(frozen=True, slots=True)
class Calls:
    """How many requests. `storage` are those to blobs; `looks` at operations depend on time, and are in no other figure."""

    needed: int
    by_sdk: int
    reads: int
    writes: int
    storage: int = 0
    looks: int = 0
    added: tuple[str, ...] = ()

    @classmethod
    def of(cls, route: Route, requests: Sequence[Request]) -> Self:
        to_azure_ml = [each for each in requests if _is_counted(each)]
        to_azure_ml.sort(key=lambda each: each["user_agent"] != OURS)  # a need is met by Fanout's own first
        rest, missing = route.split(to_azure_ml)
        assert not missing, f"{route.name}: done without {missing}"
        ours = [each for each in rest if each["user_agent"] == OURS]
        reads = sum(each["method"] in READS for each in ours)
        return cls(
            needed=len(route.needs),
            by_sdk=len(rest) - len(ours),
            reads=reads,
            writes=len(ours) - reads,
            storage=sum(map(_is_to_storage, requests)),
            looks=sum(map(_is_look, requests)),
            added=tuple(map(_short, ours)),
        )


def play() -> None:
    with tempfile.TemporaryDirectory(prefix="fanout-bench-") as directory, calls_scene(Path(directory)) as scene:
        counted: dict[str, Calls] = {}
        for route in (*SHARES, *DELIVERIES):
            report.progress(f"{route.name} …")
            counted[route.name] = Calls.of(route, scene.requests(route))
    _show(counted)


def _show(counted: dict[str, Calls]) -> None:
    columns = ("", "Azure needs", "SDK adds", "Fanout adds: reads", "writes", "storage", "looks")
    rows = [
        (name, *map(str, (calls.needed, calls.by_sdk, calls.reads, calls.writes, calls.storage, calls.looks)))
        for name, calls in counted.items()
    ]
    report.show("Calls to Azure ML by route, the process warm; to storage, and looks at operations, apart", columns, rows)
    report.tell("What Fanout adds:", *(f"{name}: {_listed(calls.added)}" for name, calls in counted.items()))


def _listed(added: Sequence[str]) -> str:
    return ", ".join(f"{times} × {what}" if times > 1 else what for what, times in Counter(added).items())


def _is_counted(request: Request) -> bool:
    return not (_is_look(request) or _is_to_storage(request) or request["path"].startswith("/msi/token"))


def _is_look(request: Request) -> bool:
    return "/operations/" in request["path"] or "/mfeOperations" in request["path"]


def _is_to_storage(request: Request) -> bool:
    return "storage-blob" in request["user_agent"]


def _short(request: Request) -> str:
    """Such as `GET workspaces models/…/versions/… 404`: in these addresses every second part is a name."""
    place = _PLACE.search(request["path"])
    where, path = (place["where"], place["path"]) if place else ("", request["path"])
    parts = [name if n % 2 == 0 else "…" for n, name in enumerate(path.split("/"))]
    return f"{request['method']} {where} {'/'.join(parts)} {request['status']}"
