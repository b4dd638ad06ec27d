"""`fanout rejected`: what queue `rejected` holds, and how it goes on."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from handlers.cli.arguments import duration_in
from handlers.cli.connection import connect
from handlers.cli.documents import AsJson, print_json, time_text
from handlers.cli.patience import answered
from handlers.cli.sending import LONGEST_WAIT, Sent, Timeout, Wait, Way
from handlers.cli.tables import age_text, paper, print_below
from handlers.cli.terminal import INVALID, LOST, harmless, out, reaching, stop
from handlers.cli.waiting import rejection_document, wait
from shared import commands
from shared.errors import Lost, Permanent
from shared.keys import key
from shared.messages import WHY, Outgoing, Queue, Received

if TYPE_CHECKING:
    from shared.bootstrap import AzureFanout

rejected = typer.Typer(no_args_is_help=True, help="See what was rejected, and let it go on once it is mended.")

Number = Annotated[int, typer.Argument(metavar="ID", min=1, help="Its number in the queue, as `fanout rejected list` has it.")]


@rejected.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List what was rejected, oldest first, each with who must do what.

    \b
    fanout rejected list
    """
    with reaching("the queue"):
        fanout = connect()
        _first(fanout)
        found = list(fanout.kept_messages.peek(Queue.REJECTED))
    if as_json:
        print_json([document_of(message) for message in found])
    elif found:
        _print_list(found, fanout)
    else:
        out.print("None.")


@rejected.command()
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one message as it came, and why it was rejected.

    \b
    fanout rejected show 42
    """
    with reaching("the queue"):
        message = _found(number, connect())
    document = document_of(message)
    if as_json:
        print_json(document)
        return
    for name in ("message_id", "correlation_id", "enqueued_at", "came_by"):
        out.print(f"{name.replace('_', ' ')}: {harmless(document[name])}", markup=False)
    print_json(document["body"])
    _print_reason(message)


@rejected.command()
def resend(
    number: Number,
    body: Annotated[Path | None, typer.Option("--body", help="A file with the mended command; else it goes as it came.")] = None,
    wait_for_it: Wait = False,
    timeout: Timeout = LONGEST_WAIT,
    as_json: AsJson = False,
) -> None:
    """Send a rejected command once more, mended if need be, and take it out of the queue once that is done.

    Killed in between, it is still there, and may be sent again: the same twice does no harm.

    \b
    fanout rejected show 42 --json | jq .body > mended.json
    fanout rejected resend 42 --body mended.json --wait
    """
    longest = duration_in(timeout)
    given = _read(body) if body else None
    with reaching("the queue"):
        fanout = connect()
        message = _found(number, fanout)
        copy = resent(message, given)
        command = _checked(message, copy.body)
        try:
            fanout.kept_messages.take_out(Queue.REJECTED, number, lambda: fanout.queues.send(Queue.COMMANDS, [copy]))
        except Lost as lost:
            stop(LOST, f"{lost}. See fanout rejected list.")
    told = {"command": json.loads(copy.body), "message_id": copy.message_id, "correlation_id": copy.correlation_id}
    if wait_for_it:
        sent = Sent(command, copy.message_id, copy.correlation_id or "")
        wait(sent, told, Way(sent.correlation_id, longest, as_json), fanout)
    elif as_json:
        print_json(told)
    else:
        out.print(f"Sent, and taken out of queue rejected. Its message id is now {copy.message_id}.", markup=False)


def resent(message: Received, body: bytes | None = None) -> Outgoing:
    """The message for queue `commands`: as it came, but for its id, since the queue drops for ten minutes what it had before.

    The id is the same however often the same is sent from the same rejection.
    """
    sent = message.body if body is None else body
    properties = {name: value for name, value in message.properties.items() if name not in {f"fanout_{why}" for why in WHY}}
    return Outgoing(
        sent,
        key("resent", message.message_id, str(message.sequence_number), sent.hex()),
        correlation_id=message.correlation_id,
        content_type=message.content_type,
        properties=properties,
    )


def _first(fanout: "AzureFanout", number: int = 1) -> Received | None:
    """The first message from that number on."""
    return answered("the queue", lambda: next(iter(fanout.kept_messages.peek(Queue.REJECTED, number - 1)), None))


def _found(number: int, fanout: "AzureFanout") -> Received:
    message = _first(fanout, number)
    if message is None or message.sequence_number != number:
        stop(INVALID, f"Queue rejected has no message {number}: see fanout rejected list.")
    return message


def _checked(message: Received, body: bytes) -> commands.Command:
    try:
        return commands.parse(body)
    except Permanent as wrong:
        came = f"It came by {message.properties.get('fanout_came_by', 'nobody knows what')}"
        stop(INVALID, f"Not sent: {wrong.reason.text}.", f"{came}: mend it, and give the command with --body FILE.")


def _read(body: Path) -> bytes:
    try:
        return body.read_bytes()
    except OSError as wrong:
        stop(INVALID, f"--body: {wrong}")


def document_of(message: Received) -> dict[str, Any]:
    enqueued = time_text(message.enqueued_at) if message.enqueued_at else None
    ids = {"id": message.sequence_number, "message_id": message.message_id, "correlation_id": message.correlation_id}
    return ids | {"enqueued_at": enqueued} | rejection_document(message) | {"body": _body(message)}


def _body(message: Received) -> object:
    """As JSON where it is any that can be printed, else as text: nobody checked it."""
    try:
        body = json.loads(message.body)
        json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return message.body.decode(errors="replace")
    return body


def _print_list(found: Sequence[Received], fanout: "AzureFanout") -> None:
    now = fanout.clock.now()
    for message in found:
        age = f"{age_text(message.enqueued_at, now)} ago" if message.enqueued_at else ""
        paper().print(Text.assemble((str(message.sequence_number), "bold"), f"  {age}  {_what(_body(message))}"))
        _print_reason(message)


def _what(body: object) -> str:
    """The command in a few words."""
    if not isinstance(body, Mapping):
        return "no JSON object"
    asset = body.get("asset")
    named = ":".join(str(asset.get(part)) for part in ("kind", "name", "version")) if isinstance(asset, Mapping) else ""
    return harmless(" ".join(str(each) for each in (body.get("type"), named or body.get("delivery") or body.get("share")) if each))


def _print_reason(message: Received) -> None:
    why = rejection_document(message)
    print_below(Text.assemble((f"{why['code']}: ", "red"), harmless(why["reason"])))
    print_below(Text.assemble((f"{why['owner']} must act: ", "yellow"), f"{why['remedy']}"))
