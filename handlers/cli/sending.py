"""What the commands that ask for something have in common: each is checked, sent, and followed to its outcome if that is wanted."""

import getpass
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import typer

from handlers.cli import completion
from handlers.cli.arguments import duration_in
from handlers.cli.connection import connect
from handlers.cli.documents import print_json
from handlers.cli.patience import answered
from handlers.cli.terminal import INVALID, out, reaching, stop
from shared import commands
from shared.errors import Permanent
from shared.messages import LONGEST_ID, Outgoing, Queue

CorrelationId = Annotated[
    str | None, typer.Option("--correlation-id", help="Stands in rows, log and outcomes. One is made where none is given.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Follow what the command brings about, until its outcome.")]
Timeout = Annotated[str, typer.Option("--timeout", help="How long --wait waits: 90s, 30m, 2h.")]
Registry = Annotated[
    str | None,
    completion.registry("--registry", "Which one, where it could be several."),
]
Actions = Annotated[
    str | None, typer.Option("--actions", help="As a subscription has them: a YAML or JSON file, or the text itself.")
]
LONGEST_WAIT = "30m"


@dataclass(frozen=True, slots=True)
class Way:
    """How a command is sent. `timeout` is None where nobody waits for the outcome."""

    correlation_id: str
    timeout: timedelta | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that is on the queue, by its message."""

    command: commands.Command
    message_id: str
    correlation_id: str


def way(correlation_id: str | None, *, wait: bool, timeout: str, as_json: bool) -> Way:
    chosen = uuid.uuid4().hex if correlation_id is None else correlation_id
    if not 0 < len(chosen) <= LONGEST_ID:
        stop(INVALID, f"--correlation-id has {len(chosen)} characters: write 1 to {LONGEST_ID}.")
    if not chosen.isprintable():
        stop(INVALID, f"--correlation-id {chosen!r}: write characters that can be printed.")
    longest = duration_in(timeout)
    return Way(chosen, longest if wait else None, as_json)


def checked(document: Mapping[str, object]) -> commands.Command:
    """The command as the queue's reader will understand it: what that would reject is not sent."""
    try:
        return commands.parse(_body(document))
    except Permanent as wrong:
        stop(INVALID, f"Not sent: {wrong.reason.text}.")


def ask(document: Mapping[str, object], chosen: Way) -> None:
    """Send the command of these fields, None for those that it leaves open."""
    document = {name: value for name, value in document.items() if value is not None}
    command = checked(document)
    with reaching("the queue"):
        fanout = connect()
        if chosen.timeout is not None:
            from handlers.cli.latest import with_version

            document = with_version(document, command, fanout)
            command = checked(document)
        sent = Sent(command, str(uuid.uuid4()), chosen.correlation_id)
        message = Outgoing(_body(document), sent.message_id, correlation_id=sent.correlation_id)
        answered("the queue", lambda: fanout.queues.send(Queue.COMMANDS, [message]))
    told: dict[str, Any] = {"command": document, "message_id": sent.message_id, "correlation_id": sent.correlation_id}
    if chosen.timeout is not None:
        from handlers.cli.waiting import wait

        wait(sent, told, chosen, fanout)
    elif chosen.as_json:
        print_json(told)
    else:
        out.print(f"Sent, with correlation id {sent.correlation_id}.", markup=False)


def login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        stop(INVALID, "Nobody is logged in by name here: say with --by who decides.")


def _body(document: Mapping[str, object]) -> bytes:
    return json.dumps(document).encode()
