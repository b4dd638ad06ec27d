"""`python -m handlers.cli apply`, as a provider runs it: what it prints and how it exits."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.data.tables import TableClient, TableServiceClient

from shared.azure.rules_rows import Head
from shared.azure.rules_table import RulesTable
from tests.contract.table_service import ROOT, table_service

DEMO_RULES = ROOT / "infra/local/demo/rules"


class Provider:
    """Someone with a rules folder and the app's settings."""

    def __init__(self, folder: Path, connection_string: str) -> None:
        self.folder = folder
        self.connection_string = connection_string

    def apply(self, *options: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "handlers.cli", "apply", str(self.folder), *options]
        settings = {
            "Tables": self.connection_string,
            "ServiceBus": "Endpoint=sb://localhost/;SharedAccessKeyName=a;SharedAccessKey=b",
        }
        return subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, timeout=60, check=False)

    def table(self) -> TableClient:
        return TableClient.from_connection_string(self.connection_string, "tenants")


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with table_service() as connection_string:
        yield Provider(shutil.copytree(DEMO_RULES, tmp_path / "rules"), connection_string)


def test_given_a_new_storage_account_when_rules_are_applied_changed_and_applied_then_each_difference_is_shown(
    provider: Provider,
) -> None:
    first = provider.apply("--by", "ada")
    again = provider.apply()
    fabrikam = provider.folder / "tenants/fabrikam.yaml"
    fabrikam.write_text(fabrikam.read_text(encoding="utf-8").replace("active", "paused"), encoding="utf-8")
    (provider.folder / "tenants/adventure.yaml").unlink()
    changed = provider.apply()

    assert (first.returncode, again.returncode, changed.returncode) == (0, 0, 0), first.stderr + changed.stderr
    assert first.stdout.startswith("+ provider\n+ tenant adventure: ")
    assert "+ tenant tailwind: workspace workspace3 added" in first.stdout
    assert first.stdout.endswith("Revision 1 is in force.\n")
    assert again.stdout == "Nothing changes.\nRevision 1 is in force.\n"
    assert changed.stdout == "- tenant adventure\n~ tenant fabrikam: now paused\nRevision 2 is in force.\n"


def test_given_a_dry_run_when_applied_then_the_difference_is_shown_and_nothing_is_made(provider: Provider) -> None:
    shown = provider.apply("--dry-run")

    assert shown.returncode == 0, shown.stderr
    assert "+ tenant northwind" in shown.stdout
    assert "in force" not in shown.stdout
    assert shown.stdout.endswith("\nDry run: nothing was changed.\n")
    with provider.table() as table:
        assert RulesTable(table).load().tenants == {}


def test_given_wrong_rules_when_applied_then_every_mistake_is_told_and_the_exit_code_is_2(provider: Provider) -> None:
    (provider.folder / "tenants/northwind.yaml").write_text("id: northwind\nstat: active\n", encoding="utf-8")

    refused = provider.apply()

    assert refused.returncode == 2
    file = provider.folder / "tenants/northwind.yaml"
    assert f"{file}:2: stat: is no field here. Remedy: did you mean 'state'?" in refused.stderr
    assert f"{file}:1: workspaces: is missing" in refused.stderr
    assert "2 to mend; nothing was changed." in refused.stderr


def test_given_another_apply_at_work_when_applied_then_it_says_whose_and_the_exit_code_is_3(provider: Provider) -> None:
    claimed = Head(attempted=1, claimed_by="grace", claimed_until=datetime.now(UTC) + timedelta(minutes=1))
    with TableServiceClient.from_connection_string(provider.connection_string) as service:
        service.create_table("tenants").create_entity(claimed.to_entity())

    lost = provider.apply()

    assert lost.returncode == 3
    assert lost.stderr.startswith("Not applied: grace is applying rules now; try again")
