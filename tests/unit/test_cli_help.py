"""What --help teaches: how each command is used, and what its exit codes mean."""

import inspect
import re
from itertools import pairwise

import pytest
from typer.models import CommandInfo
from typer.testing import CliRunner

from handlers.cli.all_commands import app
from handlers.cli.help_texts import ENDS, commands_of, ends
from handlers.cli.terminal import EXIT_CODES, FAILED, INVALID, STILL_OPEN

COMMANDS = dict(commands_of(app))
WAITING = [name for name, command in COMMANDS.items() if "timeout" in inspect.signature(command.callback or app).parameters]
PRINTING_NOTHING_OF_THEIR_OWN = {"apply", "export", "schema"}  # changes, files, and what is JSON already


def help_of(command: str, columns: int = 80) -> str:
    shown = CliRunner().invoke(app, [*command.split(), "--help"], env={"Tables": None, "ServiceBus": None, "COLUMNS": str(columns)})
    assert shown.exit_code == 0
    return shown.stdout


def spaced(text: str) -> str:
    return " ".join(text.split())


def test_all_exit_codes_are_told_in_one_table() -> None:
    shown = help_of("")

    assert re.findall(r"^ +(\d+) +(\S.*?) *$", shown.partition("Exit codes:")[2], re.MULTILINE) == [
        (str(code), meaning) for code, meaning in EXIT_CODES.items()
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_tells_the_exit_codes_that_it_can_have(command: str) -> None:
    told = spaced(help_of(command)).partition("Exit codes:")[2]

    assert {int(code) for code in re.findall(r"(?:^|[;.]|Besides) ?(\d+) ", told)} == set(ends(command))


def test_who_waits_may_learn_of_a_failure_and_that_it_is_not_over() -> None:
    assert {name for name in COMMANDS if {FAILED, STILL_OPEN} <= set(ends(name))} == set(WAITING)


def test_the_exit_codes_are_those_of_commands_that_there_are() -> None:
    assert ENDS.keys() <= COMMANDS.keys()
    assert all(INVALID in ends(name) for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_teaches_by_an_example(command: str) -> None:
    text = help_of(command).partition("Usage:")[2].partition("\n")[2]

    assert re.search(rf"^ +fanout {command}\b", text, re.MULTILINE)


@pytest.mark.parametrize("columns", [80, 140])
def test_paragraphs_of_help_flow_and_examples_stay_on_their_lines(columns: int) -> None:
    text = help_of("status", columns).partition("Usage:")[2].partition("\n")[2].partition("╭")[0]
    *paragraphs, examples = re.split(r"\n\s*\n", text.strip())

    for paragraph in paragraphs:
        lines = [line.strip() for line in paragraph.splitlines()]
        assert all(len(line) + 1 + len(after.split()[0]) > columns - 2 for line, after in pairwise(lines))
    assert [line.strip()[:13] for line in examples.splitlines()] == ["fanout status"] * 3


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - PRINTING_NOTHING_OF_THEIR_OWN))
def test_what_a_command_shows_is_there_for_programs_too(command: str) -> None:
    if not command.endswith((" pause", " resume")):
        assert "--json" in help_of(command)


def test_commands_are_found_with_those_in_groups() -> None:
    assert {"apply", "rejected list", "tenants pause"} <= COMMANDS.keys()
    assert all(isinstance(command, CommandInfo) for command in COMMANDS.values())
