"""`fanout schema`."""

import typer

from shared.commands import schema_text


def schema() -> None:
    """Print the JSON Schema of the commands that queue `commands` takes.

    \b
    fanout schema > commands.schema.json
    """
    typer.echo(schema_text(), nl=False)
