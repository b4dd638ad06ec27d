"""`fanout doctor` on the whole local cloud: nothing under the demo's rules, and of each fault that is planted that one alone."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml

from infra.local.cloud import LocalCloud
from infra.local.topology import ARTICLE_WORKSPACES, Workspace
from tests.end_to_end import doctor_faults as faults
from tests.end_to_end.command_line import REPOSITORY, fanout, fanout_json, refusal
from tests.end_to_end.doctor_faults import Plant, planted
from tests.end_to_end.support import endpoint_action, publication, subscription, tenant

RULES = REPOSITORY / "infra/local/demo/rules"
ELSEWHERE = Workspace("workspace5", "55555555-5555-5555-5555-555555555555", "rg-litware", "eastasia")
NEARBY = Workspace("workspace6", "55555555-5555-5555-5555-555555555555", "rg-litware", "westeurope")
SOUND, UNREACHABLE, FAULTY = 0, 1, 4
WHOEVER_ASKS = "system-assigned"  # the command's own identity here; the app's is another


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    workspaces = (*ARTICLE_WORKSPACES, ELSEWHERE, NEARBY)
    with LocalCloud(tmp_path_factory.mktemp("cloud"), workspaces=workspaces, seconds={"endpoint": 0.05}) as cloud:
        cloud.apply_rules(RULES)
        yield cloud


def found(exits: int) -> list[tuple[str, str | None]]:
    """What each finding is, and whose."""
    return [(each["code"], each["tenant"]) for each in fanout_json("doctor", exits=exits)["findings"]]


def test_the_demos_cloud_is_sound_under_the_demos_rules(cloud: LocalCloud) -> None:
    told = fanout_json("doctor")

    assert (told["outcome"], told["findings"]) == ("sound", [])
    assert [(each["tenant"], each["place"]) for each in told["examined"]] == [
        (None, "contoso-hub"),
        ("adventure", "workspace4"),
        ("fabrikam", "workspace2"),
        ("northwind", "workspace1"),
        ("tailwind", "workspace3"),
    ]


@pytest.mark.parametrize(
    ("plant", "finding"),
    [
        (faults.no_role_on_a_workspace, ("role_missing", "tailwind")),
        (faults.only_reader_on_the_registry, ("role_missing", None)),
        (faults.a_custom_role_that_leaves_deployments_out, ("role_missing", "adventure")),
        (faults.another_entra_tenant, ("another_entra_tenant", "adventure")),
        (faults.a_disabled_azure_subscription, ("azure_subscription_disabled", "adventure")),
        (faults.no_event_subscription, ("event_subscription_missing", "northwind")),
        (faults.an_event_subscription_of_somebody_else, ("event_subscription_missing", "northwind")),
        (faults.other_events_only, ("event_type_missing", "northwind")),
        (faults.an_event_subscription_that_failed, ("event_subscription_unhealthy", "northwind")),
        (faults.no_place_for_dead_letters, ("dead_letters_unkept", "northwind")),
        (faults.a_dead_letter, ("dead_letters", "northwind")),
        (faults.the_tenants_own_endpoint, ("endpoint_foreign", "adventure")),
        (faults.a_name_that_another_workspace_has, ("endpoint_name_taken", "tailwind")),
        (faults.a_hundred_endpoints, ("no_room_for_endpoints", "adventure")),
        (faults.too_few_cores, ("quota_too_small", "adventure")),
        (faults.storage_that_shuts_the_registry_out, ("storage_shuts_registry_out", "northwind")),
        (faults.a_private_workspace_with_a_webhook, ("queue_required", "northwind")),
        (faults.a_policy_against_endpoints, ("policy_denies", "tailwind")),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_a_planted_fault_is_found_and_it_alone(cloud: LocalCloud, plant: Plant, finding: tuple[str, str | None]) -> None:
    with planted(cloud, plant):
        assert found(FAULTY) == [finding]


@pytest.mark.parametrize(
    "plant",
    [faults.broader_roles_by_other_ways, faults.storage_that_lets_the_registry_in, faults.a_private_workspace_with_the_queue],
    ids=lambda each: each.__name__,
)
def test_what_is_as_good_is_sound(cloud: LocalCloud, plant: Plant) -> None:
    with planted(cloud, plant):
        assert found(SOUND) == []


@pytest.fixture
def litware(cloud: LocalCloud, tmp_path: Path) -> Iterator["Litware"]:
    """Another tenant beside those of the demo, for as long as a test lasts."""
    yield Litware(tmp_path / "rules")
    cloud.apply_rules(RULES)


class Litware:
    def __init__(self, folder: Path) -> None:
        self._folder = Path(copytree(RULES, folder))

    def has(self, workspace: Workspace = ELSEWHERE, **more: Any) -> None:
        file = self._folder / "tenants" / "litware.yaml"
        file.write_text(yaml.safe_dump(tenant("litware", workspace, **more)))
        fanout("apply", str(self._folder))


def test_a_region_that_the_registry_does_not_cover_is_found(litware: Litware) -> None:
    litware.has(publications=[publication("all", ["model"])])

    assert found(FAULTY) == [("region_not_covered", "litware")]


def test_a_workspace_that_is_not_there_is_found(litware: Litware) -> None:
    litware.has(Workspace("workspace9", ELSEWHERE.azure_subscription_id, ELSEWHERE.resource_group))

    assert found(FAULTY) == [("workspace_not_found", "litware")]


def test_a_name_that_another_tenant_wants_in_the_same_region_is_found_for_both(litware: Litware) -> None:
    litware.has(NEARBY, subscriptions=[subscription("bert", NEARBY, ["model"], [endpoint_action("credit-card-tailwind")])])

    assert found(FAULTY) == [("endpoint_name_twice", "litware"), ("endpoint_name_twice", "tailwind")]


def test_a_compute_that_is_missing_is_found(litware: Litware) -> None:
    batch = {"batch_endpoint": {"name": "by-night", "compute": "gpu-cluster"}}
    litware.has(NEARBY, subscriptions=[subscription("bert", NEARBY, ["model"], [batch])])

    assert found(FAULTY) == [("compute_missing", "litware")]


def test_one_tenant_is_looked_at_alone(cloud: LocalCloud) -> None:
    with planted(cloud, faults.no_role_on_a_workspace):
        assert fanout_json("doctor", "--tenant", "northwind")["findings"] == []
        (finding,) = fanout_json("doctor", "--tenant", "tailwind", exits=FAULTY)["findings"]
    workspace = cloud.workspaces["workspace3"].id
    assert (finding["severity"], finding["scope"]) == ("fault", workspace)
    assert finding["command"].startswith("az role assignment create --assignee-object-id f0000000-0000-0000-0000-000000000001")
    assert finding["command"].endswith(f"--role 'AzureML Data Scientist' --scope {workspace}")


def test_people_read_it_by_tenant_with_the_command_on_a_line_of_its_own(cloud: LocalCloud) -> None:
    with planted(cloud, faults.too_few_cores):
        shown = fanout("doctor", exits=FAULTY)

    lines = shown.splitlines()
    assert lines[:3] == ["registries", "  contoso-hub  sound", "adventure"]
    assert "fault: the rules' deployments need 8 cores of standardDSv2Family" in shown
    assert any(line.startswith("    az quota update --resource-name standardDSv2Family ") for line in lines)
    assert lines[-1] == "1 fault; 5 places looked at."


@pytest.mark.slow
def test_a_workspace_that_does_not_answer_is_a_finding_and_holds_up_no_other(cloud: LocalCloud) -> None:
    cloud.azure_ml.arm("GET .*/workspaces/workspace1$", delay=60, times=None)
    try:
        told = fanout_json("doctor", exits=UNREACHABLE)
    finally:
        cloud.azure_ml.disarm()

    assert [(each["code"], each["severity"], each["tenant"]) for each in told["findings"]] == [("not_seen", "unseen", "northwind")]
    assert len(told["examined"]) == 5


def test_what_whoever_asks_may_not_see_is_no_fault_of_the_apps(cloud: LocalCloud) -> None:
    workspace = cloud.workspaces["workspace2"].id
    cloud.azure_ml.deny({"principal": WHOEVER_ASKS, "scope": workspace})
    try:
        (finding,) = fanout_json("doctor", exits=UNREACHABLE)["findings"]
    finally:
        cloud.azure_ml.deny()

    assert (finding["code"], finding["tenant"]) == ("not_seen", "fabrikam")
    assert finding["command"].endswith(f"--role Reader --scope {workspace}")


def test_dead_letters_that_may_not_be_seen_say_which_role_it_takes(cloud: LocalCloud) -> None:
    containers = f"{_storage(cloud)}/blobServices"
    cloud.azure_ml.deny({"principal": WHOEVER_ASKS, "scope": containers})
    try:
        (finding,) = fanout_json("doctor", exits=UNREACHABLE)["findings"]
    finally:
        cloud.azure_ml.deny()

    assert "its dead letters" in finding["what"]
    assert "--role 'Storage Blob Data Reader'" in finding["command"]


def test_azure_that_asks_for_patience_gets_it(cloud: LocalCloud) -> None:
    cloud.azure_ml.arm("GET .*/roleAssignments", status=429, headers={"Retry-After": "1"}, times=3)

    assert found(SOUND) == []


def test_without_the_apps_identity_it_says_how_to_find_it(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FANOUT_PRINCIPAL_ID")

    assert "FANOUT_PRINCIPAL_ID" in refusal("doctor")
    assert fanout_json("doctor", "--principal-id", "f0000000-0000-0000-0000-000000000001")["findings"] == []


def _storage(cloud: LocalCloud) -> str:
    workspace = cloud.workspaces["workspace1"]
    group = workspace.id.partition("/providers/")[0]
    return f"{group}/providers/Microsoft.Storage/storageAccounts/{faults.storage_account(workspace)}"
