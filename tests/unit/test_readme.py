"""What the README shows is what the product takes."""

import json
import re
from pathlib import Path

import pytest

from shared import commands
from shared.rules_file import read_folder

README = Path(__file__).parents[2].joinpath("README.md").read_text()
WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/cards"
REGISTRY = "azureml://registries/contoso-hub"
IDS = {
    "code: <id>": f"code: {REGISTRY}/codes/c/versions/1",
    "environment: <id>": f"environment: {REGISTRY}/environments/e/versions/1",
    "<ARM id>": WORKSPACE,
}
ASSET = {"kind": "model", "name": "credit-card", "version": "3"}


def test_the_rules_of_the_readme_are_rules(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    for placeholder, value in IDS.items():
        shown = shown.replace(placeholder, value)
    provider, tenant = shown.split("# tenants/fabrikam.yaml\n")
    (tmp_path / "tenants").mkdir()
    (tmp_path / "provider.yaml").write_text(provider)
    (tmp_path / "tenants" / "fabrikam.yaml").write_text(tenant)
    (tmp_path / "tenants" / "northwind.yaml").write_text(f"id: northwind\nworkspaces: [{WORKSPACE}2]\n")
    tenants = read_folder(tmp_path).tenants
    assert {tenant.id for tenant in tenants} == {"fabrikam", "northwind"}


@pytest.mark.parametrize("shown", re.findall(r'(\{"type".*?\})(?= {3,}|\n)', README))
def test_the_commands_of_the_readme_are_commands(shown: str) -> None:
    for placeholder, value in {"{…}": json.dumps(ASSET), "<ARM id>": WORKSPACE, "/…": f"/{'a' * 26}/{'b' * 26}"}.items():
        shown = shown.replace(placeholder, value)
    assert commands.parse(shown.encode()).type in commands.KNOWN
