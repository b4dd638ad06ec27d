"""Regions, Entra tenants, private storage, policies, and what cannot be looked at."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.assets import Kind
from shared.doctor.entra import check_entra
from shared.doctor.findings import Finding, Severity, worst
from shared.doctor.mending import az
from shared.doctor.needs import RegistryNeeds
from shared.doctor.networks import check_sharing_from
from shared.doctor.policies import check_policies, resources
from shared.doctor.regions import check_registry_regions, check_workspace_region
from shared.doctor.seen import AzureSubscription, PolicyDenial, ResourceRule, StorageAccount, region_name
from shared.doctor.unseen import not_seen, registry_unreachable, workspace_unreachable
from shared.errors import NotFound, Owner, Permanent, Unavailable
from shared.rules import RegistryRule
from shared.tenants import Publication
from tests.unit.doctor_world import BY_NIGHT, CARDS, HOME, HUB, NEEDS, SERVING, STORAGE, THERE, codes, need

OPEN = StorageAccount(STORAGE, "https://stcards.blob.core.windows.net", is_open=True, is_shut=False)
PRIVATE = replace(OPEN, is_open=False)
PUBLICATION = Publication("cards", "hub", (), ("*",), regions=("westeurope",))


def test_a_workspace_must_lie_where_its_registries_are() -> None:
    assert list(check_workspace_region(NEEDS, THERE, [HUB])) == []
    (finding,) = check_workspace_region(NEEDS, replace(THERE, region="eastasia"), [HUB])
    assert (finding.code, finding.scope) == ("region_not_covered", str(CARDS))
    assert finding.command == (
        "az ml registry update --name hub --subscription s0 --resource-group rg-hub --add replication_locations location=eastasia"
    )


def test_a_region_that_the_rules_state_wrongly_is_a_warning() -> None:
    (finding,) = check_workspace_region(replace(NEEDS, stated_region="northeurope"), THERE, [HUB])
    assert (finding.code, finding.severity) == ("region_misstated", Severity.WARNING)
    assert not list(check_workspace_region(replace(NEEDS, stated_region="West Europe"), THERE, [HUB]))
    assert region_name("West Europe") == "westeurope"


def registry_regions(*stated: str, bounded: tuple[tuple[str, Publication], ...] = ()) -> list[Finding]:
    return list(check_registry_regions(RegistryNeeds(RegistryRule("hub", ("*",), stated), True, bounded), HUB))


def test_a_registry_beyond_what_a_publication_allows_is_a_fault_of_its_tenant() -> None:
    assert registry_regions() == []
    (finding,) = registry_regions(bounded=(("northwind", PUBLICATION),))
    assert (finding.code, finding.tenant) == ("registry_beyond_regions", "northwind")


def test_regions_of_a_registry_that_the_rules_state_wrongly_are_a_warning() -> None:
    assert registry_regions("northeurope", "westeurope") == []
    assert [(each.code, each.severity) for each in registry_regions("westeurope")] == [
        ("registry_regions_misstated", Severity.WARNING)
    ]


@pytest.mark.parametrize(
    ("subscription", "found"),
    [
        (AzureSubscription("s1", HOME, "enabled"), []),
        (AzureSubscription("s1", HOME.upper(), "enabled"), []),
        (AzureSubscription("s1", "another", "enabled"), ["another_entra_tenant"]),
        (AzureSubscription("s1", HOME, "disabled"), ["azure_subscription_disabled"]),
        (AzureSubscription("s1", HOME, "warned"), ["azure_subscription_at_risk"]),
        (AzureSubscription("s1", HOME, "pastdue"), ["azure_subscription_at_risk"]),
    ],
)
def test_one_entra_tenant_for_all_and_azure_subscriptions_that_work(subscription: AzureSubscription, found: list[str]) -> None:
    findings = list(check_entra(CARDS, subscription, HOME, "registry hub", "fabrikam"))
    assert codes(findings) == found
    assert (worst(findings) is Severity.WARNING) is (found == ["azure_subscription_at_risk"])


def rule(resource: str, tenant: str = HOME) -> StorageAccount:
    return replace(PRIVATE, lets_in=(ResourceRule(tenant, resource),))


@pytest.mark.parametrize(
    ("storage", "found"),
    [
        (OPEN, []),
        (PRIVATE, ["storage_shuts_registry_out"]),
        (rule(HUB.arm_id.upper()), []),
        (rule("/subscriptions/s0/resourceGroups/*/providers/P/registries/*"), []),
        (rule("/subscriptions/s9/resourceGroups/*/providers/P/registries/*"), ["storage_shuts_registry_out"]),
        (rule(HUB.arm_id, "another"), ["storage_shuts_registry_out"]),
        (replace(rule(HUB.arm_id), is_shut=True), ["storage_shuts_registry_out"]),
    ],
    ids=["open", "private", "lets it in", "lets all of them in", "of others", "another tenant", "shut"],
)
def test_private_storage_must_let_the_registry_in(storage: StorageAccount, found: list[str]) -> None:
    assert codes(list(check_sharing_from(CARDS, storage, [HUB], HOME))) == found


def test_storage_that_is_shut_is_opened_to_selected_networks_first() -> None:
    (finding,) = check_sharing_from(CARDS, replace(PRIVATE, is_shut=True), [HUB], HOME)
    opened, rule_added = finding.command.split(" && ")
    assert "--public-network-access Enabled --default-action Deny" in opened
    assert "network-rule add --account-name stcards --subscription s1 --resource-group rg-cards" in rule_added
    assert f"--resource-id {HUB.arm_id} --tenant-id {HOME}" in rule_added


def test_what_fanout_would_make_is_what_policies_are_asked_about() -> None:
    asked = list(resources(replace(NEEDS, endpoints=(need(SERVING), need(BY_NIGHT))), THERE))
    assert [str(each.content["type"]).partition("/")[2] for each in asked] == [
        "workspaces/models/versions",
        "workspaces/onlineEndpoints",
        "workspaces/onlineEndpoints/deployments",
        "workspaces/batchEndpoints",
        "workspaces/batchEndpoints/deployments",
    ]
    assert not list(resources(replace(NEEDS, registers=frozenset({Kind.DATA})), THERE))
    (finding,) = check_policies(asked[1], [PolicyDenial("/subscriptions/s1/p/policyAssignments/no-endpoints", "/d")], THERE)
    assert "policy no-endpoints denies online endpoint cards" in finding.what
    assert "--policy-assignment /subscriptions/s1/p/policyAssignments/no-endpoints" in finding.command


def permanent(code: str) -> Permanent:
    return Permanent(code, "as Azure said", Owner.PROVIDER, "")


@pytest.mark.parametrize(
    ("error", "code", "severity"),
    [
        (permanent("another_entra_tenant"), "another_entra_tenant", Severity.FAULT),
        (permanent("workspace_not_found"), "workspace_not_found", Severity.FAULT),
        (NotFound("gone"), "workspace_not_found", Severity.FAULT),
        (permanent("forbidden"), "not_seen", Severity.UNSEEN),
        (Unavailable("no answer"), "not_seen", Severity.UNSEEN),
    ],
)
def test_what_is_not_there_is_a_fault_and_what_may_not_be_seen_is_unseen(
    error: Permanent | Unavailable, code: str, severity: Severity
) -> None:
    found = workspace_unreachable(NEEDS, error)
    assert (found.code, found.severity) == (code, severity)


def test_the_same_holds_for_a_registry() -> None:
    needs = RegistryNeeds(RegistryRule("hub", ("*",)), True, ())
    assert registry_unreachable(needs, permanent("registry_not_found")).severity is Severity.FAULT
    assert registry_unreachable(needs, permanent("forbidden")).severity is Severity.UNSEEN
    assert registry_unreachable(needs, permanent("forbidden")).command.endswith("--scope '<ARM id of registry hub>'")


def test_who_may_not_look_is_told_the_role_and_who_got_no_answer_to_ask_again() -> None:
    assert "--role Reader --scope /s" in not_seen("it", "/s", "Reader", permanent("forbidden")).command
    assert not_seen("it", "/s", "Reader", Unavailable("busy")).command == "fanout doctor"


def test_a_fault_counts_more_than_what_is_unseen_and_that_more_than_a_warning() -> None:
    def of(*severities: Severity) -> Iterator[Finding]:
        return (Finding("c", "s", "w", "y", "m", severity) for severity in severities)

    assert worst(of(Severity.WARNING, Severity.UNSEEN, Severity.FAULT)) is Severity.FAULT
    assert worst(of(Severity.WARNING, Severity.UNSEEN)) is Severity.UNSEEN
    assert worst(of(Severity.WARNING)) is Severity.WARNING
    assert worst(of()) is None


def test_commands_are_quoted_for_the_shell() -> None:
    assert az("x show", name="a b", query="[?a=='b']") == """az x show --name 'a b' --query "[?a=='b']\""""
    assert az("x show", trap="$(x)") == "az x show --trap '$(x)'"
