"""What a sick workspace costs the others: `python -m tests.bench fairness`.

Models are registered one after the other, and each is delivered to every tenant that is well: first by themselves, then while
64 deliveries wait on a workspace that answers after 30 s. Once more without a bulkhead, on a cloud of its own.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from infra.local.cloud import LocalCloud
from tests.bench import report
from tests.bench.fairness_scene import SICK, SICK_MODEL, SICK_SECONDS, FairnessScene, make_sick, open_deliveries
from tests.bench.outcome import Request, delivers, workspace_of
from tests.bench.scene import PUBLISHER
from tests.end_to_end.support import eventually, idle, mlflow_folder, register

MODELS = 10
SECONDS_BETWEEN = 2.0  # registrations; so they last through the first calls to the sick one, and the circuit's first wait
PATIENCE = 120.0  # seconds
NO_BULKHEAD = {"PYTHON_THREADPOOL_THREAD_COUNT": "1024"}  # an eighth of it is more than the host takes on at a time


@dataclass(frozen=True, slots=True)
class Run:
    """`seconds` from a registration to each of its deliveries; `asked`: how many calls the sick workspace got meanwhile."""

    name: str
    seconds: Sequence[float]
    asked: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1]


def play(scene: FairnessScene) -> None:
    runs = _without_and_with(scene)
    runs.append(_with(scene, "the same with the circuit, but without the bulkhead", NO_BULKHEAD))
    _show(scene, runs)


def _without_and_with(scene: FairnessScene) -> list[Run]:
    with _warm_cloud(scene, {}) as (cloud, folder):
        without = _run(cloud, scene, folder, "without the sick one", "alone")
        eventually("no work left", lambda: idle(cloud), PATIENCE)
        return [without, _beside_the_sick_one(cloud, scene, folder, f"{scene.waiting} deliveries waiting on it")]


def _with(scene: FairnessScene, name: str, settings: Mapping[str, str]) -> Run:
    with _warm_cloud(scene, settings) as (cloud, folder):
        return _beside_the_sick_one(cloud, scene, folder, name)


@contextmanager
def _warm_cloud(scene: FairnessScene, settings: Mapping[str, str]) -> Iterator[tuple[LocalCloud, Path]]:
    with tempfile.TemporaryDirectory(prefix="fanout-bench-") as directory, scene.cloud(Path(directory), settings) as cloud:
        report.progress("The process warms up …")
        _deliver(cloud, scene, Path(directory), ["credit-card-well-first"])
        eventually("no work left", lambda: idle(cloud), PATIENCE)
        yield cloud, Path(directory)


def _beside_the_sick_one(cloud: LocalCloud, scene: FairnessScene, folder: Path, name: str) -> Run:
    make_sick(cloud)
    register(cloud.ml_client(PUBLISHER.name), SICK_MODEL, "1", mlflow_folder(folder / SICK_MODEL))
    eventually("all wait", lambda: open_deliveries(cloud) == scene.waiting, PATIENCE)
    run = _run(cloud, scene, folder, name, "beside")
    ended = time.time()
    time.sleep(SICK_SECONDS)  # a call gets into the log when it is answered
    asked = [each for each in cloud.azure_ml.requests() if workspace_of(each) == SICK.id.lower() and each["time"] < ended]
    assert asked, "the sick one was never asked"
    assert open_deliveries(cloud) == scene.waiting, "they did not all wait"
    return replace(run, asked=len(asked))


def _run(cloud: LocalCloud, scene: FairnessScene, folder: Path, name: str, tag: str) -> Run:
    report.progress(f"{name} …")
    models = [f"credit-card-well-{tag}-{n}" for n in range(MODELS)]
    requests, source = _deliver(cloud, scene, folder, models), PUBLISHER.id.lower()
    began = {_model(each): _ended(each) for each in requests if workspace_of(each) == source}
    return Run(name, [_ended(each) - began[_model(each)] for each in requests if workspace_of(each) != source])


def _deliver(cloud: LocalCloud, scene: FairnessScene, folder: Path, models: Sequence[str]) -> list[Request]:
    """Register the models, one every two seconds, and wait for all deliveries: the requests that registered them anywhere."""
    client, wanted = cloud.ml_client(PUBLISHER.name), set(models)

    def registrations() -> list[Request]:
        done = [each for each in cloud.azure_ml.requests() if workspace_of(each) and delivers(each, "register")]
        return [each for each in done if _model(each) in wanted]

    for model in models:
        due = time.monotonic() + SECONDS_BETWEEN
        register(client, model, "1", mlflow_folder(folder / model, model))
        time.sleep(max(0.0, due - time.monotonic()))
    everywhere = len(models) * (scene.tenants + 1)
    eventually("all delivered", lambda: len(registrations()) == everywhere, PATIENCE)
    return registrations()


def _model(request: Request) -> str:
    name: str = request["path"].partition("/models/")[2].partition("/")[0]
    return name


def _ended(request: Request) -> float:
    """Unix time."""
    at: float = request["time"] + request["milliseconds"] / 1000
    return at


def _show(scene: FairnessScene, runs: Sequence[Run]) -> None:
    title = f"{MODELS} models, one every {SECONDS_BETWEEN:g} s, each registered in {scene.tenants} workspaces"
    rows = [(run.name, f"{run.median:.1f}", f"{run.p95:.1f}", f"{max(run.seconds):.1f}", str(run.asked)) for run in runs]
    report.show(title, ("registration → delivery, s", "median", "95th percentile", "longest", "calls to the sick one"), rows)
