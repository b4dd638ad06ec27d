"""kill -9 of the host: everything arrives, and nothing twice."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from tests.end_to_end.support import (
    OFTEN,
    QUICK,
    accepted,
    endpoint,
    endpoint_action,
    eventually,
    idle,
    mlflow_folder,
    models,
    register,
    registry_models,
    rules,
    serves,
    twice,
)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    with LocalCloud(tmp_path / "cloud", seconds=QUICK, settings=OFTEN, lock_duration="PT5S", event_grid_time_scale=0.1) as cloud:
        there = cloud.workspaces
        subscribers: dict[str, Any] = {
            "fabrikam": (there["workspace2"], ["register"]),
            "tailwind": (there["workspace3"], [endpoint_action("tailwind-models")]),
        }
        cloud.apply_rules(rules(tmp_path / "rules", there["workspace1"], subscribers))
        yield cloud


def nothing_twice(cloud: LocalCloud) -> None:
    assert twice(accepted(cloud, "POST", "/import")) == {}
    assert twice(accepted(cloud, "PUT", "/models/")) == {}
    assert twice(accepted(cloud, "PUT", "/deployments/")) == {}


def test_kills_at_random_moments_during_ten_registrations(cloud: LocalCloud, tmp_path: Path) -> None:
    client = cloud.ml_client("workspace1")
    names = [f"churn-{n}" for n in range(10)]
    killed_after = {names[0], *random.sample(names, 5)}
    for name in names:
        register(client, name, "1", mlflow_folder(tmp_path / name, name))
        time.sleep(random.uniform(0.3, 1.2))
        if name in killed_after:
            cloud.host.restart()
    wanted = {f"{name}:1" for name in names}
    eventually("every model registered", lambda: models(cloud, "workspace2") >= wanted, 150)
    eventually("quiet", lambda: idle(cloud), 240)  # a claim outlives its process by a minute, and ten follow one another
    assert registry_models(cloud) == wanted
    assert serves(cloud, "workspace3", "tailwind-models")
    nothing_twice(cloud)


def test_a_kill_between_the_acceptance_of_an_import_and_its_answer(cloud: LocalCloud, tmp_path: Path) -> None:
    cloud.azure_ml.arm("POST .*/import", linger=8)
    register(cloud.ml_client("workspace1"), "churn", "1", mlflow_folder(tmp_path / "churn"))
    eventually("the import begun", lambda: "churn:1" in registry_models(cloud), 30)
    cloud.host.restart()
    _arrives_once(cloud)


def test_an_import_whose_answer_was_lost_on_the_way(cloud: LocalCloud, tmp_path: Path) -> None:
    cloud.azure_ml.arm("POST .*/import", drop="after")
    register(cloud.ml_client("workspace1"), "churn", "1", mlflow_folder(tmp_path / "churn"))
    _arrives_once(cloud)


def _arrives_once(cloud: LocalCloud) -> None:
    eventually("the model registered", lambda: "churn:1" in models(cloud, "workspace2"), 120)
    eventually("the endpoint serving", lambda: serves(cloud, "workspace3", "tailwind-models"), 60)
    eventually("quiet", lambda: idle(cloud), 60)
    asked = [request for request in cloud.azure_ml.requests() if request["path"].endswith("/import")]
    assert len(asked) == 1, asked
    assert len(endpoint(cloud, "workspace3", "tailwind-models")["deployments"]) == 1
    nothing_twice(cloud)
