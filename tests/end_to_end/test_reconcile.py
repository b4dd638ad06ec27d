"""The reconciler end to end: events that never came, new subscriptions and deletions, healed by the timer and by the command."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml.entities import Environment

from infra.local.cloud import LocalCloud
from infra.local.processes import REPOSITORY
from tests.end_to_end.support import (
    QUICK,
    eventually,
    mlflow_folder,
    models,
    publication,
    register,
    registry_models,
    rules_of,
    subscription,
    tenant,
)

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
    publisher = tenant("northwind", there["workspace1"], publications=[publication("all", ["model", "environment"])])
    subscribers = [
        tenant(f"of-{name}", there[name], subscriptions=[subscription("all", there[name], ["model", "environment"], ["register"])])
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


def test_given_an_environment_which_raises_no_event_when_the_timer_runs_then_it_arrives(cloud: LocalCloud) -> None:
    image = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"
    cloud.ml_client("workspace1").environments.create_or_update(Environment(name="scikit", version="1", image=image))

    eventually("the environment", lambda: environments(cloud, "workspace2") >= {"scikit:1"})


def environments(cloud: LocalCloud, name: str) -> set[str]:
    found = cloud.azure_ml.state()["workspaces"][cloud.workspaces[name].id]["environments"]
    return {f"{each['name']}:{each['version']}" for each in found}


def test_given_a_model_that_its_tenant_deleted_when_the_timer_runs_then_it_is_registered_again(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    register(cloud.ml_client("workspace1"), "deleted", "1", mlflow_folder(tmp_path / "deleted"))
    eventually("the model", lambda: "deleted:1" in models(cloud, "workspace2"))
    eventually("its delivery is written", lambda: "deleted" not in str(findings("reconcile", "--dry-run")))

    delete(cloud, "workspace2", "deleted", "1")
    assert "deleted:1" not in models(cloud, "workspace2")

    eventually("the model is back", lambda: "deleted:1" in models(cloud, "workspace2"))


def delete(cloud: LocalCloud, at: str, name: str, version: str) -> None:
    """As the portal does: azure-ai-ml itself offers it for no asset."""
    client, place = cloud.ml_client(at), cloud.workspaces[at]
    operations: Any = client.models._model_versions_operation
    operations.delete(client.resource_group_name, place.name, name, version)


def test_given_a_subscription_that_ended_when_previewed_then_what_it_brought_is_shown_and_stays(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    register(cloud.ml_client("workspace1"), "unwanted", "1", mlflow_folder(tmp_path / "unwanted"))
    eventually("the model", lambda: "unwanted:1" in models(cloud, "workspace2"))
    eventually("its delivery is written", lambda: "unwanted" not in str(findings("reconcile", "--dry-run")))

    cloud.apply_rules(the_rules(cloud, tmp_path / "rules"))

    shown = [each for each in findings("reconcile", "--dry-run") if each["asset"] == "model unwanted:1"]
    assert ("no longer allowed", "workspace2", None) in {(each["what"], each["workspace"], each["healed_by"]) for each in shown}
    assert "unwanted:1" in models(cloud, "workspace2")


def test_given_history_when_a_new_subscription_is_backfilled_then_it_is_shown_first_and_arrives(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    client = cloud.ml_client("workspace1")
    for version in ("1", "2"):
        register(client, "old", version, mlflow_folder(tmp_path / version, version))
        eventually("it is in the registry", lambda version=version: f"old:{version}" in registry_models(cloud))  # type: ignore[misc]
    cloud.apply_rules(the_rules(cloud, tmp_path / "rules", "workspace4"))
    eventually("the newest is there", lambda: "old:2" in models(cloud, "workspace4"))
    assert "old:1" not in models(cloud, "workspace4")

    shown = fanout("backfill", "--subscription", "of-workspace4/all", "--all-versions", "--dry-run")
    assert "+ model old:1 to of-workspace4 (workspace4): subscription all wants it" in shown.stdout, shown.stderr
    sent = fanout("backfill", "--subscription", "of-workspace4/all", "--all-versions")

    assert sent.returncode == 0, sent.stderr
    eventually("all versions", lambda: "old:1" in models(cloud, "workspace4"))


def test_given_a_tag_added_after_a_model_was_shared_when_the_timer_runs_then_it_reaches_who_asks_for_it(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    there, client = cloud.workspaces, cloud.ml_client("workspace1")
    wish = subscription("live", there["workspace3"], ["model"], ["register"])
    wish["assets"] = [{"kind": "model", "name": "tagged-*", "tags": {"stage": "production"}}]
    publisher = tenant("northwind", there["workspace1"], publications=[publication("all", ["model"])])
    cloud.apply_rules(rules_of(tmp_path / "rules", publisher, tenant("fabrikam", there["workspace3"], subscriptions=[wish])))
    register(client, "tagged-card", "1", mlflow_folder(tmp_path / "tagged"))
    eventually("it is in the registry", lambda: "tagged-card:1" in registry_models(cloud))
    eventually("it was looked at", lambda: "tagged-card" not in str(findings("reconcile", "--dry-run")))
    assert "tagged-card:1" not in models(cloud, "workspace3")

    model = client.models.get("tagged-card", "1")
    model.tags = {"stage": "production"}
    client.models.create_or_update(model)

    eventually("it arrives", lambda: "tagged-card:1" in models(cloud, "workspace3"))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [("nobody/all", "no tenant nobody is in the rules"), ("northwind/none", "tenant northwind has no subscription none")],
)
def test_given_no_such_subscription_when_backfilled_then_it_says_so(cloud: LocalCloud, asked: str, answer: str) -> None:
    refused = fanout("backfill", "--subscription", asked)

    assert (refused.returncode, answer in refused.stderr) == (2, True)
