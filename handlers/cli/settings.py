"""`fanout settings`: the app settings, what they mean, and which are set here."""

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from handlers.cli.documents import AsJson, print_json
from handlers.cli.tables import print_below
from handlers.cli.terminal import err, out
from shared import settings as environment
from shared.settings_table import OF_THE_HOST, SETTINGS, Setting

NOT_SET = Text("not set", "dim")


class Form(StrEnum):
    MARKDOWN = "markdown"
    LOCAL_SETTINGS = "local.settings.json"


def settings(
    form: Annotated[
        Form | None, typer.Option("--as", help="The README's table, or a file for `func start` to be filled in. Shows no values.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the app settings: what each means, what counts where it is left out, and its value here, unless that is a secret.

    \b
    fanout settings
    fanout settings --as local.settings.json > local.settings.json
    """
    if form is Form.MARKDOWN:
        typer.echo(markdown(), nl=False)
    elif form is Form.LOCAL_SETTINGS:
        typer.echo(local_settings(), nl=False)
    elif as_json:
        print_json([_document(setting) for setting in SETTINGS])
    else:
        for each in SETTINGS:
            out.print(Text.assemble((each.name, "bold"), " = ", _shown(each)))
            print_below(Text(_described(each)))
    for name, meant in ({} if form else environment.misspelt()).items():
        err.print(f"{name} is set, and is no setting of this version: {meant} is.", markup=False)


def markdown() -> str:
    """The README's table."""
    rows = (f"| `{each.name}` | {each.meaning} | {_left_out(each)} | {each.since} |\n" for each in SETTINGS)
    return "| setting | meaning | where it is left out | since |\n| --- | --- | --- | --- |\n" + "".join(rows)


def local_settings() -> str:
    """A local.settings.json with all that is needed and more than a guess can fill in."""
    values = OF_THE_HOST | {each.name: each.example for each in SETTINGS if each.example}
    return json.dumps({"IsEncrypted": False, "Values": values}, indent=2) + "\n"


def _left_out(setting: Setting) -> str:
    if setting.required:
        return f"`{setting.instead}` must be set" if setting.instead else "it must be set"
    if setting.default:
        return f"`{setting.default}`"
    return setting.left_out or f"`{setting.instead}` counts"


def _described(setting: Setting) -> str:
    return f"{setting.meaning}. Left out: {_left_out(setting)}".replace("`", "")


def _shown(setting: Setting) -> str | Text:
    value = environment.value_of(setting)
    return "(a secret)" if value and setting.secret else value or NOT_SET


def _document(setting: Setting) -> dict[str, object]:
    value = environment.value_of(setting)
    return {
        "name": setting.name,
        "meaning": setting.meaning,
        "since": setting.since,
        "default": setting.default or None,
        "required": setting.required,
        "instead": setting.instead or None,
        "is_set": bool(value),
        "value": None if setting.secret else value or None,
    }
