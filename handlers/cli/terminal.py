"""What the commands print, and how they exit: results to stdout, what is wrong to stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console

from shared.errors import Permanent, Transient

DONE, UNREACHABLE, INVALID, LOST, FAILED, STILL_OPEN, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
EXIT_CODES = {
    DONE: "done",
    UNREACHABLE: "Azure refuses or cannot be reached, or a setting is wrong",
    INVALID: "the input is wrong, and nothing was changed",
    LOST: "somebody else is at it, or was first",
    FAILED: "what was asked for failed, or was rejected",
    STILL_OPEN: "still open when the wait ended",
    INTERRUPTED: "interrupted by Ctrl-C",
}

out = Console(soft_wrap=True, highlight=False, emoji=False)  # model:apple:3 is no fruit
err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)


def stop(code: int, *lines: str) -> NoReturn:
    for line in lines:
        err.print(line, markup=False)
    raise typer.Exit(code)


def harmless(text: object) -> str:
    """What somebody else wrote, without what would steer the terminal."""
    return "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in str(text))


@contextmanager
def reaching(what: str) -> Iterator[None]:
    """What Azure refuses, or cannot be asked now, ends the command with the reason. `what`: "the tables", "the queue"."""
    try:
        yield
    except Permanent as refused:
        reason = refused.reason
        stop(UNREACHABLE, f"{reason.code}: {_first_line(reason.text)}", f"{reason.owner} must act: {reason.remedy}.")
    except Transient as unreachable:
        remedy = "see that the settings are right, and that you are signed in (az login) with the roles that the README names"
        stop(UNREACHABLE, _first_line(str(unreachable)), f"Try again when {what} can be reached, or {remedy}.")


def _first_line(text: str) -> str:
    """What went wrong: the SDKs append whole answers, and all that they tried."""
    return text.strip().partition("\n")[0].strip()
