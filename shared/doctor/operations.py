"""Which of Azure's operations the app performs for which rule, and the least built-in role that has them.

https://learn.microsoft.com/azure/role-based-access-control/permissions/ai-machine-learning names the operations, and
MicrosoftDocs/azure-docs `built-in-roles/ai-machine-learning.md` the roles. `workspaces/read` is left out: AzureML Data Scientist
has no pattern that says it (`workspaces/*/read`), and whoever has that role reads the workspace all the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.actions import AuthMode, BatchEndpoint, Endpoint, OnlineEndpoint
from shared.assets import Kind

_ML = "Microsoft.MachineLearningServices"
_WORKSPACES = f"{_ML}/workspaces"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

DATA_SCIENTIST = "AzureML Data Scientist"
REGISTRY_USER = "AzureML Registry User"
READER = "Reader"
BLOB_CONTRIBUTOR = "Storage Blob Data Contributor"
BLOB_READER = "Storage Blob Data Reader"

REGISTRY_READS = frozenset({f"{_ML}/registries/read", f"{_ML}/registries/assets/read"})
REGISTRY_WRITES = REGISTRY_READS | {f"{_ML}/registries/assets/write"}
BLOB_READS = frozenset({f"{_BLOBS}/read"})
BLOB_WRITES = BLOB_READS | {f"{_BLOBS}/write"}

_OF_ITS_STORAGE = ("datastores/read", "datastores/listSecrets/action")
_TRIES_OUT = {
    AuthMode.KEY: "onlineEndpoints/listKeys/action",
    AuthMode.AML_TOKEN: "onlineEndpoints/token/action",
    AuthMode.AAD_TOKEN: "onlineEndpoints/score/action",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What the app's identity must be allowed at a scope. `role` is the least one that allows it; it need not be that one.

    `why` says what fails without it.
    """

    scope: str
    role: str
    why: str
    actions: frozenset[str] = frozenset()
    data_actions: frozenset[str] = frozenset()


def share_actions(kinds: Iterable[Kind]) -> Iterator[str]:
    """Reading what is shared, and listing it, since the reconciler looks for what no event told of."""
    for kind in kinds:
        yield from _in_workspaces(f"{kind.plural}/read", f"{kind.plural}/versions/read")
        if kind is Kind.COMPONENT:
            yield from _in_workspaces("codes/versions/read", "environments/versions/read", *_OF_ITS_STORAGE)


def register_actions(kinds: Iterable[Kind]) -> Iterator[str]:
    for kind in kinds:
        yield from _in_workspaces(f"{kind.plural}/read", f"{kind.plural}/versions/read", f"{kind.plural}/versions/write")


def copy_actions() -> Iterator[str]:
    yield from _in_workspaces(*_OF_ITS_STORAGE)


def endpoint_actions(action: Endpoint) -> Iterator[str]:
    segment = "onlineEndpoints" if isinstance(action, OnlineEndpoint) else "batchEndpoints"
    yield from _in_workspaces(f"{segment}/read", f"{segment}/write")
    yield from _in_workspaces(*(f"{segment}/deployments/{verb}" for verb in ("read", "write", "delete")))
    if isinstance(action, OnlineEndpoint) and action.sample_request is not None:
        yield from _in_workspaces(_TRIES_OUT[action.auth_mode])
    if isinstance(action, BatchEndpoint):
        yield from _in_workspaces("computes/read")


def _in_workspaces(*operations: str) -> Iterator[str]:
    return (f"{_WORKSPACES}/{operation}" for operation in operations)
