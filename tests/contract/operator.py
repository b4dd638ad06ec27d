"""The command line as somebody runs it who has these settings."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.contract.table_service import ROOT
from tests.exits import told_of


@dataclass(frozen=True)
class Operator:
    settings: dict[str, str]

    def run(self, *arguments: str, exits: int = 0) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "handlers.cli", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | self.settings, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == exits, f"{done.returncode}: {done.stdout}{done.stderr}"
        assert exits in told_of(arguments)
        if "--json" in arguments and done.stdout:
            json.loads(done.stdout)
        return done

    def json(self, *arguments: str, exits: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", exits=exits).stdout)
