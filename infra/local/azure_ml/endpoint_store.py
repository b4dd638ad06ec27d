"""Endpoints and deployments, online and batch alike, as the state holds them.

`body` is what GET shows: the properties asked for last, with their `provisioningState`. `serving` is what requests meet: it
changes only when an operation succeeded, so that a failed update leaves the old model answering.
"""

from dataclasses import dataclass
from typing import Any

from infra.local.azure_ml.config import PROVIDER, CloudConfig, Workspace
from infra.local.azure_ml.errors import AzureError, front_end_error, inferencing_error
from infra.local.azure_ml.state import Document, State

CHANGING = ("Creating", "Updating", "Deleting")


@dataclass(frozen=True, slots=True)
class EndpointKind:
    """What online and batch endpoints differ in by name alone."""

    word: str
    segment: str
    invoked_at: str
    routing: str
    """The endpoint's property that says which deployment answers."""

    @property
    def type(self) -> str:
        return f"{PROVIDER}/workspaces/{self.segment}"

    def refusal(self, status: int, message: str, workspace: Workspace) -> AzureError:
        """Online endpoints are refused by the inference service behind the front end, batch ones by the front end itself."""
        return inferencing_error(status, message) if self is ONLINE else front_end_error(status, message, workspace.location)


ONLINE = EndpointKind("online", "onlineEndpoints", "score", "traffic")
BATCH = EndpointKind("batch", "batchEndpoints", "jobs", "defaults")


class EndpointStore:
    """Those of one kind. Names match case-insensitively, as everywhere in ARM."""

    def __init__(self, config: CloudConfig, state: State, kind: EndpointKind) -> None:
        self._config = config
        self._state = state
        self.kind = kind
        self._endpoint, self._deployment = f"{kind.word} endpoint", f"{kind.word} deployment"

    def endpoint(self, workspace: Workspace, name: str) -> Document | None:
        return self._state.get(self._endpoint, workspace.owner, name.lower())

    def endpoints(self, workspace: Workspace) -> list[Document]:
        return self._state.within(self._endpoint, workspace.owner)

    def put_endpoint(self, workspace: Workspace, document: Document) -> None:
        self._state.put(self._endpoint, workspace.owner, document["name"].lower(), document)

    def delete_endpoint(self, workspace: Workspace, name: str) -> None:
        with self._state.transaction():
            for deployment in self.deployments(workspace, name):
                self.delete_deployment(workspace, name, deployment["name"])
            self._state.delete(self._endpoint, workspace.owner, name.lower())

    def in_region(self, region: str) -> list[tuple[Workspace, Document]]:
        """Every endpoint of every workspace there: endpoint names are unique per region."""
        found = ((self._config.workspace(owner), document) for owner, document in self._state.everywhere(self._endpoint))
        return [
            (workspace, document) for workspace, document in found if workspace and workspace.location.lower() == region.lower()
        ]

    def deployment(self, workspace: Workspace, endpoint: str, name: str) -> Document | None:
        return self._state.get(self._deployment, self._scope(workspace, endpoint), name.lower())

    def deployments(self, workspace: Workspace, endpoint: str) -> list[Document]:
        return self._state.within(self._deployment, self._scope(workspace, endpoint))

    def put_deployment(self, workspace: Workspace, endpoint: str, document: Document) -> None:
        self._state.put(self._deployment, self._scope(workspace, endpoint), document["name"].lower(), document)

    def delete_deployment(self, workspace: Workspace, endpoint: str, name: str) -> None:
        self._state.delete(self._deployment, self._scope(workspace, endpoint), name.lower())

    def _scope(self, workspace: Workspace, endpoint: str) -> str:
        return f"{workspace.owner}/{self.kind.segment.lower()}/{endpoint.lower()}"


def provisioning_state(document: Document) -> str:
    return str(document["body"]["properties"]["provisioningState"])


def with_state(document: Document, state: str) -> Document:
    """The document with this provisioning state."""
    body: dict[str, Any] = document["body"]
    return {**document, "body": {**body, "properties": {**body["properties"], "provisioningState": state}}}


def is_changing(document: Document) -> bool:
    return provisioning_state(document) in CHANGING
