"""Online and batch endpoints. The SDK composes what is new; what is there is looked at, and changed, on azure-core's pipeline.

The SDK's own look lists an endpoint's deployments and throws them away, and its change of the traffic reads the workspace again.
Ours is two reads, and the change is the document that was read, with another traffic: what a tenant set on its endpoint stays.
tests/contract/test_endpoint_adapters.py holds that request to the SDK's.
"""

import functools
from collections.abc import Mapping
from typing import Any

from azure.core.rest import HttpResponse

from shared.actions import Endpoint as Action
from shared.actions import OnlineEndpoint
from shared.assets import WorkspaceId
from shared.azure.arm import Caller, in_all_pages, operation_state
from shared.azure.endpoint_documents import Document, KindOfEndpoint, deployments_of, kind_of, with_traffic
from shared.azure.errors import translated
from shared.azure.ml_clients import MlClients, accepted
from shared.azure.smoke_tests import SmokeTests
from shared.azure_ml_ports import OperationState
from shared.endpoints import Deployment, Endpoint, NewDeployment
from shared.errors import NotFound


class AzureEndpoints:
    def __init__(self, clients: MlClients, arm: Caller, resource_manager: str, smoke_tests: SmokeTests) -> None:
        self._clients = clients
        self._arm = arm
        self._resource_manager = resource_manager
        self._smoke_tests = smoke_tests

    def endpoint(self, workspace: WorkspaceId, action: Action, *, bare: bool = False) -> Endpoint | None:
        kind, url = kind_of(action), self._url(workspace, action)
        doing = f"look at endpoint {action.name} in workspace {workspace.name}"
        try:
            document = self._get(url, kind, doing)
            with translated(doing):
                alone = kind.endpoint(document, [])
            if bare or alone.is_changing:
                return alone
            deployments = self._deployments(url, kind, doing)
        except NotFound:
            return None
        with translated(doing):
            return kind.endpoint(document, deployments)

    def deployments(self, workspace: WorkspaceId, action: Action) -> tuple[Deployment, ...] | None:
        doing = f"look at the deployments of endpoint {action.name} in workspace {workspace.name}"
        try:
            found = self._deployments(self._url(workspace, action), kind_of(action), doing)
        except NotFound:
            return None
        with translated(doing):
            return deployments_of(found)

    def begin_endpoint(self, workspace: WorkspaceId, action: Action, tags: Mapping[str, str]) -> str | None:
        from shared.azure.endpoint_entities import endpoint

        client = self._clients.of(workspace)
        operations = client.online_endpoints if isinstance(action, OnlineEndpoint) else client.batch_endpoints
        begin = functools.partial(operations.begin_create_or_update, endpoint(action, tags))
        return accepted(f"create endpoint {action.name} in workspace {workspace.name}", begin)

    def begin_deployment(self, workspace: WorkspaceId, action: Action, new: NewDeployment) -> str | None:
        from shared.azure.endpoint_entities import deployment

        client = self._clients.of(workspace)
        operations = client.online_deployments if isinstance(action, OnlineEndpoint) else client.batch_deployments
        begin = functools.partial(operations.begin_create_or_update, deployment(action, new))
        return accepted(f"deploy {new.model.asset} to endpoint {action.name} in workspace {workspace.name}", begin)

    def begin_traffic(self, workspace: WorkspaceId, action: Action, endpoint: Endpoint, traffic: Mapping[str, int]) -> str | None:
        kind = kind_of(action)
        doing = f"set the traffic of endpoint {endpoint.name} in workspace {workspace.name}"
        with translated(doing):
            body = with_traffic(endpoint.document, kind.routing(traffic))
        return _operation(self._call("PUT", self._url(workspace, action), kind, doing, body))

    def begin_delete_deployment(self, workspace: WorkspaceId, action: Action, deployment: str) -> str | None:
        doing = f"delete deployment {deployment} of endpoint {action.name} in workspace {workspace.name}"
        url = f"{self._url(workspace, action)}/deployments/{deployment}"
        return _operation(self._call("DELETE", url, kind_of(action), doing))

    def smoke_test(self, workspace: WorkspaceId, endpoint: Endpoint, deployment: str, sample: str) -> None:
        url = f"{self._resource_manager}{workspace}/onlineEndpoints/{endpoint.name}"
        self._smoke_tests.run(url, endpoint, deployment, sample)

    def operation(self, address: str) -> OperationState:
        return operation_state(self._arm, address)

    def _deployments(self, url: str, kind: KindOfEndpoint, doing: str) -> list[Document]:
        return in_all_pages(self._arm, f"{url}/deployments", {"api-version": kind.api}, doing)

    def _get(self, url: str, kind: KindOfEndpoint, doing: str) -> Any:
        answer = self._call("GET", url, kind, doing)
        with translated(doing):
            return answer.json()

    def _call(self, method: str, url: str, kind: KindOfEndpoint, doing: str, body: Document | None = None) -> HttpResponse:
        return self._arm.call(method, url, params={"api-version": kind.api}, body=body, doing=doing)

    def _url(self, workspace: WorkspaceId, action: Action) -> str:
        return f"{self._resource_manager}{workspace}/{kind_of(action).segment}/{action.name}"


def _operation(answer: HttpResponse) -> str | None:
    """Where to look how an accepted change stands; None where Azure was done at once."""
    address: str | None = answer.headers.get("Azure-AsyncOperation")
    return address or (answer.headers.get("Location") if answer.status_code == 202 else None)
