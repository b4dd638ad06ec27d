"""What must not get into a row, a log or a message, whoever put it into a text."""

import re

_SECRETS = re.compile(r"(?i)(sig=|sharedaccesskey=|accountkey=|bearer\s+)[^\s&\"'<>]+")
_LONGEST = 800  # characters of anyone's text worth keeping


def without_secrets(text: str) -> str:
    """Azure puts SAS addresses into its messages, and an exception may show a connection string."""
    return _SECRETS.sub(r"\1…", text)[:_LONGEST]
