"""The commands about rules, as a provider runs them against a real table service: what they print and how they exit."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableClient
from typer.testing import CliRunner, Result

from handlers.cli.all_commands import app
from shared import bootstrap
from shared.azure.rules_rows import Head
from shared.azure.rules_table import RulesTable
from shared.rules import Rules
from shared.rules_file import read_folder
from shared.tenants import RuleState, TenantState
from tests.contract.table_service import ROOT, table_service

DEMO_RULES = ROOT / "infra/local/demo/rules"
CONTOSO = """\
id: contoso
workspaces: [/subscriptions/1/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/contoso-ml]
subscriptions:
  - {name: bert, from: [tailwind], assets: [{kind: model, name: "bert-*"}], into: contoso-ml, actions: [register]}
"""


@dataclass(frozen=True)
class Provider:
    """Someone with the app's settings, and a folder to write in. The demo's rules are in force."""

    connection_string: str
    folder: Path

    def fanout(self, *arguments: str | Path, exits: int = 0) -> Result:
        """In this process, which costs a tenth of the time of one of its own; see test_apply_command for that."""
        settings = {
            "Tables": self.connection_string,
            "ServiceBus": "Endpoint=sb://localhost/;SharedAccessKeyName=a;SharedAccessKey=b",
            "COLUMNS": "200",
        }
        ended = CliRunner().invoke(app, list(map(str, arguments)), env=settings, prog_name="fanout")
        assert ended.exit_code == exits, ended.output
        return ended

    def json(self, *arguments: str) -> Any:
        return json.loads(self.fanout(*arguments, "--json").stdout)

    def table(self) -> TableClient:
        return TableClient.from_connection_string(self.connection_string, "tenants")

    def rules(self) -> Rules:
        with self.table() as table:
            return RulesTable(table).load()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture(scope="module")
def connection_string() -> Iterator[str]:
    with table_service() as found, TableClient.from_connection_string(found, "tenants") as table:
        table.create_table()
        yield found


@pytest.fixture
def provider(connection_string: str, tmp_path: Path) -> Provider:
    bootstrap.fanout.cache_clear()  # each process has its own settings, and here are several providers in one
    provider = Provider(connection_string, tmp_path)
    with provider.table() as table:
        for row in list(table.list_entities(select=["PartitionKey", "RowKey"])):
            table.delete_entity(row)
        demo = read_folder(DEMO_RULES)
        RulesTable(table).apply(demo.provider, demo.tenants, by="ada")
    return provider


# ---- one tenant's file


def test_given_a_new_tenant_s_file_when_applied_then_it_joins_and_the_others_stay(provider: Provider) -> None:
    before = provider.rules()
    file = provider.write("contoso.yaml", CONTOSO)

    shown = provider.fanout("apply", "--tenant", "contoso", file, "--dry-run")
    applied = provider.fanout("apply", "--tenant", "contoso", file, "--by", "grace")
    again = provider.fanout("apply", "--tenant", "contoso", file)

    added = "+ tenant contoso: workspace contoso-ml added, subscription bert added\n"
    assert shown.stdout == added + "Dry run: nothing was changed.\n"
    assert applied.stdout == added + "Revision 2 is in force.\n"
    assert again.stdout == "Nothing changes.\nRevision 2 is in force.\n"
    assert {name: tenant for name, tenant in provider.rules().tenants.items() if name != "contoso"} == before.tenants


def test_given_a_tenant_s_file_that_takes_another_s_workspace_when_applied_then_it_is_refused(provider: Provider) -> None:
    taken = (DEMO_RULES / "tenants/fabrikam.yaml").read_text(encoding="utf-8").replace("id: fabrikam", "id: contoso")
    before = provider.rules()

    refused = provider.fanout("apply", "--tenant", "contoso", provider.write("contoso.yaml", taken), exits=2)

    assert (
        f"{provider.folder}/contoso.yaml:5: workspaces[0]: workspace2 stands in the rules of fabrikam already. Remedy: "
        in refused.stderr
    )
    assert provider.rules() == before


def test_given_another_apply_at_work_when_a_tenant_s_file_is_applied_then_the_exit_code_is_3(provider: Provider) -> None:
    claimed = Head(1, 2, "grace", datetime.now(UTC) + timedelta(minutes=1))
    with provider.table() as table:
        table.upsert_entity(claimed.to_entity())

    lost = provider.fanout("apply", "--tenant", "contoso", provider.write("contoso.yaml", CONTOSO), exits=3)

    assert lost.stderr.startswith("Not applied: grace is applying rules now; try again")


def test_given_a_subscription_that_nobody_publishes_to_yet_when_applied_then_it_is_in_force_with_a_warning(
    provider: Provider,
) -> None:
    folder = shutil.copytree(DEMO_RULES, provider.folder / "rules")
    (folder / "tenants/contoso.yaml").write_text(CONTOSO.replace("bert-*", "gpt-*"), encoding="utf-8")

    applied = provider.fanout("apply", folder)

    what = "none of tailwind publishes any model that 'gpt-*' stands for in the registry"
    assert applied.stderr.startswith(f"Warning: {folder}/tenants/contoso.yaml:4: subscriptions[0].assets[0]: {what}. Remedy: ")
    assert applied.stdout.endswith("Revision 2 is in force.\n")


# ---- what is in force


def test_given_rules_in_force_when_listed_then_tables_and_documents_say_the_same(provider: Provider) -> None:
    tenants, publications = provider.fanout("tenants", "list").stdout, provider.fanout("publications", "list").stdout
    subscriptions = provider.json("subscriptions", "list", "--tenant", "tailwind")

    assert [line.split() for line in tenants.splitlines()[:2]] == [
        ["Tenant", "State", "Publications", "Subscriptions", "Workspaces"],
        ["adventure", "active", "1", "1", "workspace4"],
    ]
    assert ["tailwind", "bert", "active", "contoso-hub", "*", "model", "bert-*"] in [
        line.split() for line in publications.splitlines()
    ]
    assert [(rule["tenant"], rule["name"], rule["from"]) for rule in subscriptions] == [("tailwind", "credit-card", ["northwind"])]


def test_given_a_rule_when_shown_then_it_is_as_its_file_has_it(provider: Provider) -> None:
    shown = provider.fanout("subscriptions", "show", "credit-card").stdout
    tenant = provider.json("tenants", "show", "tailwind")

    assert shown.startswith("tenant: tailwind\nname: credit-card\nfrom:\n- northwind\n")
    assert [rule["name"] for rule in tenant["publications"]] == ["bert", "credit-card"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("tenants", "show", "contoso"), "There is no tenant 'contoso': `fanout tenants list` names all of them."),
        (("publications", "show", "cards"), "There is no publication 'cards': `fanout publications list` names all of them."),
        (("subscriptions", "pause", "bert"), "write which one is meant, adventure/bert, fabrikam/bert, northwind/bert."),
    ],
)
def test_given_a_name_that_nobody_or_several_have_when_asked_for_then_it_is_told_what_to_write(
    provider: Provider, arguments: tuple[str, ...], told: str
) -> None:
    assert told in provider.fanout(*arguments, exits=2).stderr


# ---- pauses, and who made them


def test_given_a_subscription_when_paused_and_resumed_then_it_says_so_and_the_history_says_who(provider: Provider) -> None:
    before = provider.rules()

    paused = provider.fanout("subscriptions", "pause", "fabrikam/bert", "--by", "grace")
    held = provider.rules().tenants["fabrikam"].subscriptions[0]
    resumed = provider.fanout("subscriptions", "resume", "fabrikam/bert", "--by", "grace")

    assert paused.stdout == "~ tenant fabrikam: subscription bert now paused\nRevision 2 is in force.\n"
    assert held.state is RuleState.PAUSED
    assert resumed.stdout == "~ tenant fabrikam: subscription bert now active\nRevision 3 is in force.\n"
    assert provider.rules().tenants == before.tenants
    told = [(each["revision"], each["by"], each["tenants"][0]["details"]) for each in provider.json("history", "--last", "2")]
    assert told == [(3, "grace", ["subscription bert now active"]), (2, "grace", ["subscription bert now paused"])]


def test_given_a_tenant_and_a_publication_when_paused_then_the_lists_and_the_history_show_it(provider: Provider) -> None:
    provider.fanout("tenants", "pause", "northwind", "--by", "grace")
    provider.fanout("publications", "pause", "tailwind/bert", "--by", "grace")

    rules = provider.rules()
    history = provider.fanout("history", "--tenant", "tailwind").stdout.splitlines()

    assert rules.tenants["northwind"].state is TenantState.PAUSED
    assert not rules.tenants["tailwind"].publications[0].active
    assert [line.split()[1:3] for line in provider.fanout("publications", "list").stdout.splitlines()] == [
        ["Name", "State"],
        ["everything", "active"],
        ["everything", "active"],
        ["credit-card", "paused"],
        ["everything", "paused"],
        ["bert", "paused"],
        ["credit-card", "active"],
    ]
    assert [line.split()[0] for line in history] == ["Revision", "3", "1"]
    assert history[1].rstrip().endswith("grace  tenant tailwind: publication bert now paused")


@pytest.mark.parametrize("name", ["x" * 101, "two\nlines", "half \udcff a character", "\x1b[31mred"])
def test_given_a_name_that_no_list_can_show_when_a_change_is_made_then_it_is_refused(provider: Provider, name: str) -> None:
    before = provider.rules()

    for command in (("tenants", "pause", "fabrikam"), ("apply", DEMO_RULES)):
        assert "write a name of at most 100 characters" in provider.fanout(*command, "--by", name, exits=2).stderr

    assert provider.rules() == before


def test_given_no_rules_yet_when_looked_at_then_there_are_none(tmp_path: Path) -> None:
    bootstrap.fanout.cache_clear()
    with table_service() as connection_string:
        nobody = Provider(connection_string, tmp_path)

        assert [nobody.json(*command) for command in (("history",), ("tenants", "list"), ("publications", "list"))] == [[], [], []]


# ---- export


def test_given_rules_in_force_when_exported_then_applying_them_changes_nothing(provider: Provider) -> None:
    folder = provider.folder / "exported"

    exported = provider.fanout("export", folder)
    applied = provider.fanout("apply", folder)

    assert exported.stdout == f"Revision 1: 5 files written to {folder}.\n"
    assert applied.stdout == "Nothing changes.\nRevision 1 is in force.\n"


def test_given_a_folder_with_rules_when_exported_to_then_only_force_replaces_them(provider: Provider) -> None:
    folder = shutil.copytree(DEMO_RULES, provider.folder / "rules")
    (folder / "tenants/contoso.yaml").write_text(CONTOSO, encoding="utf-8")

    refused = provider.fanout("export", folder, exits=2)
    before = {path.name for path in (folder / "tenants").iterdir()}
    provider.fanout("export", folder, "--force")

    assert "is not empty: name another folder, or write --force" in refused.stderr
    assert before - {path.name for path in (folder / "tenants").iterdir()} == {"contoso.yaml"}


def test_given_no_rules_when_exported_then_it_is_told_how_to_begin(provider: Provider) -> None:
    with provider.table() as table:
        table.delete_entity("changes", "head")

    refused = provider.fanout("export", provider.folder / "exported", exits=2)

    assert refused.stderr == "There are no rules yet: `fanout apply FOLDER` puts some in force.\n"


def test_given_a_provider_without_tenants_when_exported_then_applying_it_changes_nothing(provider: Provider) -> None:
    with provider.table() as table:
        RulesTable(table).apply(provider.rules().provider, [], by="ada")
    folder = provider.folder / "exported"

    exported = provider.fanout("export", folder)
    applied = provider.fanout("apply", folder)

    assert exported.stdout == f"Revision 2: 1 file written to {folder}.\n"
    assert applied.stdout == "Nothing changes.\nRevision 2 is in force.\n"


# ---- the provider's file


def test_given_tenants_in_force_when_a_folder_without_any_is_applied_then_they_are_not_removed(provider: Provider) -> None:
    before = provider.rules()
    folder = shutil.copytree(DEMO_RULES, provider.folder / "rules", ignore=lambda _folder, _names: ["tenants"])

    for options in ((), ("--dry-run",)):
        refused = provider.fanout("apply", folder, *options, exits=2)

        assert refused.stderr.startswith(f"{folder}/tenants has no tenant's file, and 4 in force would be removed: ")
    assert provider.rules() == before


def test_given_limits_that_rules_in_force_exceed_when_applied_then_each_is_told_and_nothing_changes(provider: Provider) -> None:
    before = provider.rules()
    folder = shutil.copytree(DEMO_RULES, provider.folder / "rules")
    limits = (folder / "provider.yaml").read_text(encoding="utf-8")
    (folder / "provider.yaml").write_text(limits.replace("Standard_DS3_v2", "Standard_F4s_v2"), encoding="utf-8")

    refused = provider.fanout("apply", folder, exits=2)

    where = f"{folder}/tenants/tailwind.yaml:27: subscriptions[0].actions[1].online_endpoint.instance_type: "
    assert f"{where}instance type Standard_DS3_v2 is not one that the provider allows (Standard_F4s_v2)" in refused.stderr
    assert provider.rules() == before


def test_given_a_tenant_s_file_when_applied_alone_then_the_limits_in_force_count_and_not_those_beside_it(
    provider: Provider,
) -> None:
    folder = shutil.copytree(DEMO_RULES, provider.folder / "rules")
    file = folder / "tenants/tailwind.yaml"
    limits = (folder / "provider.yaml").read_text(encoding="utf-8")
    (folder / "provider.yaml").write_text(limits.replace("Standard_DS3_v2", "Standard_F4s_v2"), encoding="utf-8")

    same = provider.fanout("apply", "--tenant", "tailwind", file)
    file.write_text(file.read_text(encoding="utf-8").replace("Standard_DS3_v2", "Standard_F4s_v2"), encoding="utf-8")
    refused = provider.fanout("apply", "--tenant", "tailwind", file, exits=2)

    assert same.stdout == "Nothing changes.\nRevision 1 is in force.\n"
    assert "instance type Standard_F4s_v2 is not one that the provider allows (Standard_DS3_v2)" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rules/tenants/tailwind.yaml",), "rules/tenants/tailwind.yaml is a file: name its folder, or with --tenant the tenant"),
        (("--tenant", "tailwind", "rules"), "rules:1: is no file. Remedy: "),
        (("nowhere",), "nowhere/provider.yaml:1: cannot be read (No such file or directory). Remedy: "),
        (("--tenant", "tailwind", "nowhere.yaml"), "nowhere.yaml:1: cannot be read (No such file or directory). Remedy: "),
    ],
)
def test_given_a_path_to_something_else_when_applied_then_it_is_told_what_to_name(
    provider: Provider, arguments: tuple[str, ...], told: str
) -> None:
    shutil.copytree(DEMO_RULES, provider.folder / "rules")
    *options, path = arguments

    refused = provider.fanout("apply", *options, provider.folder / path, exits=2)

    assert f"{provider.folder}/{told}" in refused.stderr
    assert "nothing was changed" in refused.stderr.lower()
