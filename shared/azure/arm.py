"""Calls to Azure Resource Manager and to registries that the SDK does not offer without waiting. azure-core's pipeline only."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, HeadersPolicy, SansIOHTTPPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core.exceptions import ARMErrorFormat

from shared.azure.errors import translated
from shared.azure_ml_ports import OperationState
from shared.deadline import remaining
from shared.errors import NotFound, Transient

CONNECT_SECONDS, READ_SECONDS = 5, 15
USER_AGENT = "fanout"


class KeepDeadline(SansIOHTTPPolicy[Any, Any]):
    """Gives each request what is left of `shared.deadline`, at most the usual; refuses it when nothing is."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        left = remaining()
        if left is None:
            return
        if left <= 0:
            raise Transient("no time is left for this call: Azure was slow with the earlier ones")
        options = request.context.options
        options.setdefault("connection_timeout", min(CONNECT_SECONDS, left))
        options.setdefault("read_timeout", min(READ_SECONDS, left))


class Caller(Protocol):
    def call(
        self, method: str, url: str, *, params: Mapping[str, str] | None = None, body: object = None, doing: str
    ) -> HttpResponse: ...


class ArmClient:
    """One pipeline for one audience. No retry: a wake-up is the retry. `more` policies stand last."""

    def __init__(self, credential: TokenCredential, scope: str, *more: SansIOHTTPPolicy[Any, Any]) -> None:
        token = BearerTokenCredentialPolicy(credential, scope)
        policies = [HeadersPolicy(), UserAgentPolicy(USER_AGENT), KeepDeadline(), token, *more]
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            base_url="", policies=policies, connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS
        )

    def call(
        self, method: str, url: str, *, params: Mapping[str, str] | None = None, body: object = None, doing: str
    ) -> HttpResponse:
        """The answer, whatever its success status. Transient, Permanent or NotFound for any other, `doing` in its text."""
        request = HttpRequest(method, url, params=dict(params or {}), json=body)
        with translated(doing):
            response: HttpResponse = self._client.send_request(request)
            if response.status_code >= 400:
                raise HttpResponseError(response=response, error_format=ARMErrorFormat)
            return response


def in_all_pages(client: Caller, url: str, params: Mapping[str, str], doing: str) -> list[Any]:
    """What Azure lists there, to the last page. The errors of `ArmClient.call`."""
    found: list[Any] = []
    answer = client.call("GET", url, params=params, doing=doing)
    while True:
        with translated(doing):
            page = answer.json()
            found += page["value"]
        if not page.get("nextLink"):
            return found
        answer = client.call("GET", page["nextLink"], doing=doing)


def operation_state(client: Caller, address: str) -> OperationState:
    """How a long-running operation of a workspace or of a registry stands.

    A workspace's answers 200 with a status; a registry's 202 while it runs, then 204 (recorded: test_promote_model).
    Permanent, with Azure's text, where it failed. One that is not known any more has ended, nobody knows how.
    """
    try:
        response = client.call("GET", address, doing="look at the operation")
    except NotFound:
        return OperationState.ENDED
    if response.status_code == 202:
        return OperationState.RUNNING
    with translated("look at the operation"):
        answer: Any = response.json() if response.text() else None
        status = str(answer["status"]).lower() if isinstance(answer, dict) and "status" in answer else "succeeded"
    if status in ("failed", "canceled"):
        with suppress(Transient), translated("the operation failed"):  # one that Azure may do better: the resource tells
            raise HttpResponseError(response=response, error_format=ARMErrorFormat)
        return OperationState.ENDED
    return OperationState.SUCCEEDED if status == "succeeded" else OperationState.RUNNING
