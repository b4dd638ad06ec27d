"""What Azure's errors mean: wait, ask a person, or look again, and never a secret in the text."""

import json
from dataclasses import dataclass, field

import pytest
import requests
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.polling.base_polling import OperationFailed
from azure.core.rest import HttpRequest
from azure.identity import CredentialUnavailableError
from hypothesis import example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from shared.azure.errors import retry_after, translated, verdict
from shared.errors import Conflict, NotFound, Owner, Permanent, Throttled, Transient, Unavailable

GUID = "4fb3e0ae-6f5c-4c6b-a8a4-0f3d9b7c1d11"
SDK_CLASSES: dict[int, type[HttpResponseError]] = {
    401: ClientAuthenticationError,
    404: ResourceNotFoundError,
    409: ResourceExistsError,
}


@dataclass
class Answer:
    """As much of an HTTP answer as azure-core's exceptions read."""

    status_code: int
    body: str = ""
    headers: CaseInsensitiveDict[str] = field(default_factory=CaseInsensitiveDict)
    reason: str = "as a test says"
    request: HttpRequest = field(default_factory=lambda: HttpRequest("GET", "https://management.azure.com/"))

    def text(self) -> str:
        return self.body


def error_body(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


def answered(
    status: int, code: str = "", message: str = "no", sdk_class: bool = True, headers: dict[str, str] | None = None
) -> HttpResponseError:
    """The exception that the SDK raises for an answer, or with `sdk_class` False the bare one, as for imports."""
    answer = Answer(status, error_body(code, message) if code else message, CaseInsensitiveDict(headers or {}))
    kind = SDK_CLASSES.get(status, HttpResponseError) if sdk_class else HttpResponseError
    return kind(message, response=answer)


# ---- what waits


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_or_broken_service_is_waited_for(status: int) -> None:
    assert isinstance(verdict(answered(status), "import"), Transient)


@pytest.mark.parametrize(("status", "uncertain"), [(408, True), (500, True), (502, True), (504, True), (429, False), (503, False)])
def test_the_change_may_have_been_made_where_the_answer_does_not_say_otherwise(status: int, uncertain: bool) -> None:
    found = verdict(answered(status), "import")
    assert isinstance(found, Transient)
    assert found.uncertain is uncertain


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 507])
def test_an_answer_of_a_service_in_trouble_counts_against_it(status: int) -> None:
    assert isinstance(verdict(answered(status), "import"), Unavailable)


@pytest.mark.parametrize(
    "error",
    [ServiceRequestError("refused"), ServiceResponseTimeoutError("Read timed out"), ConnectionResetError("reset by peer")],
    ids=repr,
)
def test_no_answer_counts_against_the_service(error: Exception) -> None:
    assert isinstance(verdict(error, "import"), Unavailable)


def test_too_many_calls_count_against_the_azure_subscription() -> None:
    assert isinstance(verdict(answered(429), "import"), Throttled)


@pytest.mark.parametrize("code", ["InternalServerError", "TooManyRequests"])
def test_the_code_of_a_failed_operation_counts_against_nobody(code: str) -> None:
    assert type(verdict(answered(200, code), "the operation failed")) is Transient


@pytest.mark.parametrize("code", ["InternalServerError", "ServiceUnavailable", "TooManyRequests", "ServerBusy", "Timeout"])
def test_a_failed_operation_whose_code_is_azures_own_trouble_is_tried_again(code: str) -> None:
    assert isinstance(verdict(answered(200, code), "the operation failed"), Transient)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"retry-after": "17"}, 17.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "Retry-After": "17"}, 0.25),
        ({"Retry-After": "0"}, 0.0),
        ({}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": ""}, None),
    ],
)
def test_azure_says_when_to_come_back(headers: dict[str, str], expected: float | None) -> None:
    found = verdict(answered(429, headers=headers), "import")
    assert isinstance(found, Transient)
    assert found.retry_after == expected


@given(value=st.text(st.characters(max_codepoint=255)))
@example("²")
def test_whatever_stands_in_retry_after_is_a_time_or_none(value: str) -> None:
    asked = retry_after(answered(429, headers={"Retry-After": value}))
    assert asked is None or asked >= 0


@pytest.mark.parametrize("error", [ServiceRequestError("refused"), ServiceRequestTimeoutError("no connection in 5 s")], ids=repr)
def test_a_request_that_was_never_sent_changed_nothing(error: Exception) -> None:
    found = verdict(error, "import")
    assert isinstance(found, Transient)
    assert not found.uncertain


@pytest.mark.parametrize(
    "error",
    [
        ServiceResponseError("Connection aborted"),
        ServiceResponseTimeoutError("Read timed out"),
        IncompleteReadError("IncompleteRead(17 bytes read, 40 more expected)"),
        HttpResponseError(requests.exceptions.ChunkedEncodingError("Connection broken: InvalidChunkLength")),
    ],
    ids=repr,
)
def test_a_lost_answer_may_have_changed_all(error: Exception) -> None:
    """The last two are what azure-core's transport raises when an answer breaks off half way."""
    found = verdict(error, "import")
    assert isinstance(found, Transient)
    assert found.uncertain


@pytest.mark.parametrize("error", [ConnectionResetError("reset by peer"), TimeoutError("timed out")], ids=repr)
def test_a_connection_that_breaks_beneath_the_sdk_is_waited_for(error: OSError) -> None:
    with pytest.raises(Transient) as found, translated("upload"):
        raise error
    assert found.value.uncertain


# ---- what is an answer


@pytest.mark.parametrize("status", [409, 412])
@pytest.mark.parametrize("sdk_class", [True, False])
def test_a_conflict_is_looked_at_again(status: int, sdk_class: bool) -> None:
    assert isinstance(verdict(answered(status, "Conflict", sdk_class=sdk_class), "register"), Conflict)


@pytest.mark.parametrize("sdk_class", [True, False])
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("UserError", "Could not find asset with ID: azureml://registries/hub/models/credit-card/versions/2"),
        ("ResourceNotFound", "The Resource 'Microsoft.MachineLearningServices/workspaces/w/onlineEndpoints/cards' was not found."),
        ("", "nothing here"),
    ],
)
def test_a_missing_asset_or_endpoint_is_not_there_or_not_yet(code: str, message: str, sdk_class: bool) -> None:
    assert isinstance(verdict(answered(404, code, message, sdk_class=sdk_class), "look"), NotFound)


@pytest.mark.parametrize("sdk_class", [True, False])
@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "ResourceNotFound",
            "The Resource 'Microsoft.MachineLearningServices/workspaces/w' under resource group 'g' was not found.",
        ),
        ("ResourceGroupNotFound", "Resource group 'g' could not be found."),
        ("SubscriptionNotFound", f"The subscription '{GUID}' could not be found."),
    ],
)
def test_a_missing_workspace_is_for_the_provider_to_mend(code: str, message: str, sdk_class: bool) -> None:
    found = verdict(answered(404, code, message, sdk_class=sdk_class), "look")
    assert isinstance(found, Permanent)
    assert (found.reason.code, found.reason.owner) == ("workspace_not_found", Owner.PROVIDER)


# ---- what a person must mend


@pytest.mark.parametrize(
    ("error", "code", "owner"),
    [
        (answered(401), "unauthenticated", Owner.PROVIDER),
        (answered(401, sdk_class=False), "unauthenticated", Owner.PROVIDER),
        (answered(403), "forbidden", Owner.PROVIDER),
        (answered(403, "AuthorizationFailed"), "forbidden", Owner.PROVIDER),
        (answered(403, "RequestDisallowedByPolicy"), "denied_by_policy", Owner.SUBSCRIBER),
        (answered(400), "refused", Owner.PROVIDER),
        (answered(400, "BadRequest"), "refused", Owner.PROVIDER),
        (answered(400, "QuotaExceeded"), "out_of_quota", Owner.SUBSCRIBER),
        (answered(200, "OutOfQuota"), "out_of_quota", Owner.SUBSCRIBER),
        (answered(200, "OutOfCapacity"), "out_of_capacity", Owner.SUBSCRIBER),
        (answered(200, "ImageBuildFailure"), "image_build_failed", Owner.PUBLISHER),
        (answered(200, "ResourceNotReady"), "not_ready", Owner.PUBLISHER),
        (answered(200, "BadArgument"), "refused", Owner.PROVIDER),
        (ValueError("a defect"), "unexpected", Owner.PROVIDER),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_refusal_says_what_it_is_and_who_must_act(error: Exception, code: str, owner: Owner) -> None:
    found = verdict(error, "deploy credit-card:7")
    assert isinstance(found, Permanent)
    assert (found.reason.code, found.reason.owner) == (code, owner)
    assert found.reason.remedy


@pytest.mark.parametrize("error", [answered(429), answered(403), answered(404), ServiceRequestError("refused")], ids=repr)
def test_the_text_begins_with_what_was_tried(error: Exception) -> None:
    found = verdict(error, "deploy credit-card:7")
    text = found.reason.text if isinstance(found, Permanent) else str(found)
    assert text.startswith("deploy credit-card:7: ")


def test_azures_own_text_is_kept() -> None:
    found = verdict(answered(200, "OutOfQuota", "needs 6 cores, 4 are left"), "deploy")
    assert isinstance(found, Permanent)
    assert "needs 6 cores, 4 are left" in found.reason.text


# ---- what must not be told

SAS = "https://store.blob.core.windows.net/hub/model.pkl?sv=2024-08-04&sr=c&sig=s3cr3t%2Fsig%3D&se=2026-03-02"
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJo.s3cr3t-_x"


@pytest.mark.parametrize(
    "text",
    [
        f"cannot read {SAS}",
        f"cannot read '{SAS.replace('sig=', 'SIG=')}'",
        f'{{"sasUri": "{SAS}"}}',
        f"refused: Authorization: Bearer {TOKEN}",
        f"refused: authorization=bearer  {TOKEN}",
        f'{{"authorization": "Bearer {TOKEN}"}}',
        "Endpoint=sb://b/;SharedAccessKeyName=k;SharedAccessKey=s3cr3t+/=;EntityPath=q",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=s3cr3t+/==;EndpointSuffix=core.windows.net",
    ],
)
@pytest.mark.parametrize("status", [403, 404, 409, 500])
def test_no_secret_survives_in_a_verdict(text: str, status: int) -> None:
    for error in (answered(status, "Refused", text), answered(status, message=text)):
        found = verdict(error, "import")
        assert "s3cr3t" not in f"{found} {found.reason if isinstance(found, Permanent) else ''}"


secrets = st.text(st.sampled_from("abcXYZ019%+/=._~-"), min_size=8, max_size=90)


@given(secret=secrets, before=st.text(max_size=900), form=st.sampled_from(["?sv=1&sig={}", "Bearer {}", "bearer\t{}"]))
def test_no_secret_survives_wherever_it_stands(secret: str, before: str, form: str) -> None:
    marked = f"s3cr3t{secret}"
    assert marked not in str(verdict(ServiceRequestError(before + " " + form.format(marked)), "import"))


def test_what_stands_around_a_secret_is_kept() -> None:
    text = str(verdict(ServiceRequestError(f"cannot read {SAS} today"), "import"))
    assert "https://store.blob.core.windows.net/hub/model.pkl" in text
    assert "&se=2026-03-02 today" in text


def test_an_error_page_is_cut() -> None:
    assert len(str(verdict(answered(500, message="<html>" * 10_000), "import"))) < 1000


def test_what_waits_says_who_can_end_the_wait() -> None:
    assert "; if this lasts, provider: " in str(verdict(answered(503), "import"))


# ---- at the edge


@pytest.mark.parametrize("error", [ClientAuthenticationError("no token"), CredentialUnavailableError("no managed identity")])
def test_a_token_that_could_not_be_had_may_be_had_later(error: Exception) -> None:
    found = verdict(error, "import")
    assert isinstance(found, Transient)
    assert "AZURE_CLIENT_ID" in str(found)


@pytest.mark.parametrize("error", [KeyError("location"), ValueError("no JSON"), AttributeError("'str' has no 'properties'")])
def test_an_answer_that_makes_no_sense_is_asked_for_again(error: Exception) -> None:
    with pytest.raises(Transient, match="makes no sense") as found, translated("import"):
        raise error
    assert found.value.uncertain


def test_an_error_of_the_sdks_that_is_no_azure_error_is_known_too() -> None:
    with pytest.raises(Transient), translated("import"):
        raise OperationFailed("the poller gave up")


def test_what_is_not_azures_passes_untouched() -> None:
    with pytest.raises(ZeroDivisionError), translated("import"):
        raise ZeroDivisionError


def test_the_sdks_error_stays_known_as_the_cause() -> None:
    error = answered(403)
    with pytest.raises(Permanent) as found, translated("import"):
        raise error
    assert found.value.__cause__ is error
