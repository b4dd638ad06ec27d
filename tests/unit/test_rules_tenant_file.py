"""A tenant's file: its examples are rules as they stand, an ended tenant's brings nothing back."""

import re
from pathlib import Path

import pytest

from handlers.offboard import ended
from shared.assets import Kind, WorkspaceId
from shared.rules import Limits, Provider, RegistryRule
from shared.rules_document import to_document
from shared.rules_export import yaml_text
from shared.rules_file import read_folder, read_provider
from shared.rules_tenant_file import file_of, file_of_who_left, new_file, own_file, shape_in
from shared.tenants import Tenant, TenantState
from tests.unit.rules_folder import RulesFolder
from tests.unit.world import subscriber

LIVE = WorkspaceId("11111111-1111-1111-1111-111111111111", "rg", "live-1")
LITWARE = Tenant("litware", TenantState.ACTIVE, (LIVE,), regions={LIVE: "westeurope"})
HUB, ASIA, EU = (
    RegistryRule("hub", ("*",)),
    RegistryRule("asia", ("*",), ("eastasia",)),
    RegistryRule("eu", ("*",), ("westeurope",)),
)
PROVIDERS = {
    "one registry": Provider((HUB,)),
    "one of two covers the region": Provider((ASIA, EU)),
    "no models": Provider((HUB,), Limits(kinds=(Kind.DATA,))),
}


def uncommented(text: str) -> str:
    return re.sub(r"^# (?=[a-z]+:$|-| )", "", text, flags=re.MULTILINE)


def folder_of(root: Path, provider: Provider, text: str) -> Path:
    (root / "tenants").mkdir()
    (root / "provider.yaml").write_text(yaml_text(to_document(provider)))
    (root / "tenants" / "litware.yaml").write_text(text)
    return root


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
@pytest.mark.parametrize("tenant", [LITWARE, Tenant("007", TenantState.ACTIVE, (LIVE, WorkspaceId("s", "g", "live-2")))])
def test_a_new_file_is_valid_with_its_examples_and_without(tmp_path: Path, provider: Provider, tenant: Tenant) -> None:
    text = new_file(tenant, provider)

    (bare,) = read_folder(folder_of(tmp_path, provider, text)).tenants
    (tmp_path / "tenants" / "litware.yaml").write_text(uncommented(text))
    (full,) = read_folder(tmp_path).tenants

    assert bare == tenant
    assert (len(full.publications), len(full.subscriptions)) == (1, 1)
    assert full.publications[0].registry in [each.name for each in provider.registries]


def test_it_explains_itself() -> None:
    assert new_file(LITWARE, None).startswith("# litware: what it lets out of its workspaces, and what it wants from others.\n")


def test_a_file_is_found_by_the_id_that_it_states(tmp_path: Path) -> None:
    folder = RulesFolder(tmp_path)
    folder.write("tenants/bank.yaml", "id: contoso\nworkspaces: [W/new]\n")
    folder.write("tenants/broken.yaml", "id: [")

    assert file_of("contoso", tmp_path) == tmp_path / "tenants" / "bank.yaml"
    assert file_of("litware", tmp_path) == tmp_path / "tenants" / "litware.yaml"


def test_a_file_with_anothers_rules_is_nobody_elses_whatever_its_name(tmp_path: Path) -> None:
    folder = RulesFolder(tmp_path)
    folder.write("tenants/litware.yaml", "id: contoso\nworkspaces: [W/new]\n")
    folder.write("tenants/tailwind.yaml", "id: [")

    assert own_file("litware", tmp_path) is None
    assert own_file("nobody", tmp_path) is None
    assert own_file("contoso", tmp_path) == tmp_path / "tenants" / "litware.yaml"
    assert own_file("tailwind", tmp_path) == tmp_path / "tenants" / "tailwind.yaml"


def test_the_file_of_who_left_brings_nothing_back(tmp_path: Path) -> None:
    gone = ended(subscriber("fabrikam"))
    file = tmp_path / "fabrikam.yaml"
    file.write_text(file_of_who_left(gone))

    assert shape_in(file).value() == gone
    assert "fanout offboard fabrikam" in file.read_text()


def test_a_provider_without_a_file_is_none(tmp_path: Path) -> None:
    assert read_provider(tmp_path) is None
    assert read_provider(RulesFolder(tmp_path / "rules").root)
