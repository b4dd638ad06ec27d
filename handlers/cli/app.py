"""The frame of the command line."""

import logging
import sys

import typer

from handlers.cli.arguments import require_text

HELP = """Fanout, for those who run it: the rules, what is asked for, and what became of it.

It takes the app's settings ServiceBus and Tables from the environment. Each command has a --help of its own, with examples."""

app = typer.Typer(no_args_is_help=True, add_completion=True, help=HELP)


@app.callback()
def _fanout() -> None:
    require_text(sys.argv)
    sdks = logging.getLogger("azure")  # what they warn of comes back as an error, in fewer words
    sdks.addHandler(logging.NullHandler())
    sdks.propagate = False
