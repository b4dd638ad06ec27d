"""What a deployment uploads, and how long a process that starts with it takes to answer its first event:
`python -m tests.bench cold_start`.

Beside it start an app that has the same triggers and does nothing, which is what the host, the worker and the event's way take,
and the very same app with its SDKs imported at the start, as function apps commonly have it. Each has nothing installed but
requirements.txt, and what the local host itself needs.
"""

import json
import shutil
import statistics
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from infra.local.cloud import EVENTS_FUNCTION, LocalCloud
from infra.local.host import FunctionsHost
from infra.local.processes import Undertaker
from infra.package import make_package
from tests.bench import report
from tests.bench.contestants import HOST
from tests.installed import ALL, APP, environment_of, link, pinned

TIMES = 7  # each figure is the median of so many
EVENT = json.loads((Path(__file__).parents[1] / "events" / "model_registered.json").read_text())
NOTHING = """
import azure.functions as func

app = func.FunctionApp()


@app.function_name("model_registered")
@app.event_grid_trigger(arg_name="event")
def on_model_registered(event: func.EventGridEvent) -> None:
    event.get_json()


@app.function_name("events")
@app.service_bus_queue_trigger(arg_name="message", queue_name="events", connection="ServiceBus")
def on_event_message(message: func.ServiceBusMessage) -> None: ...


@app.function_name("commands")
@app.service_bus_queue_trigger(arg_name="message", queue_name="commands", connection="ServiceBus")
def on_command(message: func.ServiceBusMessage) -> None: ...


@app.function_name("wakeups")
@app.service_bus_queue_trigger(arg_name="message", queue_name="wakeups", connection="ServiceBus")
def on_wake_up(message: func.ServiceBusMessage) -> None: ...


@app.function_name("reconcile")
@app.timer_trigger(arg_name="timer", schedule="%FANOUT_RECONCILE_SCHEDULE%")
def on_timer(timer: func.TimerRequest) -> None: ...
"""
IMPORTED = """
from azure.ai.ml import MLClient  # noqa: F401
from azure.data.tables import TableServiceClient  # noqa: F401
from azure.identity import DefaultAzureCredential  # noqa: F401
from azure.servicebus import ServiceBusClient  # noqa: F401

"""
NAMES = {"nothing": "the same triggers, doing nothing", "fanout": "Fanout", "imported": "Fanout, all SDKs imported at its start"}


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of the process until the functions are loaded, and until the first event is answered.

    `megabytes` are the process's then.
    """

    loaded: float
    answered: float
    megabytes: float


def play() -> None:
    with tempfile.TemporaryDirectory(prefix="fanout-bench-") as directory:
        folder = Path(directory)
        apps, uploaded = _apps(folder)
        python = environment_of(APP, folder / "python")
        link(pinned(ALL) - pinned(APP), folder / "host")
        more = {"PYTHONPATH": str(folder / "host"), "PYTHONDONTWRITEBYTECODE": "1", "FANOUT_RECONCILE_SCHEDULE": "0 0 0 1 1 *"}
        with LocalCloud(folder / "cloud", with_host=False, settings=more) as cloud:
            starts: dict[str, list[Start]] = {name: [] for name in apps}
            for _ in range(TIMES):
                for name, app in apps.items():
                    report.progress(f"{NAMES[name]} …")
                    starts[name].append(_start(app, python, cloud.app_settings, folder))
    _show(starts, uploaded)


def _apps(folder: Path) -> tuple[dict[str, Path], str]:
    """The contestants' folders, and what is uploaded of Fanout."""
    files = make_package(folder / "app.zip")
    for name in ("fanout", "imported"):
        with zipfile.ZipFile(folder / "app.zip") as package:
            package.extractall(folder / name)
    (folder / "nothing").mkdir()
    (folder / "nothing" / "function_app.py").write_text(NOTHING)
    shutil.copy(folder / "fanout" / "host.json", folder / "nothing")
    imported = folder / "imported" / "function_app.py"
    imported.write_text(IMPORTED + imported.read_text())
    uploaded = f"{len(files)} files, {(folder / 'app.zip').stat().st_size / 1000:.0f} kB zipped"
    return {name: folder / name for name in NAMES}, uploaded


def _start(app: Path, python: Path, settings: Mapping[str, str], folder: Path) -> Start:
    undertaker = Undertaker()
    host = FunctionsHost(folder, undertaker, settings, 0, app, python)
    try:
        started = time.perf_counter()
        host.start()
        loaded = time.perf_counter()
        answer = requests.post(host.webhook(EVENTS_FUNCTION), json=[EVENT], headers={"aeg-event-type": "Notification"}, timeout=60)
        answered = time.perf_counter()
        assert answer.status_code == 202, answer.text
        return Start(loaded - started, answered - started, _megabytes())
    finally:
        host.kill()
        undertaker.close()


def _megabytes() -> float:
    host = next(process for process in psutil.Process().children() if HOST in process.cmdline())
    return float(host.memory_info().rss / 2**20)


def _show(starts: Mapping[str, list[Start]], uploaded: str) -> None:
    medians = {name: _median(measured) for name, measured in starts.items()}
    least = medians["nothing"].answered
    report.show(
        "A cold start, from the start of the process",
        ("", "functions loaded, s", "first event answered, s", "÷ nothing", "memory, MB"),
        [
            (NAMES[name], f"{each.loaded:.2f}", f"{each.answered:.2f}", f"{each.answered / least:.1f}", f"{each.megabytes:.0f}")
            for name, each in medians.items()
        ],
    )
    report.tell(f"Uploaded are {uploaded}; no bytecode of the app's own is there yet, as after a deployment.")


def _median(measured: list[Start]) -> Start:
    return Start(*(statistics.median(getattr(each, field) for each in measured) for field in Start.__dataclass_fields__))
