"""What the commands print, and how they exit: results to stdout, what is wrong to stderr.

Exit codes: 0 done, 1 Azure refuses or cannot be reached, 2 the input is wrong, 3 another was first, 4 the outcome is a failure,
5 still open when the wait ended, 130 interrupted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console

from shared.errors import Permanent, Transient

UNREACHABLE, INVALID, LOST, FAILED, STILL_OPEN, INTERRUPTED = 1, 2, 3, 4, 5, 130

out = Console(soft_wrap=True, highlight=False, emoji=False)  # model:apple:3 is no fruit
err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)


def stop(code: int, *lines: str) -> NoReturn:
    for line in lines:
        err.print(line, markup=False)
    raise typer.Exit(code)


@contextmanager
def reaching(what: str) -> Iterator[None]:
    """What Azure refuses, or cannot be asked now, ends the command with the reason. `what`: "the tables", "the queue"."""
    try:
        yield
    except Permanent as refused:
        stop(UNREACHABLE, str(refused.reason))
    except Transient as unreachable:
        stop(UNREACHABLE, f"{unreachable}. Try again when {what} can be reached.")
