"""A rules folder that is right and says little, for tests that change one thing in it."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import dedent

import pytest

from shared.rules import Rules
from shared.rules_file import read_folder, read_tenant
from shared.rules_reading import InvalidRulesError, Problem

SUBSCRIPTIONS = {"W": "11111111-1111-1111-1111-111111111111", "V": "22222222-2222-2222-2222-222222222222"}
PROVIDER = """\
    registries:
      - {name: contoso-hub, readers: "*"}
      - {name: contoso-eu, readers: "*"}
    limits: {instance_types: [Standard_DS3_v2], max_instances: 4}
    groups: {banks: [fabrikam, northwind]}
    """
NORTHWIND = """\
    id: northwind
    workspaces:
      - W/cards
    publications:
      - name: cards
        registry: contoso-hub
        assets: [{kind: model, name: "credit-*"}]
        to: ["*"]
    """
FABRIKAM = """\
    id: fabrikam
    workspaces:
      - W/live
      - W/test
    subscriptions:
      - name: cards
        from: [northwind]
        assets: [{kind: model, name: "credit-card-*"}]
        into: live
        actions: [register]
    """


def arm_id(short: str) -> str:
    """Of `W/live`: workspace live in the first Azure subscription; `V/…` is in the second."""
    subscription, name = short.split("/")
    return (
        f"/subscriptions/{SUBSCRIPTIONS[subscription]}/resourceGroups/rg"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{name}"
    )


class RulesFolder:
    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "tenants").mkdir(parents=True)
        self.write("provider.yaml", PROVIDER)
        self.write("tenants/northwind.yaml", NORTHWIND)
        self.write("tenants/fabrikam.yaml", FABRIKAM)

    def write(self, file: str, text: str) -> None:
        for short in ("W/cards", "W/live", "W/test", "V/live", "W/new"):
            text = text.replace(short, arm_id(short))
        (self.root / file).write_text(dedent(text), encoding="utf-8")

    def change(self, file: str, *changes: tuple[str, str]) -> None:
        text = (self.root / file).read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
            text = text.replace(old, new)
        self.write(file, text)

    def rules(self, revision: int = 1) -> Rules:
        read = read_folder(self.root)
        return Rules(read.provider, {tenant.id: tenant for tenant in read.tenants}, revision)

    def warnings(self) -> list[str]:
        return self._told(read_folder(self.root).warnings)

    def problems(self) -> list[str]:
        with pytest.raises(InvalidRulesError) as invalid:
            read_folder(self.root)
        return self._told(invalid.value.problems)

    def problems_of(self, file: str, tenant: str, in_force: Rules) -> list[str]:
        with pytest.raises(InvalidRulesError) as invalid:
            read_tenant(self.root / file, tenant, in_force)
        return self._told(invalid.value.problems)

    def _told(self, problems: Iterable[Problem]) -> list[str]:
        """With files named from the folder."""
        return [str(problem).removeprefix(f"{self.root}/") for problem in problems]
