"""The lists that the reconciler reads, against the local Azure ML; and that what it reads does not grow with history."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from handlers import reconcile_pass
from handlers.asked import Asked
from handlers.fan_out import new_delivery
from handlers.share_request import ShareRequest
from infra.local.cloud import LocalCloud
from infra.local.environment import FANOUT_CLIENT_ID
from infra.local.processes import REPOSITORY
from infra.local.topology import Registry, Workspace
from shared import planning
from shared.assets import Asset, Kind, RegistryAsset, WorkspaceId
from shared.bootstrap import AzureFanout
from shared.listings import Listing
from shared.provenance import of_delivery
from shared.reconciling import Finding, What
from shared.rows import PlanRow
from shared.states import DeliveryState, ShareState
from tests.contract.table_service import CountingClock
from tests.end_to_end.support import (
    QUICK,
    REGISTRY,
    eventually,
    mlflow_folder,
    publication,
    register,
    rules_of,
    subscription,
    tenant,
)

PUBLISHER, SUBSCRIBER = "publisher", "subscriber"
LATER = timedelta(minutes=10)  # by then the reconciler takes the order of versions as settled


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    workspaces, registries = [Workspace(PUBLISHER), Workspace(SUBSCRIBER)], [Registry(REGISTRY)]
    seconds = {**QUICK, "import": 0.01}
    with LocalCloud(
        tmp_path_factory.mktemp("cloud"), workspaces=workspaces, registries=registries, seconds=seconds, with_host=False
    ) as cloud:
        there = cloud.workspaces
        publisher = tenant("northwind", there[PUBLISHER], publications=[publication("cards", ["model"], "card*")])
        wish = subscription("cards", there[SUBSCRIBER], ["model"], ["register"])
        subscriber = tenant("fabrikam", there[SUBSCRIBER], subscriptions=[wish])
        cloud.apply_rules(rules_of(tmp_path_factory.mktemp("rules"), publisher, subscriber))
        yield cloud


@pytest.fixture(scope="module")
def azure(cloud: LocalCloud) -> Iterator[AzureFanout]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in cloud.app_settings.items():
            environment.setenv(name, value)
        azure = AzureFanout()
        azure.clock = CountingClock()
        yield azure


def workspace(cloud: LocalCloud, name: str) -> WorkspaceId:
    return WorkspaceId.parse(cloud.workspaces[name].id)


def all_names(listings: Iterator[Listing]) -> list[str]:
    return [listed.name for listing in listings for listed in listing.names]


def another_version(azure: AzureFanout, at: WorkspaceId, first: Asset, version: str) -> Asset:
    """Of the same bytes as the first."""
    there = azure.workspaces.asset(at, first)
    assert there
    new = replace(first, version=version)
    azure.workspaces.register(at, RegistryAsset(new, "", there.uri, "mlflow_model", flavors={"sklearn": {}}), {})
    return new


def test_the_names_and_versions_of_a_workspace_come_page_by_page_and_newest_first(
    cloud: LocalCloud, azure: AzureFanout, tmp_path: Path
) -> None:
    at = workspace(cloud, SUBSCRIBER)
    register(cloud.ml_client(SUBSCRIBER), "first", "9", mlflow_folder(tmp_path / "first"))
    first = Asset(Kind.MODEL, "first", "9")
    for number in range(35):
        another_version(azure, at, first, f"1{number}")
        there = azure.workspaces.asset(at, first)
        assert there
        other = RegistryAsset(Asset(Kind.MODEL, f"other-{number}", "1"), "", there.uri, "mlflow_model", flavors={"sklearn": {}})
        azure.workspaces.register(at, other, {})
    azure.workspaces.archive(at, replace(first, version="134"))

    page = azure.workspaces.names(at, Kind.MODEL)
    rest = azure.workspaces.names(at, Kind.MODEL, page.next)
    newest = azure.workspaces.newest(at, Kind.MODEL, "first", 3)

    assert page.next
    assert not rest.next
    assert sorted(all_names(iter([page, rest]))) == sorted(["first", *(f"other-{number}" for number in range(35))])
    assert [each.asset.version for each in newest] == ["133", "132", "131"]
    assert azure.workspaces.newest(at, Kind.MODEL, "nothing", 3) == ()


def test_a_name_that_got_a_version_has_another_stamp(cloud: LocalCloud, azure: AzureFanout, tmp_path: Path) -> None:
    at = workspace(cloud, SUBSCRIBER)
    register(cloud.ml_client(SUBSCRIBER), "aged", "1", mlflow_folder(tmp_path / "aged"))
    before = stamp_of(azure, at, "aged")
    another_version(azure, at, Asset(Kind.MODEL, "aged", "1"), "2")

    assert stamp_of(azure, at, "aged") != before


def stamp_of(azure: AzureFanout, at: WorkspaceId, name: str) -> str:
    page = ""
    names: dict[str, str] = {}
    while not names or page:
        listing = azure.workspaces.names(at, Kind.MODEL, page)
        names |= {listed.name: listed.stamp for listed in listing.names}
        page = listing.next
    return names[name]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_can_be_listed_where_there_is_none(cloud: LocalCloud, azure: AzureFanout, kind: Kind) -> None:
    assert azure.registries.newest(REGISTRY, kind, "nothing", 3) == []
    assert azure.workspaces.names(workspace(cloud, PUBLISHER), kind).next == ""


def shared_and_delivered(cloud: LocalCloud, azure: AzureFanout, asset: Asset) -> None:
    """As if its event had come and all had been done: in the registry, in the subscriber's workspace, and in the ledger."""
    at, into, rules = workspace(cloud, PUBLISHER), workspace(cloud, SUBSCRIBER), azure.rules.current()
    owner, there = rules.tenants["northwind"], azure.workspaces.asset(at, asset)
    assert there
    azure.registries.begin_import(REGISTRY, asset, at, asset)
    eventually("the copy", lambda: azure.registries.asset(REGISTRY, asset))
    copy = azure.registries.asset(REGISTRY, asset)
    assert copy
    share = ShareRequest(owner, at, there, REGISTRY, asset.name, owner.publications, rules.revision, Asked()).make(azure)
    azure.rows.replace(replace(share, state=ShareState.SHARED))
    plan = azure.rows.save_plan(PlanRow(asset=replace(copy, document=None), share=share.address, origin=at))
    wanted = planning.plan(planning.SharedAsset(asset, REGISTRY, at, copy.tags), rules)
    (delivery,) = [new_delivery(share, each, azure.clock.now()) for each in wanted if each.allowed]
    (row,) = azure.rows.insert_deliveries(plan, [delivery])
    azure.workspaces.register(into, copy, of_delivery(row))
    azure.rows.close(replace(row, state=DeliveryState.DELIVERED))


def reads_of_a_look(cloud: LocalCloud, azure: AzureFanout) -> tuple[list[Finding], "Counter[str]", int]:
    """What a look at everything found, the requests to Azure ML by path without names' versions, and the answers of the tables."""
    assert isinstance(azure.clock, CountingClock)
    since = max(int(request["n"]) for request in cloud.azure_ml.requests())
    answers = azure.clock.answers
    found: list[Finding] = []
    reconcile_pass.preview(azure, found.append)
    paths = Counter(f"{each['method']} {str(each['path']).partition('/versions/')[0]}" for each in cloud.azure_ml.requests(since))
    return found, paths, azure.clock.answers - answers


def test_given_ten_times_the_history_when_reconciled_then_the_reads_are_the_same(
    cloud: LocalCloud, azure: AzureFanout, tmp_path: Path
) -> None:
    assert isinstance(azure.clock, CountingClock)
    reconcile_pass.whole_pass(azure, lambda _finding: None)
    azure.clock.ahead = LATER
    register(cloud.ml_client(PUBLISHER), "card", "1", mlflow_folder(tmp_path / "card"))
    first, at = Asset(Kind.MODEL, "card", "1"), workspace(cloud, PUBLISHER)
    shared_and_delivered(cloud, azure, first)
    looks = []
    for versions in (range(2, 6), range(6, 51)):  # five versions of a name are looked at, however many there are
        for version in versions:
            shared_and_delivered(cloud, azure, another_version(azure, at, first, str(version)))
        reconcile_pass.whole_pass(azure, lambda _finding: None)
        missed = another_version(azure, at, first, f"{versions.stop}-missed")
        looks.append(reads_of_a_look(cloud, azure))
        shared_and_delivered(cloud, azure, missed)

    (found_then, *reads_then), (found_now, *reads_now) = looks
    assert [each.what for each in found_then] == [each.what for each in found_now] == [What.UNSHARED]
    assert all(reads_then)
    assert reads_now == reads_then


def test_given_what_was_missed_when_the_command_runs_then_it_is_shown_and_its_command_is_on_the_queue(
    cloud: LocalCloud, azure: AzureFanout, tmp_path: Path
) -> None:
    """After `test_given_ten_times…`, or without it: the reconciler knew the workspace before the model was registered."""
    fanout("reconcile")
    register(cloud.ml_client(PUBLISHER), "card-missed", "1", mlflow_folder(tmp_path / "card-missed"))

    shown, done, again = fanout("reconcile", "--dry-run"), fanout("reconcile"), fanout("reconcile", "--json")

    line = "+ model card-missed:1, northwind (publisher): not shared: registered"
    assert (line in shown.stdout, "would be mended" in shown.stdout) == (True, True), shown.stderr
    assert (line in done.stdout, "are being mended" in done.stdout, done.returncode) == (True, True, 0), done.stderr
    assert json.loads(again.stdout)["dry_run"] is False
    asked = [json.loads(message["body"]) for message in cloud.service_bus.messages("commands")]
    assert {"kind": "model", "name": "card-missed", "version": "1"} in [each["asset"] for each in asked]


def test_given_another_run_at_work_when_the_command_runs_then_it_says_so_and_the_exit_code_is_3(
    cloud: LocalCloud, azure: AzureFanout
) -> None:
    cursor = azure.reconciling.cursor()
    taken = azure.reconciling.save_cursor(replace(cursor, until=azure.clock.now() + LATER))

    busy = fanout("reconcile")

    azure.reconciling.save_cursor(replace(taken, until=None))
    assert (busy.returncode, "Another run is at work" in busy.stderr) == (3, True)


@pytest.mark.parametrize("arguments", [["--dry-run"], ["--dry-run", "--json"]], ids=["for people", "for programs"])
def test_given_a_workspace_that_cannot_be_looked_at_when_the_command_runs_then_the_rest_is_shown_and_the_exit_code_is_1(
    cloud: LocalCloud, azure: AzureFanout, arguments: list[str]
) -> None:
    cloud.azure_ml.deny({"principal": FANOUT_CLIENT_ID, "scope": cloud.workspaces[PUBLISHER].id})

    shown = fanout("reconcile", *arguments)

    cloud.azure_ml.deny()
    assert (shown.returncode, "not looked at" in shown.stdout) == (1, True)
    assert "1 could not be looked at" in shown.stderr


def fanout(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "handlers.cli", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
