"""Rules that cannot work, as the issue lists them: each names file, line, path and remedy, in a folder and in one tenant's file."""

from pathlib import Path

import pytest

from tests.unit.rules_folder import RulesFolder, arm_id

PROVIDER, NORTHWIND, FABRIKAM = "provider.yaml", "tenants/northwind.yaml", "tenants/fabrikam.yaml"
CARDS, LIVE, TEST, OTHER_LIVE = map(arm_id, ("W/cards", "W/live", "W/test", "V/live"))
HUB = 'contoso-hub, readers: "*"'
ENDPOINT = "{online_endpoint: {name: cards, instance_type: Standard_DS3_v2, instance_count: 2}}"

type Changes = tuple[tuple[str, str, str], ...]

CANNOT_WORK: dict[str, tuple[Changes, str]] = {
    # what it is: (the changes: file, old, new), what is told
    "a workspace in two tenants": (
        ((NORTHWIND, CARDS, LIVE),),
        "tenants/northwind.yaml:3: workspaces[0]: live stands in tenants/fabrikam.yaml already. "
        "Remedy: a workspace belongs to one tenant: remove it here or there.",
    ),
    "an ambiguous workspace": (
        ((FABRIKAM, TEST, OTHER_LIVE),),
        "tenants/fabrikam.yaml:9: subscriptions[0].into: 2 of the tenant's workspaces are named 'live'. "
        f"Remedy: write which one is meant: {LIVE} or {OTHER_LIVE}.",
    ),
    "an unknown workspace": (
        ((FABRIKAM, "into: live", "into: production"),),
        "tenants/fabrikam.yaml:9: subscriptions[0].into: 'production' is not one of the tenant's workspaces. "
        "Remedy: name one of them (live, test), or add it to the tenant's workspaces.",
    ),
    "an unknown workspace by its id": (
        ((FABRIKAM, "into: live", f"into: {CARDS}"),),
        f"tenants/fabrikam.yaml:9: subscriptions[0].into: {CARDS} is not one of fabrikam's workspaces. "
        "Remedy: name one of them, or add it to them.",
    ),
    "a pattern that can match nothing": (
        ((FABRIKAM, '"credit-card-*"}', '"credit-card-*", except: ["credit-*"]}'),),
        "tenants/fabrikam.yaml:8: subscriptions[0].assets[0].except: it excepts every name that 'credit-card-*' stands for, "
        "so nothing is left. Remedy: except less, or remove the whole pattern.",
    ),
    "a region that the registry does not cover, of the subscriber": (
        ((PROVIDER, HUB, f"{HUB}, regions: [westeurope]"), (FABRIKAM, f"- {LIVE}", f"- {{id: {LIVE}, region: eastus2}}")),
        "tenants/fabrikam.yaml:9: subscriptions[0].into: workspace live is in eastus2, and publication cards of northwind goes "
        "through a registry that covers westeurope. "
        "Remedy: lead it into a workspace in one of these regions, or have the provider add the region to the registry.",
    ),
    "a region that the registry does not cover, of the publisher": (
        ((PROVIDER, HUB, f"{HUB}, regions: [westeurope]"), (NORTHWIND, f"- {CARDS}", f"- {{id: {CARDS}, region: eastus2}}")),
        "tenants/northwind.yaml:6: publications[0].registry: workspace cards is in eastus2, and registry contoso-hub covers "
        "westeurope. Remedy: list under `workspaces` those that it covers, or have the provider add the region to the registry.",
    ),
    "a region that a publication forbids": (
        ((PROVIDER, HUB, f"{HUB}, regions: [westeurope, eastus2]"), (NORTHWIND, "hub\n", "hub\n    regions: [westeurope]\n")),
        "tenants/northwind.yaml:7: publications[0].regions: registry contoso-hub replicates to eastus2 too, so that nothing would "
        "be shared. Remedy: publish through a registry that stays within these regions, or add the others to them.",
    ),
    "a publication narrower than the registry's readers": (
        ((NORTHWIND, 'to: ["*"]', "to: [fabrikam]"),),
        "tenants/northwind.yaml:8: publications[0].to: more tenants can read registry contoso-hub in Azure than `to` names. "
        "Remedy: publish through a registry with fewer readers, or write `advisory: true` to accept it.",
    ),
    "another Entra tenant": (
        ((PROVIDER, "registries:", "entra_tenant: 1-1\nregistries:"), (NORTHWIND, "workspaces:", "entra_tenant: 2-2\nworkspaces:")),
        "tenants/northwind.yaml:2: entra_tenant: Azure ML cannot share between workspaces and registries of different Entra "
        "tenants. Remedy: move the workspaces to the provider's Entra tenant (1-1), or leave this tenant out.",
    ),
    "an endpoint action on a kind that is no model": (
        ((FABRIKAM, "[register]", f"[{ENDPOINT}]"), (FABRIKAM, "kind: model", "kind: data")),
        "tenants/fabrikam.yaml:10: subscriptions[0].actions[0].online_endpoint: only models can be deployed, and the "
        "subscription's assets have kind data. Remedy: move them into a subscription without this action.",
    ),
    "a batch endpoint on a kind that is no model": (
        (
            (FABRIKAM, "[register]", "[{batch_endpoint: {name: cards, compute: cpu}}]"),
            (FABRIKAM, "[{kind: model, ", "[{kind: environment, name: env}, {kind: model, "),
        ),
        "tenants/fabrikam.yaml:10: subscriptions[0].actions[0].batch_endpoint: only models can be deployed, and the "
        "subscription's assets have kind environment. Remedy: move them into a subscription without this action.",
    ),
    "an instance type beyond the limits": (
        ((PROVIDER, "Standard_DS3_v2", "Standard_F4s_v2"), (FABRIKAM, "[register]", f"[{ENDPOINT}]")),
        "tenants/fabrikam.yaml:10: subscriptions[0].actions[0].online_endpoint.instance_type: instance type Standard_DS3_v2 is "
        "not one that the provider allows (Standard_F4s_v2). "
        "Remedy: stay within provider.yaml's limits, or have the provider raise them.",
    ),
    "more instances than the limits": (
        ((PROVIDER, "max_instances: 4", "max_instances: 1"), (FABRIKAM, "[register]", f"[{ENDPOINT}]")),
        "tenants/fabrikam.yaml:10: subscriptions[0].actions[0].online_endpoint.instance_count: 2 instances are more than the "
        "provider allows (1). Remedy: stay within provider.yaml's limits, or have the provider raise them.",
    ),
    "more instances for a batch endpoint than the limits": (
        (
            (PROVIDER, "max_instances: 4", "max_instances: 1"),
            (FABRIKAM, "[register]", "[{batch_endpoint: {name: cards, compute: cpu, instance_count: 2}}]"),
        ),
        "tenants/fabrikam.yaml:10: subscriptions[0].actions[0].batch_endpoint.instance_count: 2 instances are more than the "
        "provider allows (1). Remedy: stay within provider.yaml's limits, or have the provider raise them.",
    ),
    "a kind beyond the limits": (
        ((PROVIDER, "max_instances: 4", "max_instances: 4, kinds: [data]"),),
        "tenants/fabrikam.yaml:8: subscriptions[0].assets[0].kind: the provider's limits leave out assets of kind model. "
        "Remedy: remove the pattern, or have the provider raise its limits.",
    ),
}

MAY_WORK_LATER: dict[str, tuple[Changes, str]] = {
    "a pattern that nothing published fits": (
        ((FABRIKAM, "credit-card-*", "debit-card-*"),),
        "tenants/fabrikam.yaml:8: subscriptions[0].assets[0]: none of northwind publishes any model that 'debit-card-*' stands "
        "for in the registry. Remedy: mind the name that `as` gives it there, the exceptions and the tags; until one is "
        "published, nothing comes.",
    ),
    "a registry beyond the limits": (
        ((PROVIDER, "max_instances: 4", "max_instances: 4, registries: [contoso-eu]"),),
        "tenants/fabrikam.yaml:8: subscriptions[0].assets[0]: nothing can come by it: the provider's limits leave out registry "
        "contoso-hub. Remedy: until that changes, nothing comes.",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> RulesFolder:
    return RulesFolder(tmp_path)


def change(folder: RulesFolder, changes: Changes) -> None:
    for file, old, new in changes:
        folder.change(file, (old, new))


@pytest.mark.parametrize(("changes", "told"), CANNOT_WORK.values(), ids=CANNOT_WORK.keys())
def test_given_what_cannot_work_when_a_folder_is_read_then_that_alone_is_told(
    folder: RulesFolder, changes: Changes, told: str
) -> None:
    change(folder, changes)

    assert folder.problems() == [told]


@pytest.mark.parametrize(("changes", "told"), CANNOT_WORK.values(), ids=CANNOT_WORK.keys())
def test_given_what_cannot_work_when_a_tenant_s_file_is_read_then_it_is_held_to_the_rules_in_force(
    folder: RulesFolder, changes: Changes, told: str
) -> None:
    """The provider's changes are in force; the tenant's own stand in its file."""
    file = told.partition(":")[0]
    before = {each: (folder.root / each).read_text(encoding="utf-8") for each in (NORTHWIND, FABRIKAM)}
    change(folder, changes)
    wrong = (folder.root / file).read_text(encoding="utf-8")
    for each, text in before.items():
        (folder.root / each).write_text(text, encoding="utf-8")
    if "kinds: [data]" in (folder.root / PROVIDER).read_text(encoding="utf-8"):
        folder.change(FABRIKAM, ("kind: model", "kind: data"))
    in_force = folder.rules()
    (folder.root / file).write_text(wrong, encoding="utf-8")

    told_alone = folder.problems_of(file, Path(file).stem, in_force)

    assert told_alone == [told.replace("stands in tenants/fabrikam.yaml", "stands in the rules of fabrikam")]


@pytest.mark.parametrize(("changes", "told"), MAY_WORK_LATER.values(), ids=MAY_WORK_LATER.keys())
def test_given_what_may_work_later_when_a_folder_is_read_then_it_is_warned_of(
    folder: RulesFolder, changes: Changes, told: str
) -> None:
    change(folder, changes)

    assert folder.warnings() == [told]
