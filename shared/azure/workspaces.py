"""Azure ML workspaces through azure-ai-ml: it composes, validates and sends; it never waits here.

`azure.ai.ml` is imported on first use: it takes 0.9 to 3.4 s and 105 MB, which the event's handler must not pay.
"""

import functools
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

from shared.assets import Asset, RegistryAsset, WorkspaceAsset, WorkspaceId
from shared.azure.arm import CONNECT_SECONDS, READ_SECONDS, USER_AGENT, Caller, KeepDeadline, operation_state
from shared.azure.errors import translated
from shared.errors import NotFound
from shared.online_endpoint import Deployment, Endpoint
from shared.ports import OperationState
from shared.rules import OnlineEndpoint

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

MOST_CLIENTS = 200  # 0.7 MB each


class Accepted(Exception):
    """Azure accepted a change and works on it; `operation` is where to look."""

    def __init__(self, operation: str) -> None:
        super().__init__(operation)
        self.operation = operation


class StopAtAccepted(SansIOHTTPPolicy[Any, Any]):
    """Cuts the SDK off once a change is accepted: its poller would hold a thread, and read every 5 to 30 s until Azure is done."""

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        answer = response.http_response
        if request.http_request.method == "GET" or answer.status_code not in (200, 201, 202):
            return
        operation = answer.headers.get("Azure-AsyncOperation")
        if operation is None and answer.status_code == 202:
            operation = answer.headers.get("Location")
        if operation:
            raise Accepted(operation)


class AzureWorkspaces:
    """One MLClient for each workspace, the last 200 used of them. `cloud` are MLClient's own arguments for another cloud."""

    def __init__(self, credential: TokenCredential, arm: Caller, cloud: dict[str, Any]) -> None:
        self._credential = credential
        self._arm = arm
        self._cloud = cloud
        self._lock = threading.Lock()
        self._clients: OrderedDict[WorkspaceId, MLClient] = OrderedDict()

    def model(self, workspace: WorkspaceId, asset: Asset) -> WorkspaceAsset | None:
        try:
            with translated(f"look for {asset} in workspace {workspace.name}"):
                found = self._client(workspace).models.get(asset.name, asset.version)
        except NotFound:
            return None
        return WorkspaceAsset(asset, str(found.path), found.creation_context.created_at, found.tags or {}, found.properties or {})

    def register_model(self, workspace: WorkspaceId, model: RegistryAsset, properties: dict[str, str]) -> None:
        from azure.ai.ml.entities import Model

        entity = Model(
            name=model.asset.name,
            version=model.asset.version,
            path=model.uri,
            type=model.type,
            description=model.description,
            tags=dict(model.tags),
            properties={**model.properties, **properties},
            flavors=dict(model.flavors),
        )
        with translated(f"register {model.asset} in workspace {workspace.name}"):
            self._client(workspace).models.create_or_update(entity)

    def endpoint(self, workspace: WorkspaceId, name: str) -> Endpoint | None:
        client = self._client(workspace)
        try:
            with translated(f"look at endpoint {name} in workspace {workspace.name}"):
                found = client.online_endpoints.get(name)
                # The SDK lists all deployments in `traffic`, those without any at 0: an empty one spares the question.
                deployments = list(client.online_deployments.list(name)) if found.traffic else []
        except NotFound:
            return None
        return Endpoint(
            name=found.name,
            state=_state(found.provisioning_state),
            tags=found.tags or {},
            traffic={deployment: percent for deployment, percent in (found.traffic or {}).items() if percent},
            deployments=tuple(Deployment(each.name, _state(each.provisioning_state), each.tags or {}) for each in deployments),
            entity=found,
        )

    def begin_endpoint(self, workspace: WorkspaceId, name: str, tags: dict[str, str]) -> str | None:
        from azure.ai.ml.entities import ManagedOnlineEndpoint

        endpoint = ManagedOnlineEndpoint(name=name, auth_mode="key", tags=tags)
        begin = self._client(workspace).online_endpoints.begin_create_or_update
        return _accepted(f"create endpoint {name} in workspace {workspace.name}", functools.partial(begin, endpoint))

    def begin_deployment(
        self,
        workspace: WorkspaceId,
        action: OnlineEndpoint,
        deployment: str,
        model: RegistryAsset,
        tags: dict[str, str],
    ) -> str | None:
        from azure.ai.ml.entities import ManagedOnlineDeployment

        entity = ManagedOnlineDeployment(
            name=deployment,
            endpoint_name=action.name,
            model=model.path,
            instance_type=action.instance_type,
            instance_count=action.instance_count,
            tags=tags,
        )
        begin = self._client(workspace).online_deployments.begin_create_or_update
        doing = f"deploy {model.asset} to endpoint {action.name} in workspace {workspace.name}"
        return _accepted(doing, functools.partial(begin, entity))

    def begin_traffic(self, workspace: WorkspaceId, endpoint: Endpoint, traffic: dict[str, int]) -> str | None:
        entity: Any = endpoint.entity
        entity.traffic = traffic
        begin = self._client(workspace).online_endpoints.begin_create_or_update
        doing = f"set the traffic of endpoint {endpoint.name} in workspace {workspace.name}"
        return _accepted(doing, functools.partial(begin, entity))

    def begin_delete_deployment(self, workspace: WorkspaceId, endpoint: str, deployment: str) -> str | None:
        begin = self._client(workspace).online_deployments.begin_delete
        doing = f"delete deployment {deployment} of endpoint {endpoint} in workspace {workspace.name}"
        return _accepted(doing, functools.partial(begin, deployment, endpoint))

    def operation(self, address: str) -> OperationState:
        return operation_state(self._arm, address)

    def _client(self, workspace: WorkspaceId) -> "MLClient":
        with self._lock:
            client = self._clients.pop(workspace, None) or self._open(workspace)
            self._clients[workspace] = client
            if len(self._clients) > MOST_CLIENTS:
                self._clients.popitem(last=False)
            return client

    def _open(self, workspace: WorkspaceId) -> "MLClient":
        from azure.ai.ml import MLClient

        return MLClient(
            self._credential,
            workspace.azure_subscription_id,
            workspace.resource_group,
            workspace.name,
            show_progress=False,
            enable_telemetry=False,
            user_agent=USER_AGENT,
            retry_total=0,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            per_call_policies=[KeepDeadline(), StopAtAccepted()],
            **self._cloud,
        )


def _state(provisioning_state: object) -> str:
    """An enumeration on an endpoint, a string on a deployment; the same words."""
    return str(getattr(provisioning_state, "value", provisioning_state)).lower()


def _accepted(doing: str, begin: functools.partial[object]) -> str | None:
    """The address of the operation that was begun; None where Azure was done at once."""
    try:
        with translated(doing):
            begin()
    except Accepted as accepted:
        return accepted.operation
    return None
