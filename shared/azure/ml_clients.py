"""One MLClient for each workspace: azure-ai-ml composes, validates and sends; it never waits here.

`azure.ai.ml` is imported on first use: it takes 0.9 to 3.4 s and 105 MB, which the event's handler must not pay.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

from shared.assets import WorkspaceId
from shared.azure.arm import CONNECT_SECONDS, READ_SECONDS, USER_AGENT, KeepDeadline
from shared.azure.errors import translated

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


class MlClients:
    """The last 200 used. `cloud` are MLClient's own arguments for another cloud, `more` policies that stand last."""

    def __init__(self, credential: TokenCredential, cloud: dict[str, Any], *more: SansIOHTTPPolicy[Any, Any]) -> None:
        self._credential = credential
        self._cloud = cloud
        self._more = more
        self._lock = threading.Lock()
        self._clients: OrderedDict[WorkspaceId, MLClient] = OrderedDict()

    def of(self, workspace: WorkspaceId) -> "MLClient":
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
            per_call_policies=[KeepDeadline(), StopAtAccepted(), *self._more],
            **self._cloud,
        )


def accepted(doing: str, begin: Callable[[], object]) -> str | None:
    """The address of the operation that was begun; None where Azure was done at once."""
    try:
        with translated(doing):
            begin()
    except Accepted as accepted:
        return accepted.operation
    return None
