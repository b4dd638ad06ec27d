"""kill -9 of the host while an endpoint that is in use is upgraded: nobody is refused, and it ends as it would have without."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.local.cloud import LocalCloud
from shared.states import DeliveryState
from tests.end_to_end.endpoint_parts import SAMPLE, Application, answering, deliveries, deployments, ended, online, traffic
from tests.end_to_end.support import (
    OFTEN,
    QUICK,
    accepted,
    endpoint,
    eventually,
    idle,
    publication,
    register,
    rules_of,
    subscription,
    tenant,
    twice,
)

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

OUT_OF_QUOTA = {"code": "OutOfQuota", "message": "Not enough quota available."}


@dataclass(frozen=True, slots=True)
class Scene:
    """Version 1 of `model` serves the endpoint of that name. A new one takes over in three steps, once it answers the sample."""

    cloud: LocalCloud
    client: "MLClient"
    folder: Path
    model: str

    def register(self, version: str) -> None:
        register(self.client, self.model, version, answering(self.folder / f"{self.model}-{version}", int(version)))

    def application(self) -> Application:
        return Application(self.cloud, "workspace2", self.model)

    def serving(self) -> dict[str, int]:
        return traffic(endpoint(self.cloud, "workspace2", self.model))

    def there(self) -> set[str]:
        return set(deployments(endpoint(self.cloud, "workspace2", self.model)))

    def end_of(self, version: str) -> DeliveryState:
        eventually(f"version {version}'s end", lambda: ended(self.model, version, self.model), 120)
        self.cloud.service_bus.advance_clock(90)  # what still waits for a killed handler's claim to run out comes now
        eventually("quiet", lambda: idle(self.cloud))
        return deliveries(self.model, version)[version, self.model].state


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(
        tmp_path_factory.mktemp("cloud"), seconds=QUICK, settings=OFTEN, lock_duration="PT5S", event_grid_time_scale=0.1
    ) as cloud:
        publisher, home = cloud.workspaces["workspace1"], cloud.workspaces["workspace2"]
        wishes = [
            subscription(model, home, ["model"], [online(model, (10, 50, 100), sample_request=SAMPLE)], model)
            for model in ("cards", "debts")
        ]
        northwind = tenant("northwind", publisher, publications=[publication("all", ["model"])])
        cloud.apply_rules(rules_of(tmp_path_factory.mktemp("rules"), northwind, tenant("fabrikam", home, subscriptions=wishes)))
        yield cloud


def serving(cloud: LocalCloud, folder: Path, model: str) -> Scene:
    scene = Scene(cloud, cloud.ml_client("workspace1"), folder, model)
    scene.register("1")
    scene.end_of("1")
    return scene


def test_kills_at_random_moments_during_an_upgrade_and_one_that_fails(cloud: LocalCloud, tmp_path: Path) -> None:
    scene = serving(cloud, tmp_path, "cards")
    cloud.azure_ml.arm("PUT .*/cards/deployments/v3", operation=OUT_OF_QUOTA)
    states = {}
    with scene.application() as application:
        for version, kills in (("2", 3), ("3", 2)):
            scene.register(version)
            for _ in range(kills):
                time.sleep(random.uniform(0.5, 3))
                cloud.host.restart()
            states[version] = scene.end_of(version)
    assert application.failed == []
    assert states == {"2": DeliveryState.DELIVERED, "3": DeliveryState.FAILED}
    assert scene.serving() == {"2": 100}
    assert scene.there() == {"1", "2"}
    assert twice(accepted(cloud, "PUT", "/deployments/")) == {}


def test_kills_between_what_azure_accepted_and_its_answer(cloud: LocalCloud, tmp_path: Path) -> None:
    """The answers to the new deployment and to its first traffic never come."""
    scene = serving(cloud, tmp_path, "debts")
    moments = {
        "PUT .*/debts/deployments/v2": lambda: "2" in scene.there(),
        "PUT .*/onlineEndpoints/debts([?]|$)": lambda: scene.serving().get("2") == 10,
    }
    for change in moments:
        cloud.azure_ml.arm(change, linger=8)
    with scene.application() as application:
        scene.register("2")
        for change, is_made in moments.items():
            eventually(f"{change} made", is_made, 40)
            cloud.host.restart()
        state = scene.end_of("2")
    assert application.failed == []
    assert state is DeliveryState.DELIVERED
    assert scene.serving() == {"2": 100}
    assert scene.there() == {"1", "2"}
    assert twice(accepted(cloud, "PUT", "/deployments/")) == {}
