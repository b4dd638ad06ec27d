"""The two ways from one registration to all tenants, each measured the same way."""

import json
import math
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from infra.local.cloud import LocalCloud
from infra.local.processes import REPOSITORY
from infra.local.topology import Workspace
from tests.bench.outcome import Outcome, delivers, workspace_of
from tests.bench.plain_script import Job
from tests.bench.scene import INSTANCE_TYPE, PUBLISHER, REGISTRY, Scene
from tests.end_to_end.support import eventually, idle, mlflow_folder, models, register, serves

BY_SCRIPT = "credit-card-by-script"
SCRIPT_PRINCIPAL = "50000000-0000-0000-0000-000000000001"
HOST = "infra.local.functions_host"
PATIENCE = 240.0  # seconds


def by_script(cloud: LocalCloud, scene: Scene, directory: Path) -> Outcome:
    """Register a model, then start the script that delivers it. No Functions host runs meanwhile."""
    number, _ = _registered(cloud, BY_SCRIPT, directory)
    cost = _script(_job(scene), directory)
    _require_delivered(cloud, scene, BY_SCRIPT)
    cpu = cost["cpu_seconds"]["share"] + cost["cpu_seconds"]["push"]
    return Outcome(
        action=scene.action,
        targets=scene.workspaces,
        started=cost["started"],
        requests=cloud.azure_ml.requests(number),
        cpu_seconds=cpu,
        process_cpu_seconds=cpu,
        megabytes=cost["peak_megabytes"],
        import_seconds=cost["seconds"]["import"],
        import_cpu_seconds=cost["cpu_seconds"]["import"],
    )


def by_fanout(cloud: LocalCloud, scene: Scene, model: str, directory: Path) -> Outcome:
    """Register a model; the app hears of it. Counts until no message is left, the echoes of its deliveries included."""
    host = next(process for process in psutil.Process().children() if HOST in process.cmdline())
    before = _Cpu.of(host)
    number, started = _registered(cloud, model, directory)
    eventually(f"all have {model}", lambda: _have_it(cloud, scene, number) == len(scene.workspaces), PATIENCE)
    eventually("no work left", lambda: idle(cloud), PATIENCE)
    after = _Cpu.of(host)
    _require_delivered(cloud, scene, model)
    return Outcome(
        action=scene.action,
        targets=scene.workspaces,
        started=started,
        requests=cloud.azure_ml.requests(number),
        cpu_seconds=after.handlers - before.handlers,
        process_cpu_seconds=after.process - before.process,
        megabytes=host.memory_info().rss / 2**20,
    )


@dataclass(frozen=True, slots=True)
class _Cpu:
    """Seconds that a Functions host took so far.

    Its first thread is the local host's: it receives messages and talks to the worker, which Azure's own host does outside of
    the app's process. All others run the app's handlers. NaN where the system shows no threads, as macOS does but to root.
    """

    process: float
    handlers: float

    @classmethod
    def of(cls, host: psutil.Process) -> Self:
        times = host.cpu_times()
        try:
            threads = [each.user_time + each.system_time for each in host.threads() if each.id != host.pid]
        except psutil.AccessDenied:
            threads = [math.nan]
        return cls(times.user + times.system, sum(threads))


def _registered(cloud: LocalCloud, model: str, directory: Path) -> tuple[int, float]:
    """The number of the registering request in the log of Azure ML, and when it was answered."""
    register(cloud.ml_client(PUBLISHER.name), model, "1", mlflow_folder(directory / model, model))
    request = next(each for each in reversed(cloud.azure_ml.requests()) if delivers(each, "register"))
    return request["n"], request["time"] + request["milliseconds"] / 1000


def _have_it(cloud: LocalCloud, scene: Scene, since: int) -> int:
    """In how many workspaces the last change of the delivery was accepted."""
    return len({workspace_of(each) for each in cloud.azure_ml.requests(since) if delivers(each, scene.action)})


def _require_delivered(cloud: LocalCloud, scene: Scene, model: str) -> None:
    """By what the workspaces hold, not by what either contestant says."""
    for workspace in scene.workspaces:
        if scene.action == "register":
            assert f"{model}:1" in models(cloud, workspace.name), f"{workspace.name} has no {model}"
        else:
            endpoint = scene.endpoint(model, workspace)
            assert serves(cloud, workspace.name, endpoint), f"{endpoint} in {workspace.name} serves nothing"


def _script(job: Job, directory: Path) -> dict[str, Any]:
    """Run the plain script; its `Cost`."""
    instructions, report = directory / "job.json", directory / "cost.json"
    instructions.write_text(json.dumps(asdict(job)))
    command = [sys.executable, "-m", "tests.bench.plain_script", str(instructions), str(report)]
    done = subprocess.run(command, cwd=REPOSITORY, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"the plain script failed: {done.stderr}"
    cost: dict[str, Any] = json.loads(report.read_text())
    return cost


def _environment() -> dict[str, str]:
    """A new shell's: an MLClient notes the cloud in its process's environment (azure-ai-ml 1.35.2, _azure_environments.py)."""
    return {name: value for name, value in os.environ.items() if name != "AZUREML_CURRENT_CLOUD"}


def _job(scene: Scene) -> Job:
    return Job(
        name=BY_SCRIPT,
        version="1",
        registry=REGISTRY,
        source=_place(PUBLISHER),
        targets=[_place(workspace) for workspace in scene.workspaces],
        endpoints=[scene.endpoint(BY_SCRIPT, workspace) for workspace in scene.workspaces if scene.action == "online_endpoint"],
        instance_type=INSTANCE_TYPE,
        principal=SCRIPT_PRINCIPAL,
    )


def _place(workspace: Workspace) -> dict[str, str]:
    return {
        "subscription_id": workspace.azure_subscription_id,
        "resource_group_name": workspace.resource_group,
        "workspace_name": workspace.name,
    }
