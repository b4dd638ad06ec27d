"""Ctrl-C before a command has begun: while `fanout` is being imported, which takes half a second."""

import subprocess
import sys
from pathlib import Path

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
    command = [sys.executable, "-c", INTERRUPTED_WHILE_IMPORTED]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
