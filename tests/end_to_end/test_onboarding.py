"""A tenant comes and goes, on the whole local cloud, by the commands that `fanout onboard` and `fanout offboard` print."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import event_subscriptions
from infra.local.cloud import LocalCloud
from infra.local.topology import ARTICLE_WORKSPACES, Workspace
from tests.end_to_end.command_line import fanout, fanout_json
from tests.end_to_end.support import (
    QUICK,
    eventually,
    idle,
    mlflow_folder,
    models,
    publication,
    register,
    registry_models,
    rules_of,
    subscription,
    tenant,
    unreconciled,
)

THEIRS = Workspace("workspace5")
UNREACHABLE, FAULTY = 1, 4
WHOEVER_ASKS = "system-assigned"  # the command's own identity here; the app's is another


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Whatever arrives comes by events and commands, and not by the reconciler."""
    workspaces = (*ARTICLE_WORKSPACES, THEIRS)
    with LocalCloud(tmp_path_factory.mktemp("cloud"), workspaces=workspaces, seconds=QUICK) as cloud, unreconciled(cloud):
        yield cloud


@pytest.fixture(scope="module")
def folder(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Northwind publishes all models; Fabrikam wants those of everybody, and has the first of Northwind's."""
    there = cloud.workspaces
    wants = subscription("all", there["workspace2"], ["model"], ["register"]) | {"from": ["*"]}
    northwind = tenant("northwind", there["workspace1"], publications=[publication("all", ["model"])])
    folder = rules_of(tmp_path_factory.mktemp("rules"), northwind, tenant("fabrikam", there["workspace2"], subscriptions=[wants]))
    cloud.apply_rules(folder)
    new_model(cloud, folder, "workspace1", "cards-before")
    eventually("the first model", lambda: "cards-before:1" in models(cloud, "workspace2"))
    return folder


def new_model(cloud: LocalCloud, folder: Path, workspace: str, name: str) -> None:
    register(cloud.ml_client(workspace), name, "1", mlflow_folder(folder.parent / name, name))


def what_is(told: dict[str, Any], whose: str) -> list[str]:
    return [each["what"] for each in told["azure"] if each["whose"] == whose]


def test_a_tenant_comes_and_goes(cloud: LocalCloud, folder: Path) -> None:
    file = begin(cloud, folder)
    first_deliveries(cloud, folder)
    somebody_else_listens_too(cloud)
    end(cloud, folder, file)
    nothing_leaves_or_arrives(cloud, folder)
    azures_part_is_removed(cloud, file)


def begin(cloud: LocalCloud, folder: Path) -> Path:
    """The first run writes the file and prints the deployment; then the rules are made of its examples, and applied."""
    begin = ("onboard", "litware", "--workspace", THEIRS.id, "--region", "westeurope", "--folder", str(folder))
    told = fanout_json(*begin)
    file = Path(told["file"])
    written = file.read_text()

    assert file == folder / "tenants" / "litware.yaml"
    (step,) = told["steps"]
    assert step["command"].startswith(f"az deployment group create --subscription {THEIRS.azure_subscription_id} ")
    assert (
        f"workspaceName=workspace5 location=westeurope fanoutPrincipalId={cloud.environment['FANOUT_PRINCIPAL_ID']}"
        in step["command"]
    )
    assert f"webhookUrl=https://{cloud.environment['FANOUT_HOSTNAME']}/runtime/webhooks/EventGrid" in step["command"]

    shown = fanout(*begin)
    assert f"{file} is there" in shown
    assert file.read_text() == written

    file.write_text(re.sub(r"^# (?=[a-z]+:$|-| )", "", written, flags=re.MULTILINE))
    apply, onboard = told["next"]
    assert onboard == "fanout onboard litware"
    assert "publication cards added, subscription cards added" in fanout(*shlex.split(apply)[1:])
    return file


def first_deliveries(cloud: LocalCloud, folder: Path) -> None:
    """What is missing in Azure is found first; then what stood in the registry comes, and what the tenant makes goes out."""
    roles = cloud.azure_ml.surroundings()["role_assignments"]
    cloud.azure_ml.surroundings(role_assignments=[each for each in roles if each["scope"] != THEIRS.id])
    refused = fanout_json("onboard", "litware", exits=FAULTY)
    assert [each["code"] for each in refused["doctor"]["findings"]] == ["role_missing"]
    assert refused["backfill"] is None

    cloud.azure_ml.surroundings(role_assignments=roles)
    assert "cards-before:1" in fanout("onboard", "litware", "--dry-run")
    assert models(cloud, "workspace5") == set()

    shown = fanout("onboard", "litware")
    assert "All is well" in shown
    assert "1 are being delivered." in shown
    eventually("what stood there", lambda: "cards-before:1" in models(cloud, "workspace5"))

    new_model(cloud, folder, "workspace5", "cards-own")
    eventually("what they made is delivered", lambda: "cards-own:1" in models(cloud, "workspace2"))
    eventually("all is done", lambda: idle(cloud))


def somebody_else_listens_too(cloud: LocalCloud) -> None:
    queue = event_subscriptions.queue(cloud.environment["ServiceBus"])
    elsewhere = queue | {"queue": "commands", "resourceId": queue["resourceId"].replace("/events", "/theirs")}
    wanted = event_subscriptions.event_subscription(THEIRS, elsewhere, "EventGridSchema", cloud.environment["Tables"])
    others_alone = {"includedEventTypes": ["Microsoft.MachineLearningServices.RunCompleted"], "deadLetterDestination": None}
    cloud.event_grid.subscribe("theirs", wanted | others_alone)


def end(cloud: LocalCloud, folder: Path, file: Path) -> None:
    before = file.read_text()
    preview = fanout_json("offboard", "litware", "--folder", str(folder), "--dry-run")
    assert (file.read_text(), preview["over"]) == (before, False)

    told = fanout_json("offboard", "litware", "--folder", str(folder), "--by", "ada")

    (there,) = told["delivered_elsewhere"]
    assert [there[name] for name in ("asset", "tenant", "workspace", "route")] == [
        "model:cards-own:1",
        "fabrikam",
        cloud.workspaces["workspace2"].id,
        "register",
    ]
    assert [each.partition(" ")[0] for each in what_is(told, "ours")] == ["container", "event", "role"]
    assert what_is(told, "others") == ["event subscription theirs"]
    assert "has left" in file.read_text()
    assert "Nothing changes." in fanout("apply", str(folder))
    (recall,) = told["recalls"]
    assert recall.startswith("fanout recall model:cards-own:1 --registry contoso-hub ")


def nothing_leaves_or_arrives(cloud: LocalCloud, folder: Path) -> None:
    new_model(cloud, folder, "workspace5", "cards-late")
    new_model(cloud, folder, "workspace1", "cards-later")

    eventually("others go on", lambda: "cards-later:1" in models(cloud, "workspace2"))
    eventually("all is done", lambda: idle(cloud))
    assert "cards-late:1" not in registry_models(cloud)
    assert "cards-later:1" not in models(cloud, "workspace5")


def azures_part_is_removed(cloud: LocalCloud, file: Path) -> None:
    again = fanout("offboard", "litware", "--folder", str(file.parents[1]))
    assert "has ended already" in again
    assert "    az eventgrid system-topic event-subscription delete --subscription " in again
    assert "left alone: workspace5: event subscription theirs" in again

    cloud.azure_ml.deny({"principal": WHOEVER_ASKS, "scope": THEIRS.id})
    unseen = fanout_json("offboard", "litware", exits=UNREACHABLE)
    cloud.azure_ml.deny()
    assert (unseen["over"], what_is(unseen, "unseen")) == (False, ["roles of the app's identity on workspace5"])

    cloud.event_grid.unsubscribe(event_subscriptions.name_of(THEIRS))
    roles = cloud.azure_ml.surroundings()["role_assignments"]
    cloud.azure_ml.surroundings(role_assignments=[each for each in roles if each["scope"] != THEIRS.id])

    told = fanout_json("offboard", "litware")
    assert (told["over"], what_is(told, "others")) == (True, ["event subscription theirs"])
    file.unlink()
    assert "- tenant litware" in fanout("apply", str(file.parents[1]))
