"""What Azure's errors mean: every one becomes Transient or Permanent here, at the edge, and nowhere else."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.errors import Conflict, NotFound, Owner, Permanent, Transient
from shared.secrets import without_secrets

_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")

TRANSIENT_CODES = {
    "InternalServerError",
    "InternalError",
    "ServiceUnavailable",
    "TooManyRequests",
    "ServerBusy",
    "Timeout",
}
MISSING_PARENT = {"ResourceGroupNotFound", "SubscriptionNotFound", "InvalidSubscriptionId"}

# Codes of failed operations and refusals that have a remedy of their own: who must act, and how.
_BY_CODE: dict[str, tuple[str, Owner, str]] = {
    "OutOfQuota": (
        "out_of_quota",
        Owner.SUBSCRIBER,
        "raise the core quota of the Azure subscription, or ask for fewer instances",
    ),
    "QuotaExceeded": (
        "out_of_quota",
        Owner.SUBSCRIBER,
        "raise the quota of the Azure subscription, or remove endpoints",
    ),
    "OutOfCapacity": ("out_of_capacity", Owner.SUBSCRIBER, "choose another instance type, or retry the delivery later"),
    "RequestDisallowedByPolicy": (
        "denied_by_policy",
        Owner.SUBSCRIBER,
        "exempt the workspace from the Azure policy that is named",
    ),
    "ImageBuildFailure": (
        "image_build_failed",
        Owner.PUBLISHER,
        "mend the model's environment and register a new version",
    ),
    "ResourceNotReady": ("not_ready", Owner.PUBLISHER, "the container does not start: read the deployment's logs"),
}


def retry_after(error: HttpResponseError) -> float | None:
    """Seconds, from Retry-After or its milliseconds' forms; None where Azure names no time."""
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    for name, unit in (("retry-after-ms", 1000.0), ("x-ms-retry-after-ms", 1000.0), ("Retry-After", 1.0)):
        value = headers.get(name)
        if value and _SECONDS.fullmatch(value):
            return float(value) / unit
    return None


def code_of(error: HttpResponseError) -> str:
    return str(getattr(error.error, "code", None) or getattr(error, "error_code", None) or "")


def verdict(error: Exception, doing: str) -> Transient | Permanent | NotFound:
    """What a failure of azure-core or azure-ai-ml means. `doing` says what was tried, and leads the text."""
    text = without_secrets(f"{doing}: {error}")
    if isinstance(error, ServiceRequestError):
        return Transient(text)
    if isinstance(error, (ServiceResponseError, IncompleteReadError, ConnectionError, TimeoutError)):
        return Transient(text, uncertain=True)
    if isinstance(error, ResourceNotFoundError):
        return _missing(error, text)
    if isinstance(error, HttpResponseError) and error.status_code:
        return _of_answer(error, text)
    if isinstance(error, ClientAuthenticationError):  # no answer to blame: the token could not be had, now
        return Transient(f"{text}; if this lasts: give the app an identity, and its client id in AZURE_CLIENT_ID")
    if isinstance(error, HttpResponseError):
        return Transient(text, uncertain=True)  # without a status: its answer broke off
    if isinstance(error, AzureError):
        return Permanent("refused", text, Owner.PROVIDER, "see Azure's text; mend what it names, then retry")
    return Permanent("unexpected", text, Owner.PROVIDER, "report it with the row")


def _missing(error: HttpResponseError, text: str) -> NotFound | Permanent:
    names_workspace = code_of(error) == "ResourceNotFound" and re.search(r"/workspaces/[^/']+'", str(error))
    if code_of(error) in MISSING_PARENT or names_workspace:
        remedy = "correct the workspace's ARM id in the rules, or let the app's identity see it"
        return Permanent("workspace_not_found", text, Owner.PROVIDER, remedy)
    return NotFound(text)


def _of_answer(error: HttpResponseError, text: str) -> Transient | Permanent | NotFound:
    status, code = error.status_code or 0, code_of(error)
    if code in _BY_CODE:
        return Permanent(_BY_CODE[code][0], text, *_BY_CODE[code][1:])
    if status in (408, 423, 425, 429) or status >= 500 or code in TRANSIENT_CODES:
        return Transient(text, retry_after(error), uncertain=status in (408, 500, 502, 504))
    match status:
        case 401:
            remedy = "check the app's identity and the Entra tenant of the workspace"
            return Permanent("unauthenticated", text, Owner.PROVIDER, remedy)
        case 403:
            remedy = "assign AzureML Data Scientist on the workspace, AzureML Registry User on the registry, to the app's identity"
            return Permanent("forbidden", text, Owner.PROVIDER, remedy)
        case 404:
            return _missing(error, text)
        case 409 | 412:
            return Conflict(text)
        case _:
            return Permanent("refused", text, Owner.PROVIDER, "see Azure's text; mend what it names, then retry")


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Any error of Azure's within becomes Transient, Permanent or NotFound."""
    try:
        yield
    except (AzureError, OSError) as error:
        raise verdict(error, doing) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # what the SDK and we make of an answer that is none
        raise Transient(without_secrets(f"{doing}: Azure's answer makes no sense: {error!r}"), uncertain=True) from error
