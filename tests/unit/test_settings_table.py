"""The settings are described in one place, of which the README and the example are made; and what is described is read."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handlers.cli.all_commands import app
from handlers.cli.settings import local_settings, markdown
from shared import settings, settings_table
from shared.settings_table import SETTINGS, Setting

ROOT = Path(__file__).parents[2]
READ_BY_OTHERS = {"FANOUT_RECONCILE_SCHEDULE", "AZURE_CLIENT_ID"}  # the Functions host, azure-identity


def printed(*arguments: str) -> str:
    return CliRunner().invoke(app, ["settings", *arguments]).stdout


def test_the_readme_shows_the_settings() -> None:
    assert markdown() in (ROOT / "README.md").read_text(), "put what `fanout settings --as markdown` prints into the README"


def test_the_example_is_made_of_the_settings() -> None:
    assert (ROOT / "local.settings.example.json").read_text() == local_settings() == printed("--as", "local.settings.json")


def test_each_is_described_once() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    constants = {value for value in vars(settings_table).values() if isinstance(value, Setting)}
    assert constants == set(SETTINGS)
    for setting in SETTINGS:
        assert setting.instead in {"", *(each.name for each in SETTINGS)}


def test_what_is_described_is_read() -> None:
    code = Path(settings.__file__).read_text()
    constants = {value.name: name for name, value in vars(settings_table).items() if isinstance(value, Setting)}
    assert {name for name, constant in constants.items() if f"table.{constant}" not in code} == READ_BY_OTHERS


def test_only_one_module_reads_the_environment() -> None:
    """handlers.cli.tables asks for COLUMNS, which is the terminal's."""
    readers = {
        str(file.relative_to(ROOT))
        for folder in ("handlers", "shared")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", file.read_text())
    }
    assert readers == {"shared/settings.py", "handlers/cli/tables.py"}


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ServiceBus", "Endpoint=sb://b/;SharedAccessKey=abc")
    monkeypatch.setenv("FANOUT_OVERDUE_SECONDS", "20")
    for text in (printed(), printed("--json")):
        assert "abc" not in text
    by_name = {each["name"]: each for each in json.loads(printed("--json"))}
    assert (by_name["ServiceBus"]["is_set"], by_name["ServiceBus"]["value"]) == (True, None)
    assert by_name["FANOUT_OVERDUE_SECONDS"]["value"] == "20"


def test_a_misspelt_one_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FANOUT_OVERDUE_SECOND", "20")
    assert settings.misspelt()["FANOUT_OVERDUE_SECOND"] == "FANOUT_OVERDUE_SECONDS"
