"""What --help says of each command: its docstring, whose paragraphs flow and whose examples do not, and its exit codes."""

import inspect
import re
from collections.abc import Iterable, Iterator

import typer
from rich.markup import escape
from typer.models import CommandInfo

from handlers.cli.terminal import DONE, EXIT_CODES, FAILED, INTERRUPTED, INVALID, LOST, STILL_OPEN, UNREACHABLE

USUAL = (DONE, UNREACHABLE, INVALID, INTERRUPTED)
AWAITED = (*USUAL, FAILED, STILL_OPEN)
ALONE = (*USUAL, LOST)
ENDS = {
    "apply": ALONE,
    "reconcile": ALONE,
    **dict.fromkeys(("share", "push", "pull", "recall", "retry", "cancel", "approve", "reject"), AWAITED),
    **{f"{rules} {change}": ALONE for rules in ("tenants", "publications", "subscriptions") for change in ("pause", "resume")},
    "rejected resend": (*AWAITED, LOST),
    **dict.fromkeys(("schema", "settings"), (DONE, INVALID)),
    "doctor": (*USUAL, FAILED),
    "onboard": (*USUAL, FAILED),
    "offboard": ALONE,
}
"""How commands can end that do not only look."""

OWN_CODES = "Exit codes:"
OWN_CODE = re.compile(r"(?:^|;)\s*(\d+)\s")
EXAMPLES = "\b\n"  # so click marks a paragraph whose lines stay as they are


def teach(app: typer.Typer) -> None:
    app.info.epilog = "Exit codes:\n" + "\n".join(f"  {code:<4} {escape(meaning)}" for code, meaning in EXIT_CODES.items())
    for name, command in commands_of(app):
        text = command.help or inspect.getdoc(command.callback) or ""
        command.help = _flowing(text)
        command.epilog = _exit_codes(ends(name), text)


def commands_of(app: typer.Typer, *path: str) -> Iterator[tuple[str, CommandInfo]]:
    """Each by its whole name, such as `rejected list`."""
    for command in app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        yield " ".join((*path, str(name))), command
    for group in app.registered_groups:
        if group.typer_instance:
            yield from commands_of(group.typer_instance, *path, str(group.name))


def ends(command: str) -> tuple[int, ...]:
    """The exit codes that it can have."""
    return ENDS.get(command, USUAL)


def _exit_codes(codes: Iterable[int], text: str) -> str:
    """Those of which the text does not say itself, more exactly, what they mean."""
    said = {int(code) for code in OWN_CODE.findall(text.partition(OWN_CODES)[2])}
    left = "; ".join(f"{code} {EXIT_CODES[code]}" for code in sorted(set(codes) - said))
    return f"{'Besides' if said else OWN_CODES} {left}." if left else ""


def _flowing(text: str) -> str:
    """As rich's markup, for a terminal of any width."""
    return "\n\n".join(map(_paragraph, inspect.cleandoc(text).split("\n\n")))


def _paragraph(text: str) -> str:
    if text.startswith(EXAMPLES):
        return "\n".join(f"[cyan]  {escape(line)}[/]" for line in text.removeprefix(EXAMPLES).splitlines())
    return escape(" ".join(text.split()))
