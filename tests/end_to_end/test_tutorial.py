"""The README's "first ten minutes", as a newcomer goes through them: each command, in order, and what is said to come of it."""

import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.end_to_end.test_cloud_command import cloud_command, read_until_ready

REPOSITORY = Path(__file__).parents[2]
TITLE = "## The first ten minutes\n"
CLOUD = "make cloud"
UNTIL_INTERRUPTED = "until Ctrl-C"
EXIT_CODE = re.compile(r"exit code (\d+)")
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the tutorial. `shown` is what stands below it."""

    command: str
    remark: str
    shown: tuple[str, ...]

    @property
    def changes_the_shell(self) -> bool:
        return self.command.startswith(". ")

    @property
    def exit_code(self) -> int:
        told = EXIT_CODE.search(self.remark)
        return int(told[1]) if told else 0

    def require(self, code: int, printed: str) -> None:
        """Fail unless the command ended, and printed, as the README says."""
        assert code == self.exit_code, f"{self.command}: exit code {code}\n{printed}"
        for line in self.shown:
            assert _pattern(line).search(_spaced(printed)), f"{self.command}: no line as {line!r} in\n{printed}"


def steps() -> Iterator[Step]:
    section = (REPOSITORY / "README.md").read_text().split(TITLE)[1].split("\n## ")[0]
    for block in section.split("```")[1::2]:
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            typed, *shown = entry.strip().splitlines()
            command, _, remark = typed.partition(" # ")
            yield Step(command.strip(), remark.strip(), tuple(shown))


def _spaced(text: str) -> str:
    """Columns are as wide as what stands in them: how wide is not what the README is about."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def _pattern(line: str) -> re.Pattern[str]:
    """A line of the README, where `…` is anything within a line."""
    return re.compile("^" + ".*".join(re.escape(part.strip()) for part in _spaced(line).split("…")) + "$", re.MULTILINE)


class Newcomer:
    """Sits in a folder that is as a clone is after `make setup`, but that its `.local` is a new one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shell: list[str] = []  # what was typed that the shell remembers
        for name in ("handlers", "shared", "infra"):
            (folder / name).symlink_to(REPOSITORY / name)
        (folder / ".venv").symlink_to(sys.prefix)
        self._instead = folder / "instead"
        _make_command(self._instead)

    def types(self, step: Step) -> None:
        if step.changes_the_shell:
            self._shell.append(step.command)
        with self._started(step) as process:
            printed, _ = process.communicate(timeout=SECONDS)
        step.require(process.returncode, printed)

    @contextmanager
    def meanwhile(self, step: Step) -> Iterator[None]:
        """In another terminal, with the same shell, until Ctrl-C."""
        with self._started(step) as process:
            shell = psutil.Process(process.pid)
            try:
                yield
                _running(shell).send_signal(signal.SIGINT)
                printed, _ = process.communicate(timeout=SECONDS)
            finally:
                if process.poll() is None:
                    _running(shell).kill()
        step.require(process.returncode, printed)

    def _started(self, step: Step) -> "subprocess.Popen[str]":
        script = "\n".join([*self._shell, step.command])
        path = f"{os.environ['PATH']}{os.pathsep}{self._instead}"
        environment = os.environ | {"COLUMNS": "80", "PATH": path, "PYTHONPATH": str(REPOSITORY)}
        return subprocess.Popen(
            ["/bin/sh", "-c", script],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def _make_command(folder: Path) -> None:
    """`fanout` as pip makes it of pyproject.toml: for who runs the tests where `make setup` did not install it yet."""
    entry = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]["fanout"]
    module, _, function = entry.partition(":")
    folder.mkdir()
    script = folder / "fanout"
    script.write_text(f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    script.chmod(0o755)


def _running(shell: psutil.Process) -> psutil.Process:
    """The command in a shell; some shells become what they run last."""
    return next(iter(shell.children()), shell)


def test_when_a_newcomer_types_what_the_readme_says_then_what_it_shows_comes(tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path)
    with ExitStack() as terminals:
        for step in steps():
            if step.command == CLOUD:
                terminals.enter_context(local_cloud(step, tmp_path / ".local"))
            elif UNTIL_INTERRUPTED in step.remark:
                terminals.enter_context(newcomer.meanwhile(step))
            else:
                newcomer.types(step)


@contextmanager
def local_cloud(step: Step, directory: Path) -> Iterator[None]:
    """What `make cloud` starts once everything is installed."""
    with cloud_command("--directory", directory) as process:
        printed = read_until_ready(process)
        yield
        process.send_signal(signal.SIGINT)
        step.require(process.wait(20), printed)


def test_the_tutorial_is_about_what_operators_need_first() -> None:
    typed = {step.command.removeprefix("fanout ").split()[0] for step in steps() if step.command.startswith("fanout ")}
    assert {"apply", "explain", "watch", "status", "show", "push", "recall", "rejected", "reconcile"} <= typed
