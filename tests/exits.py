"""How a command of the command line may end, by its own --help."""

from collections.abc import Sequence

from handlers.cli.all_commands import app
from handlers.cli.help_texts import commands_of, ends

COMMANDS = {name for name, _ in commands_of(app)}


def told_of(arguments: Sequence[str]) -> tuple[int, ...]:
    """The exit codes that --help tells of the command that these arguments begin with."""
    (command,) = {arguments[0], " ".join(arguments[:2])} & COMMANDS
    return ends(command)
