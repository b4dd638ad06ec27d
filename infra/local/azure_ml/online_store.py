"""Online endpoints and deployments as the state holds them.

`body` is what GET shows: the properties asked for last, with their `provisioningState`. `serving` is what requests meet: it
changes only when an operation succeeded, so that a failed update leaves the old model answering.
"""

from typing import Any

from infra.local.azure_ml.config import PROVIDER, CloudConfig, Workspace
from infra.local.azure_ml.state import Document, State

ENDPOINT, DEPLOYMENT = "online endpoint", "online deployment"
ENDPOINT_TYPE = f"{PROVIDER}/workspaces/onlineEndpoints"
CHANGING = ("Creating", "Updating", "Deleting")


class OnlineStore:
    """Names match case-insensitively, as everywhere in ARM."""

    def __init__(self, config: CloudConfig, state: State) -> None:
        self._config = config
        self._state = state

    def endpoint(self, workspace: Workspace, name: str) -> Document | None:
        return self._state.get(ENDPOINT, workspace.owner, name.lower())

    def endpoints(self, workspace: Workspace) -> list[Document]:
        return self._state.within(ENDPOINT, workspace.owner)

    def put_endpoint(self, workspace: Workspace, document: Document) -> None:
        self._state.put(ENDPOINT, workspace.owner, document["name"].lower(), document)

    def delete_endpoint(self, workspace: Workspace, name: str) -> None:
        with self._state.transaction():
            for deployment in self.deployments(workspace, name):
                self.delete_deployment(workspace, name, deployment["name"])
            self._state.delete(ENDPOINT, workspace.owner, name.lower())

    def in_region(self, region: str) -> list[tuple[Workspace, Document]]:
        """Every endpoint of every workspace there: endpoint names are unique per region."""
        found = ((self._config.workspace(owner), document) for owner, document in self._state.everywhere(ENDPOINT))
        return [
            (workspace, document) for workspace, document in found if workspace and workspace.location.lower() == region.lower()
        ]

    def deployment(self, workspace: Workspace, endpoint: str, name: str) -> Document | None:
        return self._state.get(DEPLOYMENT, _scope(workspace, endpoint), name.lower())

    def deployments(self, workspace: Workspace, endpoint: str) -> list[Document]:
        return self._state.within(DEPLOYMENT, _scope(workspace, endpoint))

    def put_deployment(self, workspace: Workspace, endpoint: str, document: Document) -> None:
        self._state.put(DEPLOYMENT, _scope(workspace, endpoint), document["name"].lower(), document)

    def delete_deployment(self, workspace: Workspace, endpoint: str, name: str) -> None:
        self._state.delete(DEPLOYMENT, _scope(workspace, endpoint), name.lower())


def _scope(workspace: Workspace, endpoint: str) -> str:
    return f"{workspace.owner}/onlineendpoints/{endpoint.lower()}"


def provisioning_state(document: Document) -> str:
    return str(document["body"]["properties"]["provisioningState"])


def with_state(document: Document, state: str) -> Document:
    """The document with this provisioning state."""
    body: dict[str, Any] = document["body"]
    return {**document, "body": {**body, "properties": {**body["properties"], "provisioningState": state}}}


def is_changing(document: Document) -> bool:
    return provisioning_state(document) in CHANGING
