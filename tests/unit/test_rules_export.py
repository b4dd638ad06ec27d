"""Rules written into a folder: read from there they are the same again."""

import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.marked_yaml import read_yaml
from shared.rules import Provider, Rules
from shared.rules_change import difference
from shared.rules_document import provider_from_document, tenant_from_document, to_document
from shared.rules_export import FolderNotEmptyError, write_folder, yaml_text
from shared.rules_file import read_folder
from shared.rules_reading import InvalidRulesError
from shared.tenants import AssetPattern, Publication, Subscription, TagCondition, Tenant
from tests.unit import random_rules
from tests.unit.rules_folder import RulesFolder

RULE = re.compile(r"(publications|subscriptions)\[(\d+)\]")

_texts = st.text(min_size=1, max_size=12) | st.sampled_from(["yes", "null", "1", "~", "*", "- a", "a: b", "# a", " a ", "a\x85b\n"])
_conditions = st.builds(TagCondition, _texts, st.none() | st.lists(_texts, min_size=1, max_size=2).map(tuple))
_tags = st.lists(_conditions, max_size=2, unique_by=lambda condition: condition.tag).map(tuple)


@st.composite
def tagged(draw: st.DrawFn) -> Rules:
    """Random rules, with tags of whatever text there is."""
    rules = draw(random_rules.rules())
    tenants = {}
    for tenant in rules.tenants.values():
        publications = tuple(replace(rule, assets=_tagged(rule, draw(_tags))) for rule in tenant.publications)
        subscriptions = tuple(replace(rule, assets=_tagged(rule, draw(_tags))) for rule in tenant.subscriptions)
        tenants[tenant.id] = replace(tenant, publications=publications, subscriptions=subscriptions)
    return replace(rules, tenants=tenants)


def _tagged(rule: Publication | Subscription, tags: tuple[TagCondition, ...]) -> tuple[AssetPattern, ...]:
    return tuple(replace(pattern, tags=tags) for pattern in rule.assets)


def without_mistakes(rules: Rules, folder: Path) -> Rules:
    """The rules, less those that could not have been put in force."""
    provider = replace(rules.provider, groups={})
    while True:
        write_folder(rules, folder, replace=True)
        try:
            read_folder(folder)
        except InvalidRulesError as invalid:
            wrong = {
                (Path(problem.file).name, *found.groups()) for problem in invalid.problems if (found := RULE.match(problem.path))
            }
            tenants = {tenant.id: _without(tenant, wrong) for tenant in rules.tenants.values()}
            mended = Rules(rules.provider if wrong else provider, tenants, rules.revision)
            assume(mended != rules)
            rules = mended
        else:
            return rules


def _without(tenant: Tenant, wrong: set[tuple[str, ...]]) -> Tenant:
    def kept(field: str, number: int) -> bool:
        return (f"{tenant.id}.yaml", field, str(number)) not in wrong

    publications = tuple(rule for number, rule in enumerate(tenant.publications) if kept("publications", number))
    subscriptions = tuple(rule for number, rule in enumerate(tenant.subscriptions) if kept("subscriptions", number))
    return replace(tenant, publications=publications, subscriptions=subscriptions)


@settings(max_examples=60, deadline=None)
@given(tagged())
def test_every_rule_written_as_yaml_and_read_again_is_the_same(rules: Rules) -> None:
    def written(part: Provider | Tenant) -> object:
        return read_yaml(yaml_text(to_document(part)).encode()).content

    assert provider_from_document(written(rules.provider)) == rules.provider  # type: ignore[arg-type]
    assert {tenant.id: tenant_from_document(written(tenant)) for tenant in rules.tenants.values()} == rules.tenants  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(tagged())
def test_rules_in_force_exported_and_applied_change_nothing(anything: Rules) -> None:
    with TemporaryDirectory() as root:
        rules = without_mistakes(anything, Path(root) / "mended")
        write_folder(rules, Path(root) / "exported")

        exported = read_folder(Path(root) / "exported")
        assert difference(rules, exported.provider, exported.tenants).is_empty


def test_given_a_folder_with_something_in_it_when_exported_to_then_nothing_is_written(tmp_path: Path) -> None:
    rules = RulesFolder(tmp_path / "rules").rules()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").touch()

    with pytest.raises(FolderNotEmptyError, match="out is not empty"):
        write_folder(rules, tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]


def test_given_an_older_export_when_replaced_then_a_tenant_that_is_gone_has_no_file(tmp_path: Path) -> None:
    rules = RulesFolder(tmp_path / "rules").rules()
    write_folder(rules, tmp_path / "out")
    only = replace(rules, tenants={"northwind": rules.tenants["northwind"]})

    write_folder(only, tmp_path / "out", replace=True)

    assert [path.name for path in (tmp_path / "out/tenants").iterdir()] == ["northwind.yaml"]


def test_given_tenants_that_differ_in_case_alone_when_exported_then_each_has_a_file_everywhere(tmp_path: Path) -> None:
    rules = RulesFolder(tmp_path / "rules").rules()
    northwind = rules.tenants["northwind"]
    tenants = {tenant_id: replace(northwind, id=tenant_id) for tenant_id in ("northwind", "Northwind")}

    write_folder(replace(rules, tenants=tenants), tmp_path / "out")

    assert len({path.name.lower() for path in (tmp_path / "out/tenants").iterdir()}) == 2
