"""The bearer tokens of the local cloud: the identity endpoint makes them, and every part that takes them checks them by itself.

Entra ID's signing keys can be fetched by anybody; here one key lies beside the certificates, readable by the parts alone.
"""

import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import jwt

ISSUER = "https://sts.windows.net/local/"
_ALGORITHM = "HS256"


class InvalidToken(Exception):
    """The token is none of ours; the text says what is wrong with it."""


class ExpiredToken(InvalidToken):
    """The token was good once."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom a token stands for, and who may take it."""

    principal: str
    audience: str


class Tokens:
    """Signed, expiring, each for one audience. `directory` holds the key: a restart leaves every token valid."""

    def __init__(self, directory: Path) -> None:
        self._key = _signing_key(directory / "tokens.key")

    def issue(self, principal: str, audience: str, seconds: int) -> tuple[str, int]:
        """A token and when it expires, in seconds of Unix time."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": audience, "iat": now, "nbf": now, "exp": now + seconds}
        return jwt.encode({**claims, "appid": principal, "oid": principal}, self._key, _ALGORITHM), now + seconds

    def read(self, token: str) -> Claims:
        """Raises ExpiredToken or InvalidToken. Whether the audience is the right one, the caller must judge."""
        try:
            claims = jwt.decode(token, self._key, [_ALGORITHM], issuer=ISSUER, options={"verify_aud": False})
        except jwt.ExpiredSignatureError as expired:
            raise ExpiredToken(str(expired)) from expired
        except jwt.InvalidTokenError as invalid:
            raise InvalidToken(str(invalid)) from invalid
        return Claims(str(claims["oid"]), str(claims["aud"]).rstrip("/"))


def _signing_key(file: Path) -> str:
    """Made by whichever part needs it first: linked into place whole, so that no other reads half of it."""
    if not file.exists():
        made = file.with_name(f"{file.name}.{os.getpid()}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(made, file)
        made.unlink()
    return file.read_text()
