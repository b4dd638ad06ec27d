"""The frame of the command line."""

import logging

import typer

app = typer.Typer(no_args_is_help=True, add_completion=True, help="Fanout, for those who run it.")


@app.callback()
def _fanout() -> None:
    """Fanout, for those who run it."""
    sdks = logging.getLogger("azure")  # what they warn of comes back as an error, in fewer words
    sdks.addHandler(logging.NullHandler())
    sdks.propagate = False
