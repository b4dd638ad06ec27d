"""The first run of `fanout onboard`: a file that is there is left as it is, and whose workspaces they are is not in doubt."""

from pathlib import Path

import pytest
import typer

from handlers.cli.onboard_preparation import Preparation, prepare
from shared.assets import WorkspaceId
from shared.rules import Provider, Rules
from tests.unit.rules_folder import RulesFolder, arm_id

NEW, LIVE = WorkspaceId.parse(arm_id("W/new")), WorkspaceId.parse(arm_id("W/live"))
NO_RULES = Rules(Provider(), {}, 0)


def prepared(
    folder: Path, *workspaces: WorkspaceId, tenant: str = "litware", in_force: Rules = NO_RULES, dry_run: bool = False
) -> Preparation:
    return prepare(tenant, workspaces, folder, "westeurope", in_force, by_queue=False, dry_run=dry_run)


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *workspaces: WorkspaceId, **more: object) -> str:
    with pytest.raises(typer.Exit) as stopped:
        prepared(folder, *workspaces, **more)  # type: ignore[arg-type] # as prepared has them
    assert stopped.value.exit_code == 2
    return capsys.readouterr().err


def test_a_file_is_written_once_and_then_left_as_it_is(tmp_path: Path) -> None:
    first = prepared(tmp_path / "rules", NEW)
    first.file.write_text(f"{first.text}# ours\n")
    again = prepared(tmp_path / "rules", NEW)

    assert first.file == again.file == tmp_path / "rules" / "tenants" / "litware.yaml"
    assert (bool(first.text), again.text) == (True, "")
    assert first.file.read_text().endswith("# ours\n")
    assert first.steps == again.steps


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    shown = prepared(tmp_path / "rules", NEW, dry_run=True)

    assert str(NEW) in shown.text
    assert not (tmp_path / "rules").exists()


def test_what_comes_next_is_the_whole_folder_as_long_as_there_are_no_rules(tmp_path: Path) -> None:
    folder = RulesFolder(tmp_path).root

    first = prepared(folder, NEW)
    later = prepared(folder, NEW, in_force=RulesFolder(tmp_path / "other").rules())

    assert first.next_commands == (f"fanout apply {folder}", "fanout onboard litware")
    assert later.next_commands[0] == f"fanout apply --tenant litware {folder}/tenants/litware.yaml"


def test_the_examples_name_a_registry_of_the_folder(tmp_path: Path) -> None:
    assert "registry: contoso-hub" in prepared(RulesFolder(tmp_path).root, NEW).text


def test_without_a_workspace_those_of_the_file_are_deployed(tmp_path: Path) -> None:
    (cards,) = prepared(RulesFolder(tmp_path).root, tenant="northwind").steps

    assert "workspaceName=cards" in cards.command


def test_a_file_that_does_not_name_the_workspace_is_refused_with_what_to_add(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refused(capsys, RulesFolder(tmp_path).root, NEW, tenant="northwind")

    assert "was left as it is" in told
    assert f"  - {NEW}" in told


def test_a_file_with_mistakes_is_refused_with_all_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = RulesFolder(tmp_path)
    folder.write("tenants/litware.yaml", "id: litware\nworkspace: W/new\n")

    told = refused(capsys, folder.root, NEW)

    assert "did you mean 'workspaces'?" in told
    assert "2 to mend" in told


def test_a_file_of_that_name_with_anothers_rules_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = RulesFolder(tmp_path)
    folder.write("tenants/litware.yaml", "id: contoso\nworkspaces: [W/new]\n")

    assert "has the rules of contoso" in refused(capsys, folder.root, NEW)


def test_anothers_workspace_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = RulesFolder(tmp_path)

    assert "is one of fabrikam's" in refused(capsys, folder.root, LIVE, in_force=folder.rules())


def test_a_tenant_with_rules_in_force_gets_no_new_file_which_would_end_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_force, elsewhere = RulesFolder(tmp_path / "theirs").rules(), tmp_path / "elsewhere"

    assert f"fanout export {elsewhere}" in refused(capsys, elsewhere, NEW, tenant="fabrikam", in_force=in_force)
    assert not elsewhere.exists()


def test_a_new_tenant_takes_a_workspace_and_an_id_that_can_stand_in_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "write its workspaces with --workspace" in refused(capsys, tmp_path)
    assert "is not a name that can stand here" in refused(capsys, tmp_path, NEW, tenant="lit ware")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x" * 300, "../provider"])
def test_an_id_that_cannot_stand_in_rules_is_looked_for_in_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert "is not a name that can stand here" in refused(capsys, RulesFolder(tmp_path).root, NEW, tenant=name)
