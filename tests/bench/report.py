"""The figures side by side, as Markdown: readable in a terminal, and ready to be pasted."""

import os
import platform
from importlib.metadata import version

from rich import box
from rich.console import Console
from rich.table import Table

from tests.bench.outcome import Outcome
from tests.bench.scene import AZURE_SUBSCRIPTIONS, LATENCY_MS, SECONDS, Scene

_console = Console(highlight=False, soft_wrap=True, color_system=None)
_progress = Console(stderr=True, highlight=False)

TITLES = {
    "register": "registered in {} workspaces",
    "online_endpoint": "deployed to an online endpoint, with all its traffic, in {} workspaces",
}


def progress(text: str) -> None:
    _progress.print(text)


def introduce() -> None:
    """Under which conditions everything was measured."""
    seconds = ", ".join(f"{operation} {duration:g} s" for operation, duration in SECONDS.items())
    _console.print(
        f"Measured on {os.cpu_count()} cores (load average {_load()} before), {platform.system()}, "
        f"Python {platform.python_version()}, azure-ai-ml {version('azure-ai-ml')}. "
        f"For both alike: {LATENCY_MS} ms on every call to Azure ML; operations take {seconds}; "
        f"{AZURE_SUBSCRIPTIONS} Azure subscriptions with ARM's own limits of reads and writes, one bucket for each contestant."
    )


def compare(scene: Scene, script: Outcome, cold: Outcome, warm: Outcome) -> None:
    """`cold` is Fanout's first registration after the start of its host, `warm` the next."""
    _console.print(f"\n### One model, {TITLES[scene.action].format(scene.tenants)}\n")
    table = Table(box=box.MARKDOWN)
    table.add_column("")
    for column in ("plain script", "Fanout", "script ÷ Fanout"):
        table.add_column(column, justify="right")
    for row, theirs, ours, digits in _rows(script, cold, warm):
        table.add_row(row, f"{theirs:.{digits}f}", f"{ours:.{digits}f}", f"{theirs / ours:.1f}" if theirs and ours else "")
    _console.print(table)
    _console.print(f"{_polling(scene)} Load average afterwards {_load()}.")


def _rows(script: Outcome, cold: Outcome, warm: Outcome) -> list[tuple[str, float, float, int]]:
    """Name, the script's figure, Fanout's, and how many digits are worth showing."""
    both = (script, warm)
    calls = sorted(script.calls.keys() | warm.calls.keys())
    return [
        ("registration → last workspace, s", script.seconds_to_last, warm.seconds_to_last, 1),
        ("– until in the registry, and seen there", script.seconds_to_registry, warm.seconds_to_registry, 1),
        ("– from there to the last workspace", *(each.seconds_to_last - each.seconds_to_registry for each in both), 1),
        ("the same by a cold process, s", script.seconds_to_last + script.cold_seconds, cold.seconds_to_last, 1),
        ("calls to Azure ML per delivery", *(len(each.requests) / each.deliveries for each in both), 2),
        *((f"– {kind}", *(each.calls[kind] / each.deliveries for each in both), 2) for kind in calls),
        ("– of these throttled (429), in all", script.refused, warm.refused, 0),
        ("CPU per delivery, ms", *(each.cpu_seconds / each.deliveries * 1000 for each in both), 0),
        ("– with the local host's own", *(each.process_cpu_seconds / each.deliveries * 1000 for each in both), 0),
        ("memory, MB", script.megabytes, warm.megabytes, 0),
    ]


def _polling(scene: Scene) -> str:
    if scene.poll_ms is None:
        return "As in Azure the SDK looks at an import at once, and then every 30 s."
    return f"In the script's favour the SDK looks at operations every {scene.poll_ms / 1000:g} s; in Azure every 5 s or 30 s."


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"
