"""What ends `fanout` before a command has begun."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

INTERRUPTED_WHILE_IMPORTED = """
import os, signal, sys

class Impatient:
    def find_spec(self, name, path, target=None):
        if name == "handlers.cli.status":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Impatient())
sys.argv = ["fanout", "watch"]
from handlers.cli.__main__ import main
main()
"""


def test_interrupted_while_it_is_imported_it_ends_in_silence() -> None:
    """That takes half a second."""
    command = [sys.executable, "-c", INTERRUPTED_WHILE_IMPORTED]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


@pytest.mark.parametrize("arguments", [["status", b"model:\xff"], ["deliveries", "--tenant", b"\xff"], ["apply", b"\xff"]])
def test_bytes_that_are_no_text_are_refused(arguments: list[str | bytes]) -> None:
    command = [sys.executable, "-m", "handlers.cli", *arguments]
    utf_8 = os.environ | {"PYTHONUTF8": "1"}
    ended = subprocess.run(command, cwd=ROOT, env=utf_8, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.endswith("\\udcff' is no text: write it in UTF-8.\n")
