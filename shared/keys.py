"""The one way in which keys of rows are made from what they stand for."""

import base64
import hashlib

KEY_LENGTH = 26  # characters of base32: 130 bits, and safe in a URL, a table key and a MessageId


def key(*parts: str) -> str:
    """A lower-case base32 SHA-256 of the parts, 26 characters. Parts are canonical already: ARM ids in lower case."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:KEY_LENGTH]
