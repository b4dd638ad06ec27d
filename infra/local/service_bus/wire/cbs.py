"""Claims-based security: clients put a token on `$cbs` for each entity before they attach to it."""

import base64
import hashlib
import hmac
import re
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any

from infra.local.service_bus.amqp import encoding
from infra.local.service_bus.queues.errors import EntityNotFoundError, UnauthorizedError
from infra.local.service_bus.queues.namespace import Namespace
from infra.local.service_bus.wire.requests import Answer

KEY_NAME = "RootManageSharedAccessKey"
MANAGEMENT_SUFFIX = "/$management"


def entity_path(address: str | None) -> str:
    """`amqps://host:port/My/Queue` → `My/Queue`."""
    return re.sub(r"^[a-z]+://[^/]+/?", "", address or "").strip("/")


def entity_of(path: str) -> str:
    """The queue that a path is about: its own, or that of its management node."""
    return path[: -len(MANAGEMENT_SUFFIX)] if path.lower().endswith(MANAGEMENT_SUFFIX) else path


class SharedAccessKey:
    """The namespace's one key, which carries all rights. With no key set, every token is good."""

    def __init__(self, key: str | None) -> None:
        self.key = key

    def audience_of(self, token: str) -> str:
        """The entity path that the token opens, with all below it. Raises UnauthorizedError."""
        if self.key is None:
            return ""
        try:
            scheme, _, fields = token.partition(" ")
            claims = dict(field.split("=", 1) for field in fields.split("&"))
            audience, signature, expiry, name = (claims[key] for key in ("sr", "sig", "se", "skn"))
            known = scheme == "SharedAccessSignature" and urllib.parse.unquote_plus(name) == KEY_NAME
            fresh = int(expiry) > time.time()
        except (AttributeError, KeyError, ValueError) as wrong:
            raise UnauthorizedError("MalformedToken: The token is not a shared access signature.") from wrong
        expected = self._sign(self.key, f"{audience}\n{expiry}")
        if not (known and hmac.compare_digest(expected, urllib.parse.unquote(signature).encode())):
            raise UnauthorizedError("InvalidSignature: The token has an invalid signature.")
        if not fresh:
            raise UnauthorizedError("ExpiredToken: The token is expired.")
        return entity_path(urllib.parse.unquote_plus(audience)).lower()

    @staticmethod
    def _sign(key: str, text: str) -> bytes:
        return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest())


class TokenNode:
    """`$cbs` of one connection, and what the tokens put there allow."""

    def __init__(self, namespace: Namespace, key: SharedAccessKey) -> None:
        self._namespace = namespace
        self._key = key
        self._audiences: set[str] = set()

    def require(self, path: str) -> None:
        """Raises UnauthorizedError where no token on this connection opens that entity."""
        if self._key.key is not None and not any(_covers(audience, path.lower()) for audience in self._audiences):
            raise UnauthorizedError

    def answer(self, properties: Mapping[str, Any], body: Any) -> Answer:
        path = entity_path(properties.get("name"))
        try:
            self._audiences.add(self._key.audience_of(body))
            if path:
                self._namespace.find(entity_of(path))
        except (UnauthorizedError, EntityNotFoundError) as error:
            return _status(error.status, error.description)
        return _status(202, "Accepted")


def _covers(audience: str, path: str) -> bool:
    return audience in ("", path) or path.startswith(audience + "/")


def _status(code: int, description: str) -> Answer:
    """Under both spellings: with the wrong one the SDK waits until its authentication times out."""
    number, text = encoding.integer(code), encoding.string(description)
    spellings = {"status-code": number, "status-description": text, "statusCode": number, "statusDescription": text}
    return Answer(spellings)
