"""One request to one deployment, as whoever calls the endpoint would send it.

Not the SDK's `invoke`: that reads its request from a file, lists the deployments and reads the endpoint first, retries by itself,
and keeps the endpoint's key in headers that all endpoints of the process share (1.35, `EndpointInvokeFields.DEFAULT_HEADER`).
"""

from collections.abc import Mapping
from typing import Any

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.rest import HttpRequest, HttpResponse

from shared.azure.arm import CONNECT_SECONDS, READ_SECONDS, USER_AGENT, Caller, KeepDeadline
from shared.azure.errors import translated
from shared.endpoints import SMOKE_TEST_FAILED, Endpoint
from shared.errors import Owner, Permanent
from shared.secrets import without_secrets

KEYS_API = "2022-02-01-preview"
DEPLOYMENT_HEADER = "azureml-model-deployment"
CONTAINER_STATUS_HEADER = "ms-azureml-model-error-statuscode"  # the container answered, and this with it
MODEL_ERROR = 424
NOT_ITS_OWN = {401, 403, 404, 408, 429}  # of the way to the deployment


class SmokeTests:
    """`scope` is Azure ML's own, of the tokens that an endpoint in mode `aad_token` takes."""

    def __init__(self, arm: Caller, credential: TokenCredential, scope: str) -> None:
        self._arm = arm
        self._credential = credential
        self._scope = scope
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            base_url="",
            policies=[UserAgentPolicy(USER_AGENT), KeepDeadline()],
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
        )

    def run(self, url: str, endpoint: Endpoint, deployment: str, sample: str) -> None:
        """`url` is the endpoint's own. Permanent `smoke_test_failed` where the deployment refuses the sample."""
        doing = f"try out deployment {deployment} of endpoint {endpoint.name}"
        properties: Any = endpoint.document["properties"]
        with translated(doing):
            bearer = self._bearer(url, properties["authMode"], doing)
            headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json", DEPLOYMENT_HEADER: deployment}
            request = HttpRequest("POST", properties["scoringUri"], content=sample.encode(), headers=headers)
            answer: HttpResponse = self._client.send_request(request)
            if _refused(answer.status_code, answer.headers):
                remedy = "send a sample that the model understands, or mend the model and register a new version"
                text = without_secrets(f"{doing}: it answered {answer.status_code}: {answer.text()}")
                raise Permanent(SMOKE_TEST_FAILED, text, Owner.PUBLISHER, remedy)
            if answer.status_code >= 400:
                raise HttpResponseError(response=answer)

    def _bearer(self, url: str, auth_mode: str, doing: str) -> str:
        match auth_mode.lower():
            case "key":
                return str(self._ask(f"{url}/listKeys", doing)["primaryKey"])
            case "amltoken":
                return str(self._ask(f"{url}/token", doing)["accessToken"])
            case _:
                return self._credential.get_token(self._scope).token

    def _ask(self, url: str, doing: str) -> Any:
        return self._arm.call("POST", url, params={"api-version": KEYS_API}, doing=doing).json()


def _refused(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the deployment itself said no, and not the way there."""
    if status == MODEL_ERROR or CONTAINER_STATUS_HEADER in headers:
        return True
    return 400 <= status < 500 and status not in NOT_ITS_OWN
