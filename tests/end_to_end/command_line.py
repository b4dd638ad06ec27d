"""The command line as an operator runs it: a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.exits import told_of

REPOSITORY = Path(__file__).parents[2]
FANOUT = (sys.executable, "-m", "handlers.cli")


def fanout(*arguments: str, columns: int = 80, exits: int = 0) -> str:
    """What the command prints on stdout."""
    return _run(*arguments, columns=columns, exits=exits).stdout


def fanout_json(*arguments: str, exits: int = 0) -> Any:
    return json.loads(fanout(*arguments, "--json", exits=exits))


def refusal(*arguments: str) -> str:
    """What the command says on stderr of input that is wrong."""
    return _run(*arguments, columns=400, exits=2).stderr


def _run(*arguments: str, columns: int, exits: int) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"COLUMNS": str(columns)}
    done = subprocess.run(
        [*FANOUT, *arguments], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == exits, f"exit code {done.returncode}: {done.stdout}{done.stderr}"
    assert exits in told_of(arguments)
    return done
