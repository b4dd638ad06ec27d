"""The two ways from one registration to all tenants, each measured the same way."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from infra.local.cloud import LocalCloud
from infra.local.processes import REPOSITORY
from infra.local.topology import Workspace
from tests.bench.outcome import Outcome, delivers, workspace_of
from tests.bench.plain_script import Job
from tests.bench.scene import INSTANCE_TYPE, PUBLISHER, REGISTRY, Scene
from tests.end_to_end.support import eventually, idle, mlflow_folder, register

HOST = "infra.local.functions_host"
SCRIPT_PRINCIPAL = "50000000-0000-0000-0000-000000000001"
PATIENCE = 240.0  # seconds


@dataclass(frozen=True, slots=True)
class ScriptRun:
    outcome: Outcome
    import_seconds: float


def by_script(cloud: LocalCloud, scene: Scene, directory: Path) -> ScriptRun:
    """Register a model, then start the script that delivers it. No Functions host runs meanwhile."""
    model = "credit-card-by-script"
    number, _ = _registered(cloud, model, directory)
    job, report = directory / "job.json", directory / "report.json"
    job.write_text(json.dumps(asdict(_job(scene, model))))
    command = [sys.executable, "-m", "tests.bench.plain_script", str(job), str(report)]
    before = _parts_cpu()
    subprocess.run(command, cwd=REPOSITORY, env=_environment(), check=True, stdout=subprocess.DEVNULL)
    others = _parts_cpu() - before
    cost: dict[str, Any] = json.loads(report.read_text())
    outcome = Outcome(
        action=scene.action,
        targets=scene.workspaces,
        started=cost["started"],
        requests=cloud.azure_ml.requests(number),
        cpu_seconds=cost["cpu_seconds"]["share"] + cost["cpu_seconds"]["push"],
        others_cpu_seconds=others,
        megabytes=cost["peak_megabytes"],
    )
    return ScriptRun(outcome, cost["seconds"]["import"])


def by_fanout(cloud: LocalCloud, scene: Scene, model: str, directory: Path) -> Outcome:
    """Register a model; the app hears of it. Counts until no message is left, echoes of the deliveries included."""
    host = next(process for process in psutil.Process().children() if HOST in process.cmdline())
    cpu, parts = _cpu(host), _parts_cpu()
    number, started = _registered(cloud, model, directory)
    eventually(f"all have {model}", lambda: _have_it(cloud, scene, number) == len(scene.workspaces), PATIENCE)
    eventually("no work left", lambda: idle(cloud), PATIENCE)
    cpu = _cpu(host) - cpu
    return Outcome(
        action=scene.action,
        targets=scene.workspaces,
        started=started,
        requests=cloud.azure_ml.requests(number),
        cpu_seconds=cpu,
        others_cpu_seconds=_parts_cpu() - parts - cpu,
        megabytes=host.memory_info().rss / 2**20,
    )


def _registered(cloud: LocalCloud, model: str, directory: Path) -> tuple[int, float]:
    """The number of the registering request in the log of Azure ML, and when it was answered."""
    register(cloud.ml_client(PUBLISHER.name), model, "1", mlflow_folder(directory / model, model))
    request = next(each for each in reversed(cloud.azure_ml.requests()) if delivers(each, "register"))
    return request["n"], request["time"] + request["milliseconds"] / 1000


def _job(scene: Scene, model: str) -> Job:
    return Job(
        name=model,
        version="1",
        registry=REGISTRY,
        source=_place(PUBLISHER),
        targets=[_place(workspace) for workspace in scene.workspaces],
        endpoints=[scene.endpoint(model, workspace) for workspace in scene.workspaces if scene.action == "online_endpoint"],
        instance_type=INSTANCE_TYPE,
        principal=SCRIPT_PRINCIPAL,
    )


def _environment() -> dict[str, str]:
    """A new shell's: an MLClient notes the cloud in the environment of its own process (_azure_environments.py, 1.35.2)."""
    return {name: value for name, value in os.environ.items() if name != "AZUREML_CURRENT_CLOUD"}


def _place(workspace: Workspace) -> dict[str, str]:
    return {
        "subscription_id": workspace.azure_subscription_id,
        "resource_group_name": workspace.resource_group,
        "workspace_name": workspace.name,
    }


def _have_it(cloud: LocalCloud, scene: Scene, since: int) -> int:
    """In how many workspaces the last change of the delivery was accepted."""
    return len({workspace_of(each) for each in cloud.azure_ml.requests(since) if delivers(each, scene.action)})


def _parts_cpu() -> float:
    """CPU seconds of all parts of the local cloud so far."""
    return sum(_cpu(process) for process in psutil.Process().children(recursive=True))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
