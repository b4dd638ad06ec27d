"""The figures side by side, as Markdown: readable in a terminal, and ready to be pasted."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from rich import box
from rich.console import Console
from rich.table import Table

from tests.bench.outcome import Outcome
from tests.bench.scene import AZURE_SUBSCRIPTIONS, LATENCY_MS, SECONDS, Scene

_console = Console(width=140, highlight=False, soft_wrap=True, color_system=None)
_progress = Console(stderr=True, highlight=False)

TITLES = {
    "register": "registered in {} workspaces",
    "online_endpoint": "deployed to an online endpoint, with all its traffic, in {} workspaces",
}


def progress(text: str) -> None:
    _progress.print(text)


def introduce() -> None:
    """Where everything was measured."""
    _console.print(
        f"Measured on {os.cpu_count()} cores (load average {_load()} before), {platform.system()}, "
        f"Python {platform.python_version()}, azure-ai-ml {version('azure-ai-ml')}. "
        f"{LATENCY_MS} ms on every call to Azure ML; operations take {_operations()}."
    )


def introduce_contestants() -> None:
    """Under which conditions they were measured."""
    _console.print(
        f"Both have {AZURE_SUBSCRIPTIONS} Azure subscriptions with ARM's own limits, whose buckets are each contestant's own. "
        "The script's clock starts when it runs and has the SDK imported, Fanout's with the registration; "
        "a cold process imports the SDK first."
    )


def _operations() -> str:
    return ", ".join(f"{operation} {duration:g} s" for operation, duration in SECONDS.items())


def compare(scene: Scene, script: Outcome, cold: Outcome, warm: Outcome) -> None:
    """`cold` is Fanout's first registration after the start of its host, `warm` the next."""
    _console.print(f"\n### One model, {TITLES[scene.action].format(scene.tenants)}\n")
    table = Table(box=box.MARKDOWN)
    table.add_column("", no_wrap=True)
    for column in ("plain script", "Fanout", "script ÷ Fanout"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in _rows(script, warm):
        theirs, ours = row.figure(script), row.figure(cold if row.cold else warm)
        ratio = f"{theirs / ours:.1f}" if theirs and ours else ""
        table.add_row(row.name, f"{theirs:.{row.digits}f}", f"{ours:.{row.digits}f}", ratio)
    _console.print(table)
    _console.print(f"{_polling(scene)} Load average afterwards: {_load()}.")


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose first column names what the others are figures of."""
    _console.print(f"\n### {title}\n")
    table = Table(box=box.MARKDOWN)
    for n, column in enumerate(columns):
        table.add_column(column, justify="right" if n else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    _console.print(table)
    _console.print(f"Load average afterwards: {_load()}.")


def tell(*lines: str) -> None:
    """What goes with the figures, a line or paragraph each."""
    for line in lines:
        _console.print(f"\n{line}", markup=False)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    figure: Callable[[Outcome], float]
    digits: int = 1
    cold: bool = False


def _rows(script: Outcome, warm: Outcome) -> list[_Row]:
    kinds = sorted(script.calls.keys() | warm.calls.keys())
    return [
        _Row("registration → last workspace, s", lambda run: run.seconds_to_last),
        _Row("– until in the registry, and seen there", lambda run: run.seconds_to_registry),
        _Row("– from there to the last workspace", lambda run: run.seconds_to_last - run.seconds_to_registry),
        _Row("registration → last workspace, cold process, s", lambda run: run.seconds_to_last + run.import_seconds, cold=True),
        _Row("calls to Azure ML per delivery", lambda run: len(run.requests) / run.deliveries, 2),
        *(_Row(f"– {kind}", lambda run, kind=kind: run.calls[kind] / run.deliveries, 2) for kind in kinds),  # type: ignore[misc]
        _Row("calls throttled (429), in all", lambda run: run.refused, 0),
        _Row("CPU per delivery, ms", lambda run: _ms(run.cpu_seconds, run), 0),
        _Row("– with the local Functions host's own", lambda run: _ms(run.process_cpu_seconds, run), 0),
        _Row("CPU per delivery, cold process, ms", lambda run: _ms(run.cpu_seconds + run.import_cpu_seconds, run), 0, cold=True),
        _Row("memory of the process, MB", lambda run: run.megabytes, 0),
    ]


def _ms(seconds: float, run: Outcome) -> float:
    return seconds / run.deliveries * 1000


def _polling(scene: Scene) -> str:
    if scene.poll_ms is None:
        return "As in Azure the SDK looks at an import at once, and then every 30 s."
    return f"In the script's favour the SDK looks at operations every {scene.poll_ms / 1000:g} s; in Azure every 5 s or 30 s."


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"
