"""Rows as people read them: one line each, its id and its reason below it, as wide as the terminal."""

import os
import sys
from functools import cache

from rich.console import Console

WITHOUT_TERMINAL = 200  # columns, unless COLUMNS says otherwise: what reads a pipe can cope


@cache
def paper(*, stderr: bool = False) -> Console:
    """Where tables go."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WITHOUT_TERMINAL
    return Console(stderr=stderr, highlight=False, width=width)
