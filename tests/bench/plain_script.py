"""The script that one would write today: azure-ai-ml as it is, one workspace after the other, in a process of its own.

`python -m tests.bench.plain_script JOB REPORT` reads what to do from a `Job`, as JSON, and writes what it cost.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


@dataclass(frozen=True, slots=True)
class Job:
    """Places are MLClient's `subscription_id`, `resource_group_name`, `workspace_name`; `cloud` its other arguments.

    `endpoints` names the online endpoint of each target; without them the model is registered there.
    """

    name: str
    version: str
    registry: str
    source: dict[str, str]
    targets: list[dict[str, str]]
    endpoints: list[str]
    instance_type: str
    principal: str
    cloud: dict[str, Any]


@dataclass(slots=True)
class Cost:
    """Seconds by the clock and of this process's CPU, by phase: `import`, `share`, `push`."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    peak_megabytes: float = 0

    @contextmanager
    def of(self, phase: str) -> Iterator[None]:
        clock, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds[phase] = time.perf_counter() - clock
        self.cpu_seconds[phase] = time.process_time() - cpu


def main() -> None:
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))
    cost = Cost()
    with cost.of("import"):
        import azure.ai.ml.entities
        import azure.identity  # noqa: F401 - what the rest needs, paid here
    with cost.of("share"):
        share(job)
    with cost.of("push"):
        deploy(job) if job.endpoints else register(job)
    cost.peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    Path(sys.argv[2]).write_text(json.dumps(asdict(cost)))


def share(job: Job) -> None:
    names = {"name": job.name, "version": job.version, "share_with_name": job.name, "share_with_version": job.version}
    _client(job, **job.source).models.share(**names, registry_name=job.registry)


def register(job: Job) -> None:
    registry = _client(job, registry_name=job.registry)
    for target in job.targets:
        model = registry.models.get(job.name, job.version)
        _client(job, **target).models.create_or_update(model)


def deploy(job: Job) -> None:
    from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint

    model = f"azureml://registries/{job.registry}/models/{job.name}/versions/{job.version}"
    for target, name in zip(job.targets, job.endpoints, strict=True):
        client = _client(job, **target)
        endpoint = client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
        deployment = ManagedOnlineDeployment(
            name="blue", endpoint_name=name, model=model, instance_type=job.instance_type, instance_count=1
        )
        client.online_deployments.begin_create_or_update(deployment).result()
        endpoint.traffic = {"blue": 100}
        client.online_endpoints.begin_create_or_update(endpoint).result()


def _client(job: Job, **place: str) -> "MLClient":
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    return MLClient(DefaultAzureCredential(managed_identity_client_id=job.principal), **place, **job.cloud)


if __name__ == "__main__":
    main()
