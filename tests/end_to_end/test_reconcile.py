"""The reconciler end to end: events that never came, new subscriptions and deletions, healed by the timer and by the command."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from infra.local.processes import REPOSITORY
from tests.end_to_end.support import QUICK, eventually, mlflow_folder, models, publication, register, rules_of, subscription, tenant

TIMER = {"FANOUT_RECONCILE_SCHEDULE": "*/3 * * * * *"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Nobody hears of registrations: Event Grid holds all events."""
    with LocalCloud(tmp_path_factory.mktemp("cloud"), seconds=QUICK, settings=TIMER) as cloud:
        cloud.event_grid.pause(True)
        cloud.apply_rules(the_rules(cloud, tmp_path_factory.mktemp("rules"), "workspace2"))
        yield cloud


def the_rules(cloud: LocalCloud, folder: Path, *subscribed: str) -> Path:
    """`northwind` publishes all models; the tenants of these workspaces want them."""
    there = cloud.workspaces
    publisher = tenant("northwind", there["workspace1"], publications=[publication("all", ["model"])])
    subscribers = [
        tenant(f"of-{name}", there[name], subscriptions=[subscription("all", there[name], ["model"], ["register"])])
        for name in subscribed
    ]
    return rules_of(folder, publisher, *subscribers)


def fanout(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "handlers.cli", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)


def findings(*arguments: str) -> list[dict[str, Any]]:
    shown = fanout(*arguments, "--json")
    assert shown.returncode == 0, shown.stderr
    found: list[dict[str, Any]] = json.loads(shown.stdout)["findings"]
    return found


def test_given_models_whose_events_never_come_when_the_timer_runs_then_they_arrive(cloud: LocalCloud, tmp_path: Path) -> None:
    client = cloud.ml_client("workspace1")
    register(client, "missed", "1", mlflow_folder(tmp_path / "missed"))

    eventually("the model", lambda: "missed:1" in models(cloud, "workspace2"))


def test_given_a_tenant_that_subscribes_when_the_timer_runs_then_it_gets_what_is_there(cloud: LocalCloud, tmp_path: Path) -> None:
    register(cloud.ml_client("workspace1"), "before", "1", mlflow_folder(tmp_path / "before"))
    eventually("the first subscriber has it", lambda: "before:1" in models(cloud, "workspace2"))

    cloud.apply_rules(the_rules(cloud, tmp_path / "rules", "workspace2", "workspace3"))

    eventually("the second has it too", lambda: "before:1" in models(cloud, "workspace3"))
