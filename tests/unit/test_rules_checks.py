"""What is found in rules before they are applied: regions, short names, limits, patterns that match nothing."""

from pathlib import Path

import pytest
from hypothesis import given, settings

from shared.assets import Kind, WorkspaceId
from shared.matching import matches
from shared.planning import SharedAsset, plan
from shared.rules import Limits, Rules
from shared.rules_file import read_tenant
from shared.rules_match_checks import check_matches
from shared.tenants import AssetPattern, RuleState
from tests.unit import random_rules
from tests.unit.rules_folder import RulesFolder, arm_id

NORTHWIND, FABRIKAM = "tenants/northwind.yaml", "tenants/fabrikam.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> RulesFolder:
    return RulesFolder(tmp_path)


def test_given_rules_that_are_right_when_read_then_there_is_nothing_to_warn_of(folder: RulesFolder) -> None:
    assert folder.warnings() == []


def test_given_all_that_is_new_when_read_then_every_field_counts(folder: RulesFolder) -> None:
    folder.change("provider.yaml", ("max_instances: 4", "max_instances: 4, registries: [contoso-hub], kinds: [model, data]"))
    folder.change("provider.yaml", ('contoso-hub, readers: "*"', 'contoso-hub, readers: "*", regions: [westeurope, eastus2]'))
    folder.change(NORTHWIND, ("- name: cards", "- name: cards\n    state: paused"))
    folder.change(NORTHWIND, ('name: "credit-*"', 'name: "{credit,debit}-*", except: ["*-draft", "*-{old,test}"]'))
    folder.change(NORTHWIND, (f"- {arm_id('W/cards')}", f"- {{id: {arm_id('W/cards')}, region: westeurope}}"))

    rules = folder.rules()
    northwind = rules.tenants["northwind"]

    assert rules.provider.limits == Limits(("Standard_DS3_v2",), 4, ("contoso-hub",), (Kind.MODEL, Kind.DATA))
    assert rules.provider.registries[0].regions == ("westeurope", "eastus2")
    assert northwind.regions == {WorkspaceId.parse(arm_id("W/cards")): "westeurope"}
    assert northwind.publications[0].state is RuleState.PAUSED
    assert northwind.publications[0].assets == (AssetPattern(Kind.MODEL, "{credit,debit}-*", ("*-draft", "*-{old,test}")),)


# ---- workspaces by name


def test_given_workspaces_by_name_when_read_then_they_are_the_tenant_s_own(folder: RulesFolder) -> None:
    folder.change(NORTHWIND, ("registry: contoso-hub", "registry: contoso-hub\n    workspaces: [CARDS]"))

    tenants = folder.rules().tenants

    assert tenants["fabrikam"].subscriptions[0].into == WorkspaceId.parse(arm_id("W/live"))
    assert tenants["northwind"].publications[0].workspaces == (WorkspaceId.parse(arm_id("W/cards")),)


def test_given_a_name_that_two_workspaces_have_when_read_then_both_are_named(folder: RulesFolder) -> None:
    folder.change(FABRIKAM, (f"- {arm_id('W/test')}", "- V/live"))

    (problem,) = folder.problems()

    assert problem.startswith("tenants/fabrikam.yaml:9: subscriptions[0].into: 2 of the tenant's workspaces are named 'live'")
    assert arm_id("W/live") in problem
    assert arm_id("V/live") in problem


def test_given_a_name_that_no_workspace_has_when_read_then_those_there_are_are_named(folder: RulesFolder) -> None:
    folder.change(FABRIKAM, ("into: live", "into: cards"))

    (problem,) = folder.problems()

    assert "9: subscriptions[0].into: 'cards' is not one of the tenant's workspaces" in problem
    assert "name one of them (live, test)" in problem


def test_given_what_is_no_name_when_read_then_it_is_refused(folder: RulesFolder) -> None:
    folder.change(FABRIKAM, ("into: live", 'into: "live, test"'))

    (problem,) = folder.problems()

    assert "subscriptions[0].into: 'live, test' is not the name of a workspace" in problem


# ---- patterns


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ('"{credit,debit"', "has a brace without its other half"),
        ('"{a,{b,c}}"', "has braces within braces"),
        ('"credit,debit"', "has a comma outside of braces"),
        ('"{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"', "stands for 128 patterns"),
    ],
)
def test_given_braces_that_mean_nothing_when_read_then_they_are_refused(folder: RulesFolder, name: str, what: str) -> None:
    folder.change(NORTHWIND, ('"credit-*"', name))

    (problem,) = folder.problems()

    assert problem.startswith("tenants/northwind.yaml:7: publications[0].assets[0].name: ")
    assert what in problem


@pytest.mark.parametrize("excepted", ['"*"', '"credit-*"', '"c*"', '[credit-card-a*, "credit-{,?*}"]'])
def test_given_a_pattern_that_excepts_all_of_it_when_read_then_it_is_refused(folder: RulesFolder, excepted: str) -> None:
    folder.change(NORTHWIND, ('"credit-*"}', f'"credit-*", except: {excepted}}}'))

    (problem,) = folder.problems()

    assert problem.startswith("tenants/northwind.yaml:7: publications[0].assets[0].except: it excepts every name")


def test_given_a_subscription_that_excepts_all_of_it_when_read_then_it_is_refused(folder: RulesFolder) -> None:
    folder.change(FABRIKAM, ('"credit-card-*"}', '"credit-card-*", except: "credit-*"}'))

    (problem,) = folder.problems()

    assert problem.startswith("tenants/fabrikam.yaml:8: subscriptions[0].assets[0].except: ")


def test_given_an_empty_list_of_values_when_read_then_it_is_refused(folder: RulesFolder) -> None:
    folder.change(NORTHWIND, ('"credit-*"}', '"credit-*", tags: {stage: []}}'))

    (problem,) = folder.problems()

    assert "publications[0].assets[0].tags.stage: is empty" in problem


def test_given_a_rename_of_names_in_braces_when_read_then_each_counts(folder: RulesFolder) -> None:
    folder.change(NORTHWIND, ('"credit-*"', '"{credit,debit}"'), ('to: ["*"]', 'to: ["*"]\n    as: cards'))

    (problem,) = folder.problems()

    assert "publications[0].as: several assets of kind model would get one and the same name" in problem


# ---- what nothing can match: a warning, for the other tenant may yet publish it

PUBLISHED = 'name: "credit-*"}]\n    to: ["*"]'
UNMATCHED = {
    "another name": (('"credit-*"', '"debit-*"'), "none of northwind publishes any model that 'credit-card-*' stands for"),
    "another kind": (("kind: model", "kind: data"), "none of northwind publishes any model"),
    "excepted there": (('"credit-*"}', '"credit-*", except: "credit-card*"}'), "none of northwind publishes any model"),
    "renamed": (('to: ["*"]', 'to: ["*"]\n    as: "{tenant}-{name}"'), "mind the name that `as` gives it there"),
    "other tags": (('"credit-*"}', '"credit-*", tags: {stage: [test, draft]}}'), "none of northwind publishes any model"),
    "not for it": (('to: ["*"]', "to: [northwind]\n    advisory: true"), "publication cards of northwind is not for fabrikam"),
}


@pytest.mark.parametrize(("change", "what"), UNMATCHED.values(), ids=UNMATCHED.keys())
def test_given_a_subscription_that_nothing_can_match_when_read_then_it_is_warned_of(
    folder: RulesFolder, change: tuple[str, str], what: str
) -> None:
    folder.change(FABRIKAM, ('"credit-card-*"}', '"credit-card-*", tags: {stage: production}}'))
    folder.change(NORTHWIND, change)

    (warning,) = folder.warnings()

    assert warning.startswith("tenants/fabrikam.yaml:8: subscriptions[0].assets[0]: ")
    assert what in warning


@pytest.mark.parametrize(
    ("published", "wanted"),
    [
        (('"credit-*"', '"*-card-*"'), ('"credit-card-*"', '"credit-*"')),
        (('to: ["*"]', 'to: [banks]\n    advisory: true\n    as: "{tenant}-{name}"'), ('"credit-card-*"', '"northwind-*-eu"')),
        (('"credit-*"', '"{debit,credit}-*"'), ("[northwind]", "[banks]")),
        (
            ('"credit-*"}', '"credit-*", tags: {stage: [test, production]}}'),
            ('*"}', '*", tags: {stage: [production], area: present}}'),
        ),
    ],
)
def test_given_names_and_tags_that_meet_somewhere_when_read_then_nothing_is_warned_of(
    folder: RulesFolder, published: tuple[str, str], wanted: tuple[str, str]
) -> None:
    folder.change(NORTHWIND, published)
    folder.change(FABRIKAM, wanted)

    assert folder.warnings() == []


def test_given_a_publisher_that_has_not_joined_its_group_yet_when_read_then_it_is_warned_of(folder: RulesFolder) -> None:
    folder.change("provider.yaml", ("{banks: [fabrikam, northwind]}", "{banks: []}"))
    folder.change(FABRIKAM, ("[northwind]", "[banks]"))

    (warning,) = folder.warnings()

    assert "none of banks publishes any model that 'credit-card-*' stands for" in warning


def test_given_a_publication_through_a_registry_that_one_cannot_read_when_read_then_it_is_warned_of(folder: RulesFolder) -> None:
    folder.change("provider.yaml", ('contoso-hub, readers: "*"', "contoso-hub, readers: [northwind]"))

    (warning,) = folder.warnings()

    assert "goes through registry contoso-hub, of which fabrikam is no reader" in warning


@settings(deadline=None)
@given(random_rules.shared_assets, random_rules.the_rules)
def test_whatever_is_planned_was_never_said_to_be_impossible(shared: SharedAsset, rules: Rules) -> None:
    files = {f"{tenant.id}.yaml": tenant for tenant in rules.tenants.values()}
    warned = {(finding.file, finding.path) for finding in check_matches(files, rules.provider, files.keys())}

    for decision in (decision for decision in plan(shared, rules) if decision.allowed):
        subscriptions = rules.tenants[decision.tenant].subscriptions
        (place,) = [place for place, each in enumerate(subscriptions) if each.name == decision.subscription]
        for at, pattern in enumerate(subscriptions[place].assets):
            if matches(pattern, shared.asset.kind, shared.asset.name, shared.tags):
                assert (f"{decision.tenant}.yaml", ("subscriptions", place, "assets", at)) not in warned


# ---- the provider's limits


def test_given_limits_on_registries_when_a_subscription_takes_only_from_others_then_it_is_warned_of(folder: RulesFolder) -> None:
    folder.change("provider.yaml", ("max_instances: 4", "max_instances: 4, registries: [contoso-eu]"))

    (warning,) = folder.warnings()

    assert "the provider's limits leave out registry contoso-hub" in warning


def test_given_limits_on_kinds_when_a_subscription_wants_another_then_it_is_refused(folder: RulesFolder) -> None:
    folder.change("provider.yaml", ("max_instances: 4", "max_instances: 4, kinds: [data, environment]"))

    (problem,) = folder.problems()

    what = "the provider's limits leave out assets of kind model"
    assert problem.startswith(f"tenants/fabrikam.yaml:8: subscriptions[0].assets[0].kind: {what}")


@pytest.mark.parametrize(
    ("limits", "where"),
    [
        ("registries: [contoso-inner]", "provider.yaml:4: limits.registries[0]: there is no registry 'contoso-inner'"),
        ("kinds: [models]", "provider.yaml:4: limits.kinds[0]: 'models' cannot stand here"),
    ],
)
def test_given_limits_that_name_nothing_when_read_then_they_are_refused(folder: RulesFolder, limits: str, where: str) -> None:
    folder.change("provider.yaml", ("max_instances: 4", f"max_instances: 4, {limits}"))

    (problem,) = folder.problems()

    assert problem.startswith(where)


# ---- regions


def place(folder: RulesFolder, file: str, workspace: str, region: str) -> None:
    folder.change(file, (f"- {arm_id(workspace)}", f"- {{id: {arm_id(workspace)}, region: {region}}}"))


@pytest.fixture
def european(folder: RulesFolder) -> RulesFolder:
    """Registry contoso-hub covers westeurope and northeurope."""
    folder.change("provider.yaml", ('contoso-hub, readers: "*"', 'contoso-hub, readers: "*", regions: [westeurope, northeurope]'))
    return folder


def test_given_a_subscription_into_a_region_that_the_registry_does_not_cover_when_read_then_it_is_refused(
    european: RulesFolder,
) -> None:
    place(european, FABRIKAM, "W/live", "eastus2")

    (problem,) = european.problems()

    assert problem.startswith(
        "tenants/fabrikam.yaml:9: subscriptions[0].into: workspace live is in eastus2, and publication cards of"
    )
    assert "covers westeurope, northeurope" in problem


def test_given_something_else_that_can_come_when_read_then_a_region_that_is_not_covered_is_warned_of(european: RulesFolder) -> None:
    place(european, FABRIKAM, "W/live", "eastus2")
    another = '- {name: all, registry: contoso-eu, to: ["*"], assets: [{kind: model, name: "*"}]}\n  - name: cards'
    european.change(NORTHWIND, ("- name: cards", another))

    (warning,) = european.warnings()

    assert warning.startswith("tenants/fabrikam.yaml:9: subscriptions[0].into: workspace live is in eastus2")


def test_given_regions_that_are_covered_or_not_stated_when_read_then_they_are_accepted(european: RulesFolder) -> None:
    place(european, FABRIKAM, "W/live", "northeurope")

    assert european.warnings() == []


@pytest.mark.parametrize(
    ("named", "where"),
    [("", "publications[0].registry: "), ("\n    workspaces: [cards]", "publications[0].workspaces[0]: ")],
)
def test_given_a_publication_from_a_region_that_the_registry_does_not_cover_when_read_then_it_is_refused(
    european: RulesFolder, named: str, where: str
) -> None:
    european.change(NORTHWIND, ("registry: contoso-hub", f"registry: contoso-hub{named}"))
    place(european, NORTHWIND, "W/cards", "eastus2")

    (problem,) = european.problems()

    assert f"{where}workspace cards is in eastus2, and registry contoso-hub covers westeurope, northeurope" in problem


def test_given_a_publication_that_forbids_a_region_of_its_registry_when_read_then_it_is_refused(european: RulesFolder) -> None:
    european.change(NORTHWIND, ("registry: contoso-hub", "registry: contoso-hub\n    regions: [westeurope]"))

    (problem,) = european.problems()

    assert "publications[0].regions: registry contoso-hub replicates to northeurope too" in problem


# ---- one tenant's file, beside the rules in force


def test_given_a_new_tenant_s_file_when_read_alone_then_it_is_held_to_the_rules_in_force(folder: RulesFolder) -> None:
    in_force = folder.rules()
    folder.write("tailwind.yaml", "id: tailwind\nworkspaces: [W/new]\n")

    read = read_tenant(folder.root / "tailwind.yaml", "tailwind", in_force)

    assert [tenant.id for tenant in read.tenants] == ["tailwind"]


MISTAKEN = {
    "another's file": ("id: fabrikam\nworkspaces: [W/new]", "1: id: these are the rules of fabrikam, and not of tailwind"),
    "another's workspace": ("id: tailwind\nworkspaces: [W/test]", "2: workspaces[0]: test stands in the rules of fabrikam already"),
    "a group's name": ("id: banks\nworkspaces: [W/new]", "1: id: 'banks' is a group too"),
    "another Entra tenant": ("id: tailwind\nentra_tenant: 0-1\nworkspaces: [W/new]", "2: entra_tenant: Azure ML cannot share"),
    "a form that is wrong": ("id: tailwind\nworkspace: [W/new]", "2: workspace: is no field here"),
    "a name that is wrong": (
        "id: tailwind\nworkspaces: [W/new]\nsubscriptions:\n"
        "  - {name: a, from: ['*'], assets: [{kind: data, name: a}], into: b00, actions: [register]}",
        "4: subscriptions[0].into: 'b00' is not one of the tenant's workspaces",
    ),
    "who is not there": (
        "id: tailwind\nworkspaces: [W/new]\npublications:\n"
        "  - {name: a, registry: contoso-hub, assets: [{kind: data, name: a}], to: [adventure], advisory: true}",
        "4: publications[0].to[0]: there is no tenant or group 'adventure'",
    ),
}


@pytest.mark.parametrize(("text", "where"), MISTAKEN.values(), ids=MISTAKEN.keys())
def test_given_a_mistake_in_a_tenant_s_file_when_read_alone_then_it_is_told(folder: RulesFolder, text: str, where: str) -> None:
    in_force = folder.rules()
    folder.write("tailwind.yaml", text)

    assert any(
        problem.startswith(f"tailwind.yaml:{where}") for problem in folder.problems_of("tailwind.yaml", "tailwind", in_force)
    )


def test_given_others_rules_that_no_longer_work_when_a_tenant_s_file_is_read_then_it_is_not_blamed(folder: RulesFolder) -> None:
    in_force = folder.rules()
    folder.change(NORTHWIND, ('"credit-*"', '"debit-*"'))

    assert read_tenant(folder.root / NORTHWIND, "northwind", in_force).warnings == ()
