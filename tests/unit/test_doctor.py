"""The doctor's round: every place on its own, and of each place every concern on its own."""

from dataclasses import replace

import pytest

from handlers.doctor import Examined, examine
from handlers.doctor_looks import Looks
from shared.actions import BatchEndpoint, Mode, Register
from shared.assets import Kind, WorkspaceId
from shared.doctor.events import App
from shared.doctor.findings import Finding, Severity
from shared.doctor.seen import Permission
from shared.errors import Owner, Permanent, Unavailable
from shared.rules import Provider, RegistryRule, Rules
from shared.tenants import AssetPattern, Publication, Subscription, Tenant, TenantState
from tests.fake_surroundings import HOST, FakeSurroundings
from tests.unit.doctor_world import NOW, SERVING

MODELS = AssetPattern(Kind.MODEL, "*")
PROVIDER = Provider((RegistryRule("hub", ("*",)),))


def tenant(number: int) -> Tenant:
    """It publishes and takes in everything, and serves it, in an Azure subscription of its own."""
    workspace = WorkspaceId(f"s{number}", "rg", "cards")
    publication = Publication("all", "hub", (MODELS, AssetPattern(Kind.COMPONENT, "*")), ("*",))
    actions = (Register(Mode.COPY), replace(SERVING, name=f"cards-{number}"), BatchEndpoint(f"nightly-{number}", "cpu-cluster"))
    subscription = Subscription("all", ("*",), (MODELS,), workspace, actions)
    return Tenant(f"tenant-{number}", TenantState.ACTIVE, (workspace,), (publication,), (subscription,))


def rules_of(count: int) -> Rules:
    return Rules(PROVIDER, {each.id: each for each in map(tenant, range(count))}, 1)


ONE, TWO = rules_of(1), rules_of(2)


def examined(azure: FakeSurroundings, rules: Rules) -> list[Examined]:
    examination = examine(list(rules.tenants.values()), Looks(rules, azure, "principal", App(HOST), NOW))
    found = list(examination.examined)
    assert len(found) == examination.places
    return found


def findings(azure: FakeSurroundings, rules: Rules) -> list[Finding]:
    return [finding for each in examined(azure, rules) for finding in each.findings]


def test_where_all_is_as_it_must_be_nothing_is_found() -> None:
    places = examined(FakeSurroundings(TWO), TWO)

    assert {(each.tenant, each.place) for each in places} == {(None, "hub"), ("tenant-0", "cards"), ("tenant-1", "cards")}
    assert not any(each.findings for each in places)


LOOKS = [
    "azure_subscription",
    "datastore",
    "event_subscriptions",
    "has_dead_letters",
    "storage_account",
    "system_topics",
    "workspaces_in",
    "core_usages",
    "vm_sizes",
    "has_compute",
    "denials",
]


@pytest.mark.parametrize("call", LOOKS)
@pytest.mark.parametrize("error", [Unavailable("no answer"), Permanent("forbidden", "not you", Owner.PROVIDER, "")], ids=type)
def test_what_cannot_be_looked_at_is_said_and_hides_nothing_else(call: str, error: Exception) -> None:
    azure = FakeSurroundings(TWO, "eastasia")
    azure.failing[call] = error

    found = findings(azure, TWO)

    for tenant_id in ("tenant-0", "tenant-1"):
        mine = [(each.code, each.severity) for each in found if each.tenant == tenant_id]
        assert ("region_not_covered", Severity.FAULT) in mine
        assert ("not_seen", Severity.UNSEEN) in mine
        assert {code for code, _ in mine} == {"region_not_covered", "not_seen"}


def test_of_a_workspace_that_cannot_be_reached_nothing_else_is_asked() -> None:
    azure = FakeSurroundings(ONE)
    azure.failing["workspace"] = Unavailable("no answer")

    found = findings(azure, ONE)

    assert [(each.code, each.tenant) for each in found] == [("not_seen", "tenant-0")]
    assert {call for call, _ in azure.looked_up} == {"workspace", "registry", "role_assignments", "role"}


def test_a_registry_that_is_not_there_is_the_providers_to_mend() -> None:
    azure = FakeSurroundings(TWO)
    azure.failing["registry"] = Permanent("registry_not_found", "no such registry", Owner.PROVIDER, "")

    assert ("registry_not_found", None) in [(each.code, each.tenant) for each in findings(azure, TWO)]


def test_storage_without_a_secret_takes_roles_for_its_bytes() -> None:
    azure = FakeSurroundings(ONE)
    azure.roles = {"/roles/owner-of-all-but-bytes": Permission(actions=("*",))}
    assert findings(azure, ONE) == []

    azure.datastore_has_secret = False

    found = findings(azure, ONE)
    assert [each.command.partition("--role ")[2] for each in found] == [
        f"'Storage Blob Data Contributor' --scope {tenant(0).workspaces[0]}/storage/blobServices/default/containers/container",
        f"'Storage Blob Data Reader' --scope {tenant(0).workspaces[0]}/storage",
    ]


def test_what_many_have_in_common_is_looked_up_once() -> None:
    rules = rules_of(40)
    azure = FakeSurroundings(rules)

    assert findings(azure, rules) == []

    assert azure.times("workspace") == azure.times("core_usages") == 40
    assert (azure.times("registry"), azure.times("role")) == (1, 1)


def test_workspaces_of_one_azure_subscription_share_its_quota_and_its_topics() -> None:
    one = replace(tenant(0), id="one")
    other_workspace = WorkspaceId("s0", "rg", "loans")
    other = replace(one, id="other", workspaces=(other_workspace,), subscriptions=())
    rules = Rules(PROVIDER, {each.id: each for each in (one, other)}, 1)
    azure = FakeSurroundings(rules)

    assert findings(azure, rules) == []

    assert (azure.times("core_usages"), azure.times("system_topics")) == (1, 1)
