"""The two verdicts on any failure. Adapters raise them.

handlers/turns.py makes of them what becomes of a row, handlers/commands.py what becomes of a command.
"""

from dataclasses import dataclass
from enum import StrEnum


class Owner(StrEnum):
    """Who must act on a permanent failure."""

    PROVIDER = "provider"
    PUBLISHER = "publisher"
    SUBSCRIBER = "subscriber"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something can not be done: a code for programs, the text and the remedy for the person who must act."""

    code: str
    text: str
    owner: Owner
    remedy: str

    def __str__(self) -> str:
        return f"{self.code}: {self.text} — {self.owner}: {self.remedy}"


class Transient(Exception):
    """It may work later. `retry_after` is in seconds where Azure named a time, None where our backoff decides.

    `uncertain`: the change may have been made all the same, since its answer was lost.
    """

    def __init__(self, text: str, retry_after: float | None = None, *, uncertain: bool = False) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        self.uncertain = uncertain


class Permanent(Exception):
    """It will not work until someone acts."""

    def __init__(self, code: str, text: str, owner: Owner, remedy: str) -> None:
        super().__init__(f"{code}: {text}")
        self.reason = Reason(code, text, owner, remedy)


class Unavailable(Transient):
    """Azure ML did not answer, or answered 5xx or 408: its workspace may be sick."""


class Throttled(Transient):
    """Azure said 429: too many calls for that Azure subscription."""


class Conflict(Transient):
    """Azure answered 409: it is there already, or being changed at this moment. The next look tells which."""


class Unreadable(Transient):
    """A row of another version of Fanout, which that version, or the next deployment, may read."""


class NotFound(Transient):
    """What was asked for is not there: an answer to who asked for just that; to all others, not there yet."""


class Full(Transient):
    """Every place that one workspace has in this process is taken."""


class Waiting(Transient):
    """A workspace, or its Azure subscription, has to be left alone for `retry_after` seconds."""


class Lost(Exception):
    """Someone else wrote the row first. Theirs stands, and their wake-up follows it: there is nothing left to do here."""
