"""What the app hears of Azure ML's answers beside their content, through both its clients: that it answers, what it allows."""

from collections.abc import Callable, Iterator

import pytest

from infra.local.cloud import LocalCloud
from infra.local.topology import OTHER_SUBSCRIPTION, Registry, Workspace
from shared import settings
from shared.assets import Asset, Kind, WorkspaceId
from shared.bootstrap import AzureFanout
from shared.errors import Throttled, Transient, Unavailable, Waiting
from tests.end_to_end.support import REGISTRY

type Step = Callable[[AzureFanout, WorkspaceId], None]

FEW_READS = {"limits": {"reads": {"size": 25, "refill": 1}}}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    workspaces = [Workspace("busy"), Workspace("quiet", OTHER_SUBSCRIPTION), Workspace("moody", "third-subscription")]
    directory, registries = tmp_path_factory.mktemp("cloud"), [Registry(REGISTRY)]
    with LocalCloud(directory, workspaces=workspaces, registries=registries, azure_ml=FEW_READS, with_host=False) as cloud:
        yield cloud


@pytest.fixture
def azure(cloud: LocalCloud) -> Iterator[AzureFanout]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in cloud.app_settings.items():
            environment.setenv(name, value)
        yield AzureFanout()
    cloud.azure_ml.disarm()


def workspace(cloud: LocalCloud, name: str) -> WorkspaceId:
    return WorkspaceId.parse(cloud.workspaces[name].id)


def look(azure: AzureFanout, there: WorkspaceId) -> None:
    """By MLClient."""
    azure.workspaces.asset(there, Asset(Kind.MODEL, "absent", "1"))


def find(azure: AzureFanout, there: WorkspaceId) -> None:
    """On azure-core's own pipeline."""
    cloud = settings.azure_cloud()
    assert cloud
    azure.arm.call("GET", f"{cloud.resource_manager}{there}", params={"api-version": "2023-08-01-preview"}, doing="find it")


def deliver(azure: AzureFanout, to: WorkspaceId, step: Step) -> type[Exception] | None:
    try:
        with azure.fairness.admitted(to):
            step(azure, to)
    except Transient as raised:
        return type(raised)
    return None


@pytest.mark.parametrize("step", [look, find])
def test_a_bucket_that_runs_low_holds_deliveries_back_before_any_is_refused(
    cloud: LocalCloud, azure: AzureFanout, step: Step
) -> None:
    outcomes = [deliver(azure, workspace(cloud, "busy"), step) for _ in range(15)]
    assert outcomes[-1] is Waiting
    assert Throttled not in outcomes
    assert deliver(azure, workspace(cloud, "quiet"), step) is None


@pytest.mark.parametrize("step", [look, find])
def test_what_is_answered_is_told_from_what_is_not(cloud: LocalCloud, azure: AzureFanout, step: Step) -> None:
    """A third failure in a row would make the next delivery wait."""
    moody = workspace(cloud, "moody")
    outcomes = []
    for _ in range(2):
        cloud.azure_ml.arm("GET .*/workspaces/moody", status=503, times=2)
        outcomes += [deliver(azure, moody, step) for _ in range(3)]
    assert outcomes == [Unavailable, Unavailable, None] * 2
