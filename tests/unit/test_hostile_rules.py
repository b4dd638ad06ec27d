"""Whatever stands in a folder of rules, whoever wrote it is told what is wrong, where, and what to do."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from shared.marked_yaml import UnreadableYamlError, read_yaml
from shared.rules_reading import MOST_BYTES
from tests.unit.rules_folder import RulesFolder, arm_id

FILE = "tenants/northwind.yaml"
RIGHT = f"id: northwind\nworkspaces: [{arm_id('W/cards')}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> RulesFolder:
    return RulesFolder(tmp_path / "rules")


def subscription(fields: str) -> str:
    return f"{RIGHT}subscriptions:\n  - {{name: a, from: ['*'], assets: [{{kind: model, name: a}}], into: cards, {fields}}}\n"


def endpoint(fields: str) -> str:
    return subscription(f"actions: [{{online_endpoint: {{name: cards, instance_type: Standard_DS3_v2, {fields}}}}}]")


UNREADABLE = {
    "an alias": (f"{RIGHT}publications: &a []\nsubscriptions: *a\n", ":4: ", "an alias (*) cannot stand here"),
    "an alias of itself": (f"{RIGHT}publications: &a [*a]\n", ":3: ", "an alias (*) cannot stand here"),
    "a tab": ("id: northwind\nworkspaces:\n\t- a\n", ":3: ", "found character '\\t'"),
    "two documents": (f"{RIGHT}---\n{RIGHT}", ":3: ", "expected a single document"),
    "a tag of Python": (f"{RIGHT}state: !!python/object/apply:os.system [ls]\n", ":3: ", "could not determine a constructor"),
    "no day": (f"{RIGHT}state: 2026-13-45\n", ":3: ", "'2026-13-45' cannot be read as timestamp"),
    "no day for a field": (f"{RIGHT}2026-13-45: a\n", ":3: ", "'2026-13-45' cannot be read as timestamp"),
    "no number": (f"{RIGHT}state: !!int many\n", ":3: ", "'many' cannot be read as int"),
    "no truth": (f"{RIGHT}state: !!bool maybe\n", ":3: ", "'maybe' cannot be read as bool"),
    "a long number": (f"{RIGHT}state: {'9' * 5_000}\n", ":3: ", "9' cannot be read as int"),
    "a long number without digits": (f"{RIGHT}state: 0x{'f' * 5_000}\n", ":3: ", "f' cannot be read as int"),
    "half a character": (f'{RIGHT}state: "\\ud800"\n', ":3: ", "'\\ud800' cannot be read as str"),
    "half a character for a field": (f'{RIGHT}"\\ud800": a\n', ":3: ", "'\\ud800' cannot be read as str"),
    "a control character": (f"{RIGHT}state: ä\x07\n", ":3: ", "special characters are not allowed. Remedy: remove the character"),
    "a list for a field": (f"{RIGHT}? [a]\n: b\n", ":3: ", "found unhashable key"),
    "depth": (f"{RIGHT}state: {'[' * 3_000}{']' * 3_000}\n", ":1: ", "nested too deeply"),
}


@pytest.mark.parametrize(("text", "line", "what"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_given_what_cannot_be_read_when_read_then_its_line_is_told(folder: RulesFolder, text: str, line: str, what: str) -> None:
    (folder.root / FILE).write_text(text, encoding="utf-8")

    (problem,) = folder.problems()

    assert problem.startswith(f"{FILE}{line}is not YAML that can be read here: "), problem
    assert what in problem
    assert "Remedy: " in problem


@pytest.mark.parametrize("content", ["id: nörthwind".encode("latin-1"), b"id: a\nstate: \xc3", b"a: 1\n\xff\xff\xff"])
def test_given_bytes_that_are_no_utf_8_when_read_then_it_is_told_how_to_save_them(folder: RulesFolder, content: bytes) -> None:
    (folder.root / FILE).write_bytes(content)

    (problem,) = folder.problems()

    assert problem.startswith(f"{FILE}:{content.count(b'\n') + 1}: is not YAML that can be read here: ")
    assert problem.endswith("Remedy: save the file as UTF-8.")


_texts = st.text("- :{}[]\n\t!&*?|>'\"#%@`~0129.eabx\ud800\ufeff", max_size=60)


@given(st.text(alphabet="ab:-#'\"[]{},|>?% \n\t1.~=<", max_size=40))
@example("a: 1\n\nb:\n - c\n - {d: ~, e: [f,\n g]}\n")
def test_what_python_s_own_loader_reads_is_read_alike(text: str) -> None:
    """libyaml reads more of it, such as tabs at the end of a line; and what both read is the same, line by line."""
    try:
        content, root = yaml.safe_load(text), yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, ValueError):
        return
    read = read_yaml(text.encode())
    assert repr(read.content) == repr(content)
    if isinstance(root, yaml.MappingNode) and not read.repeated:
        lines = {str(name.value): name.start_mark.line + 1 for name, _ in root.value}
        assert {name: read.line((name,)) for name in lines} == lines


@given(st.binary(max_size=200) | _texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_bytes_there_are_they_are_read_or_refused(source: bytes) -> None:
    with suppress(UnreadableYamlError):
        read_yaml(source)


@pytest.mark.parametrize("source", [b"[" * 100_000, b"{a: " * 100_000, b"[" * 100_000 + b"]" * 100_000])
def test_however_deep_it_is_nested_the_process_outlives_it(source: bytes) -> None:
    with pytest.raises(UnreadableYamlError, match="nested too deeply"):
        read_yaml(source)


MISTAKEN = {
    "nothing": ("", ":1: has no fields"),
    "a comment": ("# later\n", ":1: has no fields"),
    "null": ("~\n", ":1: has no fields"),
    "an id that is a number": ("id: 17\nworkspaces: [W/cards]\n", ":1: id: is not a text"),
    "an id that is a list": ("id: [a]\nworkspaces: [W/cards]\n", ":1: id: is not a text"),
    "an id for all": ("id: '*'\nworkspaces: [W/cards]\n", ":1: id: '*' is not a name"),
    "a workspace that is nothing": ("id: northwind\nworkspaces: [~]\n", ":2: workspaces[0]: must be an ARM id or a mapping"),
    "a workspace that is a number": ("id: northwind\nworkspaces: [{id: 5, region: a}]\n", ":2: workspaces[0].id: 5 is not the ARM"),
    "one workspace": ("id: northwind\nworkspaces: W/cards\n", ":2: workspaces: is not a list"),
    "a workspace that stands there twice": ("id: northwind\nworkspaces: [W/cards, W/cards]\n", ":2: workspaces[1]: "),
    "fields where a list belongs": (f"{RIGHT}publications: {{a: b}}\n", ":3: publications: is not a list"),
    "nothing where a list belongs": (f"{RIGHT}publications:\n", ":3: publications: is not a list"),
    "nothing where a rule belongs": (f"{RIGHT}publications: [~]\n", ":3: publications[0]: has no fields"),
    "a day": (f"{RIGHT}state: 2026-01-01\n", ":3: state: "),
    "a set": (f"{RIGHT}state: !!set {{a, b}}\n", ":3: state: "),
    "a number for a field": (f"{RIGHT}1: a\n", ":3: [1]: keys should be strings"),
    "a field that would paint the terminal": (f'{RIGHT}"\\e[31m\\n": 1\n', ":3: '\\x1b[31m\\n': is no field here"),
    "no action": (subscription("actions: [~]"), ":4: subscriptions[0].actions[0]: must be an action"),
    "two actions in one": (subscription("actions: [{register: {}, batch_endpoint: {}}]"), "actions[0]: must be an action"),
    "an action of nothing": (subscription("actions: [{register: ~}]"), "actions[0].register: has no fields"),
    "a list for a time": (subscription("actions: [register], release: {window: [1], for: 4h, timezone: UTC}"), "release.window: "),
    "a path for a timezone": (
        subscription("actions: [register], release: {window: '0 1 * * *', for: 4h, timezone: ../../etc/passwd}"),
        "release.timezone: '../../etc/passwd' is no timezone",
    ),
    "a window that never ends": (
        subscription("actions: [register], release: {window: '0 1 * * *', for: 999999w, timezone: UTC}"),
        "release.for: '999999w' is longer than 99,999 days",
    ),
    "traffic for nobody": (endpoint("traffic: []"), "online_endpoint.traffic: is empty"),
    "traffic that is a truth": (endpoint("traffic: [true, 100]"), "online_endpoint.traffic[0]: "),
    "a request that nobody could read again": (endpoint(f"sample_request: {'[' * 210}{']' * 210}"), "is not JSON: recursion limit"),
}


@pytest.mark.parametrize(("text", "where"), MISTAKEN.values(), ids=MISTAKEN.keys())
def test_given_what_is_no_rule_when_read_then_file_line_path_and_remedy_are_told(
    folder: RulesFolder, text: str, where: str
) -> None:
    folder.write(FILE, text)

    problems = folder.problems()

    assert any(where in problem for problem in problems), problems
    assert all(problem.startswith(f"{FILE}:") and "Remedy: " in problem for problem in problems), problems


def test_given_much_where_a_word_belongs_when_read_then_as_much_is_told_as_finds_the_place(folder: RulesFolder) -> None:
    folder.write(FILE, f"{RIGHT}state: {'k' * 20_000}\n")

    (problem,) = folder.problems()

    assert len(problem) < 300


@pytest.mark.parametrize("text", ["\ufeff" + RIGHT, RIGHT.replace("\n", "\r\n"), f"%YAML 1.1\n---\n{RIGHT}", f"# ünï\n{RIGHT}"])
def test_given_how_editors_save_files_when_read_then_it_makes_no_difference(folder: RulesFolder, text: str) -> None:
    (folder.root / FILE).write_bytes(text.encode())

    assert folder.rules().tenants["northwind"].workspaces


# ---- files


def test_given_a_file_without_an_end_when_read_then_it_is_refused(folder: RulesFolder) -> None:
    (folder.root / FILE).write_bytes(b"#" * (MOST_BYTES + 1))

    (problem,) = folder.problems()

    assert problem.startswith(f"{FILE}:1: has more than 4,000,000 bytes. Remedy: ")


def test_given_links_when_read_then_files_are_followed_and_the_rest_is_told(folder: RulesFolder) -> None:
    tenants = folder.root / "tenants"
    (tenants / "northwind.yaml").rename(folder.root / "elsewhere.yaml")
    (tenants / "northwind.yaml").symlink_to(folder.root / "elsewhere.yaml")
    (tenants / "around.yaml").symlink_to(tenants / "around.yaml")
    (tenants / "nowhere.yaml").symlink_to(tenants / "gone.yaml")
    os.mkfifo(tenants / "pipe.yaml")

    around, nowhere, pipe = folder.problems()

    assert around.startswith("tenants/around.yaml:1: cannot be read (")
    assert nowhere.startswith("tenants/nowhere.yaml:1: cannot be read (No such file or directory)")
    assert pipe.startswith("tenants/pipe.yaml:1: is no file")


@pytest.mark.parametrize("name", ["eu.yaml", "eu"])
def test_given_a_folder_among_the_tenants_when_read_then_it_is_not_overlooked(folder: RulesFolder, name: str) -> None:
    (folder.root / "tenants" / name).mkdir()

    (problem,) = folder.problems()

    assert problem.startswith(f"tenants/{name}:1: is a folder, and is not looked into. Remedy: ")


@pytest.mark.parametrize("ending", [".yml", ".YAML", ".Yml"])
def test_given_a_file_that_would_be_overlooked_when_read_then_it_is_refused(folder: RulesFolder, ending: str) -> None:
    (folder.root / FILE).rename((folder.root / FILE).with_suffix(ending))

    assert any(told.startswith(f"tenants/northwind{ending}:1: its name ends in {ending}") for told in folder.problems())


def test_given_what_editors_leave_beside_files_when_read_then_it_is_nobody_s(folder: RulesFolder) -> None:
    tenants = folder.root / "tenants"
    (tenants / ".#northwind.yaml").symlink_to("ada@machine.1234")
    (tenants / "._northwind.yaml").write_bytes(b"\x00\x05\x16\x07")
    (tenants / "northwind.yaml~").write_text("old", encoding="utf-8")
    (tenants / "README.md").write_text("who is who", encoding="utf-8")

    assert len(folder.rules().tenants) == 2


def test_given_a_file_in_the_place_of_the_tenants_folder_when_read_then_it_is_told(folder: RulesFolder) -> None:
    for path in (folder.root / "tenants").iterdir():
        path.unlink()
    (folder.root / "tenants").rmdir()
    (folder.root / "tenants").touch()

    assert any(told.startswith("tenants:1: cannot be read (Not a directory). Remedy: ") for told in folder.problems())


@pytest.mark.parametrize("text", ["id: [a]\n", "id: northwind\nid: nobody\n", "{", ""])
def test_given_a_tenant_s_file_that_is_wrong_when_read_then_nobody_is_blamed_who_names_the_tenant(
    folder: RulesFolder, text: str
) -> None:
    folder.write(FILE, text)

    assert {problem.partition(":")[0] for problem in folder.problems()} == {FILE}
