"""Who may publish to a topic: by one of its keys, by a token signed with one, or as a managed identity.

https://learn.microsoft.com/azure/event-grid/authenticate-with-access-keys-shared-access-signatures and
/azure/event-grid/authenticate-with-microsoft-entra-id
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from infra.local.event_grid.refusals import Refused, unauthorized
from infra.local.event_grid.topics import Topic
from infra.local.tokens import InvalidToken, Tokens

AUDIENCE = "https://eventgrid.azure.net"
MISSING = "Request must contain one of the following authorization signature: aeg-sas-token, aeg-sas-key."
_DOTNET_TIME = "%m/%d/%Y %I:%M:%S %p"  # how .NET writes a time where no format is chosen: Azure's documentation does so


class Gate:
    """`tokens` None: no managed identity can publish, since its tokens cannot be checked."""

    def __init__(self, tokens: Tokens | None) -> None:
        self._tokens = tokens

    def admit(self, headers: Mapping[str, str], topic: Topic, endpoint: str) -> None:
        """Raises Refused unless the request's headers prove that it may publish to the topic at this endpoint."""
        scheme, _, credential = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            self._admit_identity(credential, topic)
        elif "aeg-sas-key" in headers:
            _admit_key(headers["aeg-sas-key"], topic, endpoint)
        elif "aeg-sas-token" in headers:
            _admit_signature(headers["aeg-sas-token"], topic, endpoint)
        elif scheme == "SharedAccessSignature":
            _admit_signature(credential, topic, endpoint)
        elif scheme:
            message = "Request has an unsupported Authorization scheme (must be SharedAccessSignature or Bearer)."
            raise unauthorized(message)
        else:
            raise unauthorized(MISSING)

    def _admit_identity(self, token: str, topic: Topic) -> None:
        if self._tokens is None:
            raise unauthorized("Unable to read access token.")
        try:
            claims = self._tokens.read(token)
        except InvalidToken as invalid:
            raise unauthorized(f"The access token is not valid: {invalid}.") from invalid
        if claims.audience != AUDIENCE:
            raise unauthorized(f"The access token is for the audience {claims.audience}, not for {AUDIENCE}.")
        if topic.senders is not None and claims.principal not in topic.senders:
            message = "The principal associated with access token presented with the incoming request"
            raise Refused(403, "Forbidden", f"{message} does not have permission to send data to {topic.id}.")


def _admit_key(key: str, topic: Topic, endpoint: str) -> None:
    if not key:
        raise Refused(400, "InvalidSas", "Request must have a value for aeg-sas-key.")
    if not any(secrets.compare_digest(key.encode(), each.encode()) for each in _keys(topic)):
        raise unauthorized(f"The request authorization key is not authorized for {endpoint}.")


def _admit_signature(token: str, topic: Topic, endpoint: str) -> None:
    """`r=<endpoint>&e=<expiration>&s=<HMAC-SHA256 of what precedes it>`, each value URL-encoded."""
    fields = dict(parse_qsl(token))
    expires = _time(fields.get("e", ""))
    if expires is None or not {"r", "s"} <= set(fields):
        message = (
            "Invalid key in aeg-sas-token. Valid format :r=UrlEncodedResource&e=UrlEncodedUtcExpiration&s=UrlEncodedSignature."
        )
        raise Refused(400, "InvalidSas", message)
    signed = token.partition("&s=")[0]
    if not any(secrets.compare_digest(_signature(key, signed), fields["s"].encode()) for key in _keys(topic)):
        raise unauthorized(f"The specified SAS token signature is invalid for topic '{endpoint}'.")
    resource = fields["r"].partition("?")[0]
    if not endpoint.casefold().startswith(resource.casefold()):
        raise unauthorized(f"The specified SAS token is for {resource}, not for topic '{endpoint}'.")
    if expires <= datetime.now(UTC):
        raise unauthorized(f"The specified SAS token has expired for topic '{endpoint}'.")


def _keys(topic: Topic) -> Iterable[str]:
    if topic.disable_local_auth:
        raise unauthorized("Local authentication has been disabled for this resource: use Microsoft Entra ID.")
    return topic.key1, topic.key2


def _signature(key: str, text: str) -> bytes:
    return base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest())


def _time(text: str) -> datetime | None:
    """UTC where the text does not say."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        try:
            time = datetime.strptime(text, _DOTNET_TIME)
        except ValueError:
            return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
