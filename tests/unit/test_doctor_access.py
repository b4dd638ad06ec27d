"""What the roles of the app's identity allow, whatever they are called and wherever they were assigned."""

from dataclasses import replace

import pytest

from shared.actions import AuthMode
from shared.assets import Kind
from shared.doctor.access import check_access, reaches
from shared.doctor.findings import Severity
from shared.doctor.needs import WorkspaceNeeds
from shared.doctor.operations import BLOB_READS, DATA_SCIENTIST, REGISTRY_READS, REGISTRY_WRITES, Access
from shared.doctor.seen import Permission, RoleAssignment
from tests.unit.doctor_world import BY_NIGHT, CARDS, NEEDS, SERVING, need

ML = "Microsoft.MachineLearningServices"
SCIENTIST = Permission(
    actions=tuple(f"{ML}/workspaces/*/{verb}" for verb in ("read", "action", "delete", "write")),
    not_actions=(f"{ML}/workspaces/delete", f"{ML}/workspaces/write", f"{ML}/workspaces/computes/*/write"),
)
ALL_NEEDS = replace(
    NEEDS,
    shares=frozenset(Kind),
    registers=frozenset(Kind),
    copies=True,
    endpoints=(need(replace(SERVING, sample_request="{}")), need(BY_NIGHT)),
)
SCOPE = str(CARDS)


def missing(needs: WorkspaceNeeds, *granted: Permission) -> bool:
    access = Access(SCOPE, DATA_SCIENTIST, "", needs.actions)
    return bool(list(check_access(access, granted, "p")))


def test_what_only_a_conditional_assignment_allows_is_warned_of() -> None:
    access = Access(SCOPE, DATA_SCIENTIST, "", ALL_NEEDS.actions)
    (found,) = check_access(access, (), "p", [SCIENTIST])
    assert (found.code, found.severity) == ("role_conditional", Severity.WARNING)
    assert list(check_access(access, [SCIENTIST], "p", [SCIENTIST])) == []


def test_the_least_role_of_the_table_is_enough_for_all_that_rules_can_ask_for() -> None:
    assert not missing(ALL_NEEDS, SCIENTIST)


@pytest.mark.parametrize(
    "granted",
    [
        [Permission(actions=("*",), not_actions=("Microsoft.Authorization/*/Write",))],
        [Permission(actions=(f"{ML.lower()}/workspaces/*",))],
        [Permission(actions=("*/read", "*/action")), Permission(actions=("*/write", "*/delete"))],
        [Permission(actions=("*",), not_actions=(f"{ML}/workspaces/*",)), SCIENTIST],
    ],
    ids=["a broader one", "a custom one, in another case", "two together", "one grants what another leaves out"],
)
def test_a_role_of_another_name_counts_by_what_it_allows(granted: list[Permission]) -> None:
    assert not missing(ALL_NEEDS, *granted)


@pytest.mark.parametrize(
    "granted",
    [
        [],
        [Permission(actions=("*/read",))],
        [Permission(actions=("*",), not_actions=(f"{ML}/workspaces/models/versions/write",))],
        [Permission(data_actions=("*",))],
        [Permission(actions=(f"{ML}/workspaces/models/*",))],
    ],
    ids=["none", "Reader", "one operation left out", "data actions", "models alone"],
)
def test_what_no_role_allows_is_missed(granted: list[Permission]) -> None:
    assert missing(ALL_NEEDS, *granted)


def test_a_missing_role_is_named_with_the_operations_and_the_command() -> None:
    access = Access(SCOPE, DATA_SCIENTIST, "nothing is shared", NEEDS.actions)
    (finding,) = check_access(access, [Permission(actions=("*/read",))], "11111111-2222-3333-4444-555555555555")
    assert "models/versions/write on cards" in finding.what
    assert finding.command == (
        "az role assignment create --assignee-object-id 11111111-2222-3333-4444-555555555555 "
        f"--assignee-principal-type ServicePrincipal --role 'AzureML Data Scientist' --scope {SCOPE}"
    )


def test_reader_reads_a_registry_and_does_not_write_it() -> None:
    reader = [Permission(actions=("*/read",))]
    assert not list(check_access(Access(SCOPE, "", "", REGISTRY_READS), reader, "p"))
    assert list(check_access(Access(SCOPE, "", "", REGISTRY_WRITES), reader, "p"))


def test_bytes_take_data_actions() -> None:
    access = Access(SCOPE, "", "", data_actions=BLOB_READS)
    assert list(check_access(access, [Permission(actions=("*",))], "p"))
    assert not list(check_access(access, [Permission(data_actions=("Microsoft.Storage/*/read",))], "p"))


@pytest.mark.parametrize("mode", list(AuthMode))
def test_trying_out_a_deployment_takes_the_way_in_that_its_endpoint_has(mode: AuthMode) -> None:
    plain = replace(NEEDS, endpoints=(need(replace(SERVING, auth_mode=mode)),))
    tried = replace(NEEDS, endpoints=(need(replace(SERVING, auth_mode=mode, sample_request="{}")),))
    assert len(tried.actions - plain.actions) == 1


@pytest.mark.parametrize(
    ("made_at", "expected"),
    [
        (SCOPE, True),
        (SCOPE.upper(), True),
        ("/subscriptions/s1/resourceGroups/rg-cards", True),
        ("/subscriptions/s1", True),
        ("/", True),
        ("/providers/Microsoft.Management/managementGroups/contoso", True),
        (f"{SCOPE}/onlineEndpoints/cards", False),
        ("/subscriptions/s1/resourceGroups/rg", False),
        ("/subscriptions/s2", False),
    ],
)
def test_roles_are_inherited_from_above(made_at: str, expected: bool) -> None:
    assert reaches(RoleAssignment("role", made_at, "id", "principal"), SCOPE) is expected
