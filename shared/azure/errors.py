"""What Azure's errors mean: every one becomes Transient or Permanent here, at the edge, and nowhere else.

What means what stands in shared/azure/error_table.py; here is how an exception is read, and what is made of the row that knows it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, HttpResponseError, ODataV4Format

from shared.azure.error_row import NO_STATUS, Evidence, Place, Row, Verdict
from shared.azure.error_table import NAMED_CLASSES, row_of
from shared.errors import Conflict, NotFound, Permanent, Throttled, Transient, Unavailable
from shared.secrets import without_secrets

LONGEST_TEXT = 500  # characters: with the code, the owner and the remedy it stays whole in a row, a log line and an outcome event
LONGEST_READ = 20_000  # characters of an answer that are looked through

_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_XML_CODE = re.compile(r"<Code>(\w+)</Code>")  # a storage account's answer
_PLACES = (
    (Place.IDENTITY, re.compile(r"^(login\.|169\.254\.)|/msi/token|/metadata/identity/", re.IGNORECASE)),
    (Place.SHARE, re.compile(r"/registries/[^/]+/import$|/assetstore/", re.IGNORECASE)),
    (Place.REGISTRY, re.compile(r"/registries/|/registrymanagement/", re.IGNORECASE)),
    (Place.STORAGE, re.compile(r"^[^/]+\.(blob|dfs|file)\.", re.IGNORECASE)),
    (Place.WORKSPACE, re.compile(r"/workspaces/|/Microsoft\.MachineLearningServices/locations/", re.IGNORECASE)),
)


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


def row_for(error: Exception) -> Row:
    """The row of the table that knows this error."""
    return row_of(_evidence(error))


def verdict(error: Exception, doing: str) -> Transient | Permanent:
    """What a failure of azure-core or azure-ai-ml means. `doing` says what was tried, and leads the text."""
    row = row_for(error)
    text = without_secrets(f"{doing}: {_told(error)}", LONGEST_TEXT)
    lasting = f"{text}; if this lasts, {row.owner}: {row.remedy}"
    asked = retry_after(error) if isinstance(error, HttpResponseError) else None
    match row.verdict:
        case Verdict.PERMANENT:
            return Permanent(row.code, text, row.owner, row.remedy)
        case Verdict.NOT_FOUND:
            return NotFound(text)
        case Verdict.CONFLICT:
            return Conflict(text)
        case Verdict.THROTTLED:
            return Throttled(lasting, asked, uncertain=row.uncertain)
        case Verdict.UNAVAILABLE:
            return Unavailable(lasting, asked, uncertain=row.uncertain)
        case Verdict.TRANSIENT:
            return Transient(lasting, asked, uncertain=row.uncertain)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Any error of Azure's within becomes Transient, Permanent or NotFound."""
    try:
        yield
    except (AzureError, OSError) as error:
        raise verdict(error, doing) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # what the SDK and we make of an answer that is none
        raise Transient(without_secrets(f"{doing}: Azure's answer makes no sense: {error!r}"), uncertain=True) from error
    except Exception as error:
        if _class_names(error).isdisjoint(NAMED_CLASSES):
            raise
        raise verdict(error, doing) from error


def _evidence(error: Exception) -> Evidence:
    if not isinstance(error, HttpResponseError):
        return Evidence(_class_names(error), text=str(error)[:LONGEST_READ])
    body = _body(error)
    found = {code_of(error), *_codes_in(body)}
    return Evidence(
        _class_names(error),
        error.status_code or NO_STATUS,
        frozenset(code.lower() for code in found if code),
        f"{error}\n{body}"[:LONGEST_READ],
        _place(error),
    )


def _class_names(error: Exception) -> frozenset[str]:
    return frozenset(f"{each.__module__}.{each.__qualname__}" for each in type(error).__mro__)


def _body(error: HttpResponseError) -> str:
    """What Azure answered; empty where that was never read, or is no text."""
    with suppress(AzureError, OSError, ValueError, LookupError, AttributeError):
        return str(error.response.text()) if error.response is not None else ""
    return ""


def _codes_in(body: str) -> Iterator[str]:
    """Every code of an answer, however deep: Azure ML wraps the one that tells into `details` or `innerError`."""
    yield from _XML_CODE.findall(body[:LONGEST_READ])
    with suppress(ValueError, RecursionError):
        yield from _codes_of(json.loads(body))


def _codes_of(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _codes_of(each)
    elif isinstance(node, dict):
        for name, value in node.items():
            if isinstance(value, str) and name.lower() == "code":
                yield value
            else:
                yield from _codes_of(value)


def _place(error: HttpResponseError) -> Place | None:
    url = urlsplit(str(getattr(getattr(error.response, "request", None), "url", "")))
    address = f"{url.hostname or ''}{url.path}"
    return next((place for place, pattern in _PLACES if pattern.search(address)), None)


def _told(error: Exception) -> str:
    """Azure's own text, each of its messages once: azure-core says them twice, and correlation ids between them."""
    if isinstance(error, HttpResponseError) and error.error:
        return "; ".join(_messages(error.error))
    return str(error)


def _messages(part: ODataV4Format) -> Iterator[str]:
    yield f"({part.code}) {part.message}" if part.code else str(part.message)
    for detail in part.details:
        yield from _messages(detail)
