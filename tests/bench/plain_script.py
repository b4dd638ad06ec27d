"""The script that one would write today: azure-ai-ml as it is, one workspace after the other, in a process of its own.

`python -m tests.bench.plain_script JOB REPORT` reads what to do from a `Job`, as JSON, and writes what it cost.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


@dataclass(frozen=True, slots=True)
class Job:
    """Places are MLClient's `subscription_id`, `resource_group_name`, `workspace_name`.

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


@dataclass(slots=True)
class Cost:
    """Seconds by the clock and of this process's CPU, by phase: `import`, `share`, `push`. `started`: Unix time after the first."""

    started: float = 0
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
    cost.started = time.time()
    script = Script(job)
    with cost.of("share"):
        script.share()
    with cost.of("push"):
        script.deploy() if job.endpoints else script.register()
    cost.peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    Path(sys.argv[2]).write_text(json.dumps(asdict(cost)))


class Script:
    def __init__(self, job: Job) -> None:
        from azure.identity import DefaultAzureCredential

        self._job = job
        self._credential = DefaultAzureCredential(managed_identity_client_id=job.principal)
        self._cloud = json.loads(os.environ["FANOUT_AZURE_CLOUD"])  # in Azure there is nothing to say here

    def share(self) -> None:
        job = self._job
        names = {"name": job.name, "version": job.version, "share_with_name": job.name, "share_with_version": job.version}
        self._client(**job.source).models.share(**names, registry_name=job.registry)

    def register(self) -> None:
        model = self._client(registry_name=self._job.registry).models.get(self._job.name, self._job.version)
        for target in self._job.targets:
            self._client(**target).models.create_or_update(model)

    def deploy(self) -> None:
        for target, endpoint in zip(self._job.targets, self._job.endpoints, strict=True):
            self._deploy(self._client(**target), endpoint)

    def _deploy(self, client: "MLClient", name: str) -> None:
        from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint

        job = self._job
        endpoint = client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
        deployment = ManagedOnlineDeployment(
            name="blue",
            endpoint_name=name,
            model=f"azureml://registries/{job.registry}/models/{job.name}/versions/{job.version}",
            instance_type=job.instance_type,
            instance_count=1,
        )
        client.online_deployments.begin_create_or_update(deployment).result()
        endpoint.traffic = {"blue": 100}
        client.online_endpoints.begin_create_or_update(endpoint).result()

    def _client(self, **place: str) -> "MLClient":
        from azure.ai.ml import MLClient

        cloud = {"cloud": self._cloud["name"], "cloud_metadata": self._cloud["metadata"]}
        return MLClient(self._credential, **place, **cloud, show_progress=False, enable_telemetry=False)


if __name__ == "__main__":
    main()
