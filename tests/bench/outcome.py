"""What one contestant's run came to, read from the request log of the local Azure ML."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infra.local.topology import Workspace
from tests.bench.scene import SECONDS, Action

type Request = dict[str, Any]

# By a part of the path, in lower case: the first that fits.
KINDS = {
    "/msi/token": "tokens",
    "/registrymanagement/": "the registry",
    "/assetstore/": "the registry",
    "/mferp/": "the registry",
    "operation": "operations of workspaces",
}
READS, WRITES = "reads of workspaces", "writes to workspaces"


@dataclass(frozen=True)
class Outcome:
    """`started` is Unix time, as in `requests`: every request from then until nothing was left to do.

    `cpu_seconds` is what the contestant's own code took with the SDKs that it calls, `process_cpu_seconds` and `megabytes`
    what its process took. `import_…` is what importing the SDK took before `started`.
    """

    action: Action
    targets: Sequence[Workspace]
    started: float
    requests: Sequence[Request]
    cpu_seconds: float
    process_cpu_seconds: float
    megabytes: float
    import_seconds: float = 0.0
    import_cpu_seconds: float = 0.0

    @property
    def deliveries(self) -> int:
        return len(self.targets)

    @cached_property
    def arrivals(self) -> dict[str, float]:
        """When each target had the model: Unix time by the workspace's lower-case ARM id."""
        wanted = {target.id.lower() for target in self.targets}
        found = {workspace: at for workspace, at in map(self._arrival, self.requests) if workspace in wanted}
        assert found.keys() == wanted, f"nothing arrived in {sorted(wanted - found.keys())}"
        return found

    @property
    def seconds_to_last(self) -> float:
        return max(self.arrivals.values()) - self.started

    @property
    def seconds_to_registry(self) -> float:
        """Until the contestant turned to the first target, having seen the model in the registry."""
        targets = {target.id.lower() for target in self.targets}
        first: float = min(request["time"] for request in self.requests if workspace_of(request) in targets)
        return first - self.started

    @property
    def calls(self) -> "Counter[str]":
        """Calls by what they were for."""
        return Counter(map(_kind, self.requests))

    @property
    def refused(self) -> int:
        """Calls that Azure ML throttled."""
        return sum(request["status"] == 429 for request in self.requests)

    def _arrival(self, request: Request) -> tuple[str, float]:
        if not delivers(request, self.action):
            return "", 0.0
        operation = SECONDS["endpoint"] if self.action == "online_endpoint" else 0.0
        return workspace_of(request), request["time"] + request["milliseconds"] / 1000 + operation


def delivers(request: Request, action: Action) -> bool:
    """Whether this is the last change that a delivery makes, and Azure ML accepted it."""
    if request["method"] != "PUT" or (request["status"] or 500) >= 300 or not workspace_of(request):
        return False
    if action == "register":
        return "/models/" in request["path"]
    return "/deployments/" not in request["path"] and 100 in _traffic(request).values()


def workspace_of(request: Request) -> str:
    """The workspace's ARM id in lower case, "" where the request was to something else."""
    before, separator, after = request["path"].lower().partition("/workspaces/")
    return before + separator + after.partition("/")[0] if separator else ""


def _traffic(request: Request) -> dict[str, int]:
    traffic: dict[str, int] = ((request["body"] or {}).get("properties") or {}).get("traffic") or {}
    return traffic


def _kind(request: Request) -> str:
    path = request["path"].lower()
    for part, kind in KINDS.items():
        if part in path:
            return kind
    return READS if request["method"] == "GET" else WRITES
