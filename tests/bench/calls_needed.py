"""The routes whose calls are counted, and for each the fewest requests by which any client could have the same effect.

Looks at long-running operations, tokens, and what is asked once per process (where a registry is, which region a workspace is in)
are not among them: how many there are depends on time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.local.topology import Workspace
from tests.bench.outcome import Request

REFERRING, COPYING, SERVING = Workspace("referring"), Workspace("copying"), Workspace("serving")

_VERSION = r"/[^/]+/versions/[^/]+$"
_ENDPOINT = r"Endpoints/[^/]+$"
_DEPLOYMENT = r"Endpoints/[^/]+/deployments/[^/]+$"


@dataclass(frozen=True, slots=True)
class Need:
    """A request, by a regular expression for the end of its path, and why nobody can do without it."""

    method: str
    path: str
    why: str

    def is_met_by(self, request: Request) -> bool:
        accepted = request["status"] is not None and request["status"] < 300
        return accepted and request["method"] == self.method and re.search(self.path, request["path"]) is not None


@dataclass(frozen=True, slots=True)
class Route:
    """A share, where there is no action; else a delivery by that action. `kind` and `version` are the asset's."""

    name: str
    kind: str
    needs: tuple[Need, ...]
    into: Workspace | None = None
    action: object = None
    version: str = "1"

    def missing(self, requests: Sequence[Request]) -> list[Need]:
        return self.split(requests)[1]

    def split(self, requests: Sequence[Request]) -> tuple[list[Request], list[Need]]:
        """What is left when each need has taken the first request that meets it; and the needs that found none."""
        rest, missing = list(requests), list[Need]()
        for need in self.needs:
            met = next((request for request in rest if need.is_met_by(request)), None)
            if met is None:
                missing.append(need)
            else:
                rest.remove(met)
        return rest, missing


_IMPORTED = (
    Need("POST", r"/registries/[^/]+/import$", "how a registry takes an asset from a workspace"),
    Need("GET", rf"/registries/[^/]+/[^/]+{_VERSION}", "where its bytes lie now: no answer to an import says so"),
)

# Azure imports no components: one is made anew, and its code before it.
_MADE_ANEW = (
    Need("GET", rf"/workspaces/[^/]+/components{_VERSION}", "what it consists of"),
    Need("GET", rf"/workspaces/[^/]+/codes{_VERSION}", "where the files of its code lie"),
    Need("GET", r"/datastores/[^/]+$", "in which storage"),
    Need("POST", r"/datastores/[^/]+/listSecrets$", "the right to read them"),
    Need("PUT", rf"/registries/[^/]+/tempdatarefs{_VERSION}", "where they go, and the right to write there"),
    Need("PUT", rf"/registries/[^/]+/codes{_VERSION}", "its code"),
    Need("GET", rf"/registries/[^/]+/codes{_VERSION}", "whether that is made: no component may name it before"),
    Need("PUT", rf"/registries/[^/]+/components{_VERSION}", "the component"),
)


def _registered(plural: str) -> Need:
    return Need("PUT", rf"/workspaces/[^/]+/{plural}{_VERSION}", "the asset in the tenant's workspace")


_COPIED = (
    Need("POST", rf"/registries/[^/]+/datarefs{_VERSION}", "the right to read the registry's bytes"),
    Need("GET", r"/datastores/[^/]+$", "where the tenant's own storage is"),
    Need("POST", r"/datastores/[^/]+/listSecrets$", "the right to write there"),
)

_MADE_ENDPOINT = Need("PUT", _ENDPOINT, "the endpoint")
_DEPLOYED = Need("PUT", _DEPLOYMENT, "the deployment")
_SEEN = Need("GET", _ENDPOINT, "what stands there: a change of the traffic replaces the endpoint, with all that the tenant set")
_TOLD_APART = Need("GET", r"Endpoints/[^/]+/deployments$", "which deployments are the tenant's, whose traffic stays")
_ROUTED = Need("PUT", _ENDPOINT, "the traffic, or the default deployment")
_REMOVED = Need("DELETE", _DEPLOYMENT, "the oldest deployment, of which no more are kept")

_FIRST = (_MADE_ENDPOINT, _DEPLOYED, _SEEN, _ROUTED)
_UPGRADE = (_DEPLOYED, _SEEN, _TOLD_APART, _ROUTED)

_COPY = {"register": {"mode": "copy"}}
_ONLINE = {"online_endpoint": {"name": "cards", "instance_type": "Standard_DS3_v2", "traffic": [100]}}
_BATCH = {"batch_endpoint": {"name": "cards-nightly", "compute": "cpu-cluster"}}
_PLURALS: Mapping[str, str] = {"model": "models", "data": "data", "environment": "environments", "component": "components"}

SHARES = (
    Route("share a model", "model", _IMPORTED),
    Route("share data", "data", _IMPORTED),
    Route("share an environment", "environment", _IMPORTED),
    Route("share a component and its code", "component", _MADE_ANEW),
)
DELIVERIES = (
    *(
        Route(f"`register`, reference, {kind}", kind, (_registered(plural),), REFERRING, "register")
        for kind, plural in _PLURALS.items()
    ),
    *(
        Route(f"`register`, copy, {kind}", kind, (*_COPIED, _registered(_PLURALS[kind])), COPYING, _COPY)
        for kind in ("model", "data")
    ),
    *(
        route
        for name, action in (("`online_endpoint`", _ONLINE), ("`batch_endpoint`", _BATCH))
        for route in (
            Route(f"{name}, first", "model", _FIRST, SERVING, action),
            Route(f"{name}, second", "model", _UPGRADE, SERVING, action, "2"),
            Route(f"{name}, third, and one removed", "model", (*_UPGRADE, _REMOVED), SERVING, action, "3"),
        )
    ),
)
