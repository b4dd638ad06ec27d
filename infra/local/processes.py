"""The parts of the local cloud as child processes: started, waited for, ended, and never left behind.

Every part leads a process group of its own. So Ctrl-C in a terminal reaches the parent alone, which ends the parts in
order, and what a part starts itself goes with it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
THIS_PYTHON = Path(sys.executable)
SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 10.0
LINES_SHOWN = 25

# What a part may see of the environment around it. Nothing else, so that a developer's own settings for Azure change nothing.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "VIRTUAL_ENV", "SYSTEMROOT")

type Ready = dict[str, Any]
type ReadReady = Callable[[str], Ready | None]


class CannotStart(Exception):
    """What keeps the local cloud from starting: a sentence that says what to do."""


class PartDied(Exception):
    """A part ended that should not have; the text holds its own last words."""


class Undertaker:
    """Kills the parts when this process is gone. See infra/local/undertaker.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.undertaker"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        self._tell(b"+%d\n" % group)

    def forget(self, group: int) -> None:
        self._tell(b"-%d\n" % group)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin
        with suppress(BrokenPipeError):  # somebody killed it: the parts must still end in order
            self._process.stdin.write(line)


def first_line_as_json(output: str) -> Ready | None:
    """What every part of our own says on its first line of stdout, once it is ready."""
    line, newline, _ = output.partition("\n")
    if not newline:
        return None
    ready: Ready = json.loads(line)
    return ready


def module_command(module: str, python: Path = THIS_PYTHON, /, **options: object) -> list[str]:
    """`python -m MODULE --option value …`, without those options that are None."""
    flags = [[f"--{name.replace('_', '-')}", str(value)] for name, value in options.items() if value is not None]
    return [str(python), "-m", module, *(word for flag in flags for word in flag)]


class Part:
    """One child process. Its stderr is appended to `<logs>/<name>.log`, its stdout goes to `<logs>/<name>.out`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        logs: Path,
        undertaker: Undertaker,
        settings: Mapping[str, str] | None = None,
        read_ready: ReadReady = first_line_as_json,
    ) -> None:
        self.name = name
        self.ready: Ready = {}
        self._command = list(command)
        self._log, self._output = logs / f"{name}.log", logs / f"{name}.out"
        self._undertaker = undertaker
        self._settings = dict(settings or {})
        self._read_ready = read_ready
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process, f"{self.name} was not started"
        return self._process.pid

    def start(self) -> None:
        """Begin; `wait_until_ready` tells how it went, so that several parts can start side by side."""
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | self._settings
        with self._output.open("wb") as output, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=REPOSITORY,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
            )
        self._undertaker.watch(self.pid)

    def wait_until_ready(self) -> Ready:
        """What the part says of itself. Raises CannotStart with the part's own words where it ended instead."""
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            running = self.is_running
            ready = self._read_ready(self._output.read_text())
            if ready is not None:
                self.ready = ready
                return ready
            if not running:
                raise CannotStart(f"{self.name} cannot start: {self.last_words()}")
            time.sleep(0.005)
        raise CannotStart(f"{self.name} was not ready after {SECONDS_TO_START:.0f} s; its log is {self._log}")

    def last_words(self) -> str:
        """The end of what this run wrote to its log; where it refused to start, that is one sentence."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").strip().splitlines()
        if not lines:
            return f"it ended with status {self._process.poll() if self._process else None} and said nothing"
        return "\n".join(lines[-LINES_SHOWN:])

    def ask_to_stop(self) -> None:
        if self.is_running:
            os.kill(self.pid, signal.SIGTERM)

    def stop(self) -> None:
        """End it as an operator would, and by force where it takes too long."""
        if self._process is None:
            return
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(SECONDS_TO_STOP)
        self.kill()

    def kill(self) -> None:
        """kill -9, whatever it started included."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # macOS denies it for a group of ended processes
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._undertaker.forget(self.pid)
        self._process = None

    def require_running(self) -> None:
        """Raises PartDied unless the part runs, or was never started, or was ended on purpose."""
        if self._process is not None and not self.is_running:
            raise PartDied(f"{self.name} ended by itself (status {self._process.returncode}): {self.last_words()}")
