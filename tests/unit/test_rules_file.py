"""The folder in which rules are written: what is read from it, and what whoever wrote it is told."""

from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.actions import Action, AuthMode, BatchEndpoint, Mode, OnlineEndpoint, Register, Scoring
from shared.assets import Kind
from shared.rules import Limits, Provider, RegistryRule
from shared.rules_actions import ActionShape, action_value
from shared.rules_document import (
    action_to_document,
    provider_from_document,
    tenant_from_document,
    to_document,
)
from shared.rules_file import read_folder
from shared.rules_reading import InvalidRulesError
from shared.tenants import Approver, AssetPattern, Publication, Subscription, TagCondition, Tenant, TenantState, Window
from tests.unit import random_rules
from tests.unit.random_rules import WORKSPACES, workspace

_ACTIONS: TypeAdapter[ActionShape] = TypeAdapter(ActionShape)
PROVIDER = """\
    entra_tenant: 99999999-0000-0000-0000-000000000000
    registries:
      - {name: contoso-hub, readers: "*"}
      - {name: contoso-banks, readers: [banks]}
    limits: {instance_types: [Standard_DS3_v2], max_instances: 4}
    groups: {banks: [fabrikam, northwind]}
    """
NORTHWIND = """\
    id: northwind
    workspaces: [WORKSPACE1]
    """
FABRIKAM = """\
    id: fabrikam
    state: paused
    workspaces:
      - WORKSPACE2
      - WORKSPACE3
    publications:
      - name: cards
        registry: contoso-hub
        assets:
          - {kind: model, name: "credit-card-*", except: "*-draft", tags: {stage: production, area: [eu, uk], reviewed: present}}
          - {kind: environment, name: "?-env"}
        workspaces: [WORKSPACE3]
        to: ["*"]
      - name: inner
        registry: contoso-banks
        assets: [{kind: data, name: "*"}]
        to: [banks]
    subscriptions:
      - name: cards-live
        from: [northwind, banks]
        assets: [{kind: model, name: "northwind-credit-*"}]
        into: WORKSPACE2
        actions: [register, {online_endpoint: {name: cards, instance_type: Standard_DS3_v2, instance_count: 2, traffic: [10, 100]}}]
        release: immediately
    """


class Folder:
    """A rules folder that is right, until a test changes one of its files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "tenants").mkdir()
        self.write("provider.yaml", PROVIDER)
        self.write("tenants/northwind.yaml", NORTHWIND)
        self.write("tenants/fabrikam.yaml", FABRIKAM)

    def write(self, file: str, text: str) -> None:
        for name in ("workspace1", "workspace2", "workspace3"):
            text = text.replace(name.upper(), str(workspace(name)))
        (self.root / file).write_text(dedent(text), encoding="utf-8")

    def change(self, file: str, old: str, new: str) -> None:
        text = (self.root / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        self.write(file, text.replace(old, new))

    def problems(self) -> list[str]:
        with pytest.raises(InvalidRulesError) as invalid:
            read_folder(self.root)
        return [str(problem).removeprefix(f"{self.root}/") for problem in invalid.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_given_a_folder_as_the_contract_has_it_when_read_then_every_field_counts(folder: Folder) -> None:
    read = read_folder(folder.root)

    assert read.provider == Provider(
        registries=(RegistryRule("contoso-hub", ("*",)), RegistryRule("contoso-banks", ("banks",))),
        limits=Limits(("Standard_DS3_v2",), 4),
        groups={"banks": ("fabrikam", "northwind")},
        entra_tenant="99999999-0000-0000-0000-000000000000",
    )
    tags = (
        TagCondition("stage", ("production",)),
        TagCondition("area", ("eu", "uk")),
        TagCondition("reviewed"),
    )
    cards = (AssetPattern(Kind.MODEL, "credit-card-*", ("*-draft",), tags), AssetPattern(Kind.ENVIRONMENT, "?-env"))
    assert read.tenants == (
        Tenant(
            id="fabrikam",
            state=TenantState.PAUSED,
            workspaces=(workspace("workspace2"), workspace("workspace3")),
            publications=(
                Publication("cards", "contoso-hub", cards, to=("*",), workspaces=(workspace("workspace3"),)),
                Publication("inner", "contoso-banks", (AssetPattern(Kind.DATA, "*"),), to=("banks",)),
            ),
            subscriptions=(
                Subscription(
                    name="cards-live",
                    from_tenants=("northwind", "banks"),
                    assets=(AssetPattern(Kind.MODEL, "northwind-credit-*"),),
                    into=workspace("workspace2"),
                    actions=(Register(), OnlineEndpoint("cards", "Standard_DS3_v2", 2, (10, 100))),
                ),
            ),
        ),
        Tenant("northwind", TenantState.ACTIVE, (workspace("workspace1"),)),
    )


NORTHWIND_IN_FULL = """\
    id: northwind
    workspaces: [WORKSPACE1]
    publications:
      - name: cards
        registry: contoso-hub
        assets: [{kind: model, name: "credit-*"}]
        to: ["*"]
        as: "{tenant}-{name}"
        regions: [westeurope, eastus2]
        environment: "inference:3"
    subscriptions:
      - name: cards
        from: [fabrikam]
        assets: [{kind: model, name: "*"}]
        into: WORKSPACE1
        release: {approval: subscriber}
        actions:
          - register: {mode: copy}
          - online_endpoint:
              name: cards
              instance_type: Standard_DS3_v2
              traffic: [10, 100]
              auth_mode: aad_token
              keep: 0
              adopt: true
              sample_request: {input_data: [[1, 2.5], ["ä", null]]}
              scoring:
                code: azureml://registries/contoso-hub/codes/score/versions/1
                script: src/score.py
                environment: azureml://registries/azureml/environments/sklearn-1.5/versions/36
          - batch_endpoint:
              name: cards-nightly
              compute: cpu-cluster
              instance_count: 2
              keep: 18
              scoring: {code: WORKSPACE1/codes/score/versions/1, script: score.py}
    """


def test_given_all_that_a_rule_can_say_when_read_then_every_field_counts(folder: Folder) -> None:
    folder.write("tenants/northwind.yaml", NORTHWIND_IN_FULL)

    _, northwind = read_folder(folder.root).tenants

    assert northwind.publications == (
        Publication(
            name="cards",
            registry="contoso-hub",
            assets=(AssetPattern(Kind.MODEL, "credit-*"),),
            to=("*",),
            rename="{tenant}-{name}",
            regions=("westeurope", "eastus2"),
            environment="inference:3",
        ),
    )
    (subscription,) = northwind.subscriptions
    assert subscription.approval is Approver.SUBSCRIBER
    assert subscription.actions == (
        Register(Mode.COPY),
        OnlineEndpoint(
            name="cards",
            instance_type="Standard_DS3_v2",
            instance_count=1,
            traffic=(10, 100),
            auth_mode=AuthMode.AAD_TOKEN,
            keep=0,
            adopt=True,
            sample_request='{"input_data": [[1, 2.5], ["\\u00e4", null]]}',
            scoring=Scoring(
                code="azureml://registries/contoso-hub/codes/score/versions/1",
                script="src/score.py",
                environment="azureml://registries/azureml/environments/sklearn-1.5/versions/36",
            ),
        ),
        BatchEndpoint(
            name="cards-nightly",
            compute="cpu-cluster",
            instance_count=2,
            keep=18,
            scoring=Scoring(f"{workspace('workspace1')}/codes/score/versions/1", "score.py"),
        ),
    )


@pytest.mark.parametrize(
    ("words", "open_for", "written"),
    [
        ("30m", timedelta(minutes=30), "30m"),
        ("4h", timedelta(hours=4), "4h"),
        ("1d", timedelta(days=1), "1d"),
        ("1h30m", timedelta(minutes=90), "1h30m"),
        ("90m", timedelta(minutes=90), "1h30m"),
        ("2d1h1m", timedelta(days=2, hours=1, minutes=1), "2d1h1m"),
        ("1w", timedelta(days=7), "7d"),
        ("90s", timedelta(seconds=90), "1m30s"),
    ],
)
def test_given_a_window_when_read_and_written_then_it_stays_open_as_long(
    folder: Folder, words: str, open_for: timedelta, written: str
) -> None:
    folder.change("tenants/fabrikam.yaml", "release: immediately", window(hours=words))

    fabrikam, _ = read_folder(folder.root).tenants

    (subscription,) = fabrikam.subscriptions
    assert (subscription.approval, subscription.window) == (None, Window("0 1 * * SUN", open_for, "Europe/Berlin"))
    (document,) = to_document(fabrikam)["subscriptions"]
    assert document["release"] == {"window": "0 1 * * SUN", "for": written, "timezone": "Europe/Berlin"}


CODE = "azureml://registries/contoso-hub/codes/score/versions/1"
OTHER_S_CODE = "WORKSPACE3/codes/score/versions/1"
ONLINE = "{online_endpoint: {name: cards, instance_type: Standard_DS3_v2, instance_count: 2, traffic: [10, 100]}}"
AN_ACTION = "23: subscriptions[0].actions[1]:"
AN_ENDPOINT = "23: subscriptions[0].actions[1].online_endpoint"
A_BATCH = "23: subscriptions[0].actions[1].batch_endpoint"
A_WINDOW = "24: subscriptions[0].release"


def scoring(fields: str) -> str:
    return f"instance_count: 2, scoring: {{{fields}}},"


def window(cron: str = '"0 1 * * SUN"', hours: str = "4h", zone: str = "Europe/Berlin") -> str:
    return f"release: {{window: {cron}, for: {hours}, timezone: {zone}}}"


MISTAKES = [
    # (old, new, where it is told, what is told) in tenants/fabrikam.yaml
    ("id: fabrikam\n", "id: fabrikam\nowner: me\n", "2: owner:", "no field here"),
    ("publications:", "publication:", "6: publication:", "did you mean 'publications'"),
    ("    to: [banks]\n", "", "14: publications[1].to:", "is missing"),
    ("state: paused", "state: asleep", "2: state:", "write 'active' or 'paused'"),
    ("id: fabrikam", "id: 17", "1: id:", "is not a text"),
    ("id: fabrikam", "id: fabrikam inc", "1: id:", "is not a name"),
    ("area: [eu, uk]", "area: [eu, no]", "10: publications[0].assets[0].tags.area[1]:", "in quotes"),
    ("stage: production", "stage: true", "10: publications[0].assets[0].tags.stage:", "a text or a list of texts"),
    ('"credit-card-*"', '"[cd]*"', "10: publications[0].assets[0].name:", "wildcards"),
    ("kind: environment", "kind: notebook", "11: publications[0].assets[1].kind:", "'notebook' cannot stand here"),
    ("into: WORKSPACE2", "into: /workspaces/workspace2", "22: subscriptions[0].into:", "is not the ARM id of a workspace"),
    ("into: WORKSPACE2", "into: WORKSPACE1", "22: subscriptions[0].into:", "not one of fabrikam's workspaces"),
    ("workspaces: [WORKSPACE3]", "workspaces: [WORKSPACE1]", "12: publications[0].workspaces[0]:", "not one of fabrikam's"),
    ("- WORKSPACE3\n", "- WORKSPACE1\n", "workspaces[0]:", "stands in tenants/fabrikam.yaml already"),
    ("registry: contoso-hub", "registry: hub", "8: publications[0].registry:", "(contoso-hub, contoso-banks)"),
    ('to: ["*"]', "to: [shops]", "13: publications[0].to[0]:", "no tenant or group 'shops'"),
    ("from: [northwind, banks]", "from: [northwind, shops]", "20: subscriptions[0].from[1]:", "no tenant or group 'shops'"),
    ("from: [northwind, banks]", "from: []", "20: subscriptions[0].from:", "is empty"),
    ("name: inner", "name: cards", "14: publications[1].name:", "'cards' stands here twice"),
    ("to: [banks]", "to: [fabrikam]", "17: publications[1].to:", "advisory: true"),
    ('kind: model, name: "northwind-credit-*"', 'kind: data, name: "*"', "23: subscriptions[0].actions[1]", "only models"),
    ("Standard_DS3_v2", "Standard_NC6", "actions[1].online_endpoint.instance_type:", "instance type Standard_NC6"),
    ("instance_count: 2", "instance_count: 5", "actions[1].online_endpoint.instance_count:", "5 instances are more"),
    ("instance_count: 2", 'instance_count: "2"', "23: subscriptions[0].actions[1].online_endpoint.instance_count:", "whole"),
    ("{name: cards,", "{name: ca,", "23: subscriptions[0].actions[1].online_endpoint.name:", "3 to 32"),
    ("{name: cards,", "{name: cards-,", "23: subscriptions[0].actions[1].online_endpoint.name:", "3 to 32"),
    ("[10, 100]", "[10, 50]", "23: subscriptions[0].actions[1].online_endpoint.traffic:", "do not rise to 100"),
    ("[10, 100]", "[50, 10, 100]", "23: subscriptions[0].actions[1].online_endpoint.traffic:", "do not rise to 100"),
    ("[register,", "[register, register,", "23: subscriptions[0].actions[1]:", "twice"),
    ("[register,", "[deploy,", "23: subscriptions[0].actions[0]:", "write 'register'"),
    ("[register,", "[register, {register: {mode: copy}},", "23: subscriptions[0].actions[1]:", "twice"),
    ("[register,", "[{register: {mode: move}},", "23: subscriptions[0].actions[0].register.mode:", "'reference' or 'copy'"),
    ("[register,", "[{register: },", "23: subscriptions[0].actions[0].register:", "has no fields"),
    ("online_endpoint:", "online_endpont:", AN_ACTION, "register, online_endpoint, batch_endpoint"),
    ("{online_endpoint:", "{register: {}, online_endpoint:", AN_ACTION, "must be an action"),
    ("instance_count: 2", "keeps: 2", f"{AN_ENDPOINT}.keeps:", "did you mean 'keep'"),
    ("instance_count: 2", "keep: 19", f"{AN_ENDPOINT}.keep:", "less than or equal to 18"),
    ("instance_count: 2", "keep: -1", f"{AN_ENDPOINT}.keep:", "greater than or equal to 0"),
    ("instance_count: 2", "adopt: adopted", f"{AN_ENDPOINT}.adopt:", "write true or false"),
    ("instance_count: 2", "auth_mode: password", f"{AN_ENDPOINT}.auth_mode:", "write 'key', 'aml_token' or 'aad_token'"),
    ("instance_count: 2", "sample_request: hello", f"{AN_ENDPOINT}.sample_request:", "is not JSON"),
    ("instance_count: 2", 'sample_request: "[NaN]"', f"{AN_ENDPOINT}.sample_request:", "is not JSON"),
    ("instance_count: 2", "sample_request: {a: .nan}", f"{AN_ENDPOINT}.sample_request:", "is not JSON"),
    ("instance_count: 2", "sample_request: {day: 2026-03-01}", f"{AN_ENDPOINT}.sample_request:", "nothing that JSON can say"),
    ("instance_count: 2", "sample_request: {1: a}", f"{AN_ENDPOINT}.sample_request:", "nothing that JSON can say"),
    ("instance_count: 2", "sample_request: 5", f"{AN_ENDPOINT}.sample_request:", "a mapping, a list, or a text"),
    ("instance_count: 2,", scoring("script: score.py"), f"{AN_ENDPOINT}.scoring.code:", "is missing"),
    ("instance_count: 2,", scoring("code: score, script: score.py"), f"{AN_ENDPOINT}.scoring.code:", "<registry>/codes/"),
    ("instance_count: 2,", scoring(f"code: {CODE[:-2]}, script: score.py"), f"{AN_ENDPOINT}.scoring.code:", "<registry>/codes/"),
    ("instance_count: 2,", scoring(f"code: {CODE}, script: ../score.py"), f"{AN_ENDPOINT}.scoring.script:", "ending in .py"),
    ("instance_count: 2,", scoring(f"code: {CODE}, script: score.sh"), f"{AN_ENDPOINT}.scoring.script:", "ending in .py"),
    (
        "instance_count: 2,",
        scoring(f"code: {CODE}, script: score.py, environment: {CODE}"),
        f"{AN_ENDPOINT}.scoring.environment:",
        "<registry>/environments/",
    ),
    (
        "instance_count: 2,",
        scoring(f"code: {OTHER_S_CODE}, script: score.py"),
        f"{AN_ENDPOINT}.scoring.code:",
        "cannot use what is in workspace workspace3",
    ),
    (ONLINE, "{batch_endpoint: {name: cards}}", f"{A_BATCH}.compute:", "is missing"),
    (ONLINE, '{batch_endpoint: {name: cards, compute: "azureml:cpu"}}', f"{A_BATCH}.compute:", "is not a name"),
    (ONLINE, "{batch_endpoint: {name: ca, compute: cpu}}", f"{A_BATCH}.name:", "3 to 32"),
    (ONLINE, "{batch_endpoint: {name: cards, compute: cpu, traffic: [100]}}", f"{A_BATCH}.traffic:", "no field here"),
    (
        ONLINE,
        "{batch_endpoint: {name: cards, compute: cpu, instance_count: 5}}",
        f"{A_BATCH}.instance_count:",
        "5 instances are more",
    ),
    ("release: immediately", "release: later", "24: subscriptions[0].release:", "write 'immediately'"),
    ("release: immediately", "release: {approval: me}", "24: subscriptions[0].release.approval:", "'provider' or 'subscriber'"),
    ("release: immediately", "release: [later]", "24: subscriptions[0].release:", "must be a text or a mapping"),
    ("release: immediately", window('"1 * * SUN"'), f"{A_WINDOW}.window:", "no cron expression: it has 4 fields, not 5"),
    ("release: immediately", window('"0 25 * * SUN"'), f"{A_WINDOW}.window:", "no cron expression: bad hour"),
    ("release: immediately", window('"0 0 31 2 *"'), f"{A_WINDOW}.window:", "each Sunday at 01:00"),
    ("release: immediately", window(zone="Europe/Berln"), f"{A_WINDOW}.timezone:", "did you mean 'Europe/Berlin'?"),
    ("release: immediately", window(zone="CE Standard"), f"{A_WINDOW}.timezone:", "a name of the IANA database"),
    ("release: immediately", window(hours="0m"), f"{A_WINDOW}.for:", "'0m' is no time at all"),
    ("release: immediately", window(hours="-4h"), f"{A_WINDOW}.for:", "1d or 1h30m: so long the window stays open"),
    ("release: immediately", window(hours="4"), f"{A_WINDOW}.for:", "4 is no duration"),
    ("release: immediately", window(hours="30m30m"), f"{A_WINDOW}.for:", "'30m30m' is no duration"),
    ("release: immediately", window(hours='""'), f"{A_WINDOW}.for:", "'' is no duration"),
    ("release: immediately", 'release: {window: "0 1 * * *", for: 4h}', f"{A_WINDOW}.timezone:", "is missing"),
    ("release: immediately", "release: {for: 4h, timezone: UTC}", f"{A_WINDOW}.window:", "is missing"),
    (
        "release: immediately",
        'release: {approval: provider, window: "0 1 * * *", for: 4h, timezone: UTC}',
        f"{A_WINDOW}.approval:",
        "is no field here",
    ),
    ("name: inner\n", 'name: inner\n    as: "{tenant}-{kind}"\n', "15: publications[1].as:", "no other placeholders"),
    ("name: inner\n", 'name: inner\n    as: "data.{name}"\n', "15: publications[1].as:", "letters, digits"),
    ("name: inner\n", 'name: inner\n    as: "-{name}"\n', "15: publications[1].as:", "beginning with a letter"),
    ("name: inner\n", 'name: inner\n    as: "{tenant}"\n', "15: publications[1].as:", "one and the same name"),
    ("name: inner\n", f"name: inner\n    as: '{{name}}{'x' * 255}'\n", "15: publications[1].as:", "which a registry refuses"),
    ("name: inner\n", "name: inner\n    regions: [West Europe]\n", "15: publications[1].regions[0]:", "westeurope"),
    ("name: inner\n", "name: inner\n    environment: inference\n", "15: publications[1].environment:", "name:version"),
    ("name: inner\n", "name: inner\n    environment: inference:3\n", "15: publications[1].environment:", "lets none out"),
    ("id: fabrikam\n", "id: fabrikam\nentra_tenant: 0-1\n", "2: entra_tenant:", "different Entra tenants"),
    ("id: fabrikam\n", "id: fabrikam\nid: fabrikam\n", "2: id:", "stands here twice"),
    ("- name: cards-live", "- {name: cards-live, name: b", "", "is not YAML"),
    ("to: [banks]", "to: &all [banks]\n    workspaces: *all", "18: ", "an alias"),
]


@pytest.mark.parametrize(("old", "new", "where", "what"), MISTAKES, ids=[f"{new[:40]}" for _, new, _, _ in MISTAKES])
def test_given_one_mistake_when_read_then_file_line_path_and_remedy_are_told(
    folder: Folder, old: str, new: str, where: str, what: str
) -> None:
    for name in ("workspace1", "workspace2", "workspace3"):
        old = old.replace(name.upper(), str(workspace(name)))
    folder.change("tenants/fabrikam.yaml", old, new)

    told = [problem for problem in folder.problems() if what in problem]

    assert told, folder.problems()
    assert all(problem.startswith("tenants/") and where in problem and "Remedy: " in problem for problem in told)
    assert not any("Remedy: correct it" in problem for problem in told)


def test_given_bytes_to_copy_of_what_has_none_when_read_then_it_is_refused(folder: Folder) -> None:
    folder.change("tenants/fabrikam.yaml", ONLINE, "{register: {mode: copy}}")
    folder.change("tenants/fabrikam.yaml", "[register, ", "[")
    folder.change("tenants/fabrikam.yaml", 'kind: model, name: "northwind-credit-*"', 'kind: component, name: "*"')

    (problem,) = folder.problems()

    assert problem.startswith("tenants/fabrikam.yaml:23: subscriptions[0].actions[0].register.mode: only models and data")


def test_given_several_names_that_would_become_one_when_read_then_it_is_refused(folder: Folder) -> None:
    folder.change(
        "tenants/fabrikam.yaml", 'assets: [{kind: data, name: "*"}]', "assets: [{kind: data, name: a}, {kind: data, name: b}]"
    )
    folder.change("tenants/fabrikam.yaml", "name: inner\n", "name: inner\n    as: cards\n")

    (problem,) = folder.problems()

    assert "15: publications[1].as: several assets of kind data would get one and the same name" in problem


def test_given_one_name_that_becomes_another_when_read_then_it_is_accepted(folder: Folder) -> None:
    folder.change("tenants/fabrikam.yaml", 'assets: [{kind: data, name: "*"}]', "assets: [{kind: data, name: a.b}]")
    folder.change("tenants/fabrikam.yaml", "name: inner\n", 'name: inner\n    as: "{tenant}-cards"\n')

    fabrikam, _ = read_folder(folder.root).tenants

    assert fabrikam.publications[1].name_in_registry("fabrikam", "a.b") == "fabrikam-cards"


def test_given_a_name_that_a_registry_refuses_when_read_then_it_is_told_as_far_as_it_is_known(folder: Folder) -> None:
    folder.change("tenants/fabrikam.yaml", 'assets: [{kind: data, name: "*"}]', 'assets: [{kind: data, name: "v1.*"}]')
    folder.change("tenants/fabrikam.yaml", "name: inner\n", 'name: inner\n    as: "{tenant}-{name}"\n')

    (problem,) = folder.problems()

    assert "15: publications[1].as: it makes names such as 'fabrikam-v1.x', which a registry refuses" in problem


def test_given_a_sample_request_as_text_when_read_then_it_is_taken_as_it_stands(folder: Folder) -> None:
    folder.change("tenants/fabrikam.yaml", "instance_count: 2", "sample_request: '{\"input_data\":[[1]]}'")

    fabrikam, _ = read_folder(folder.root).tenants

    _, endpoint = fabrikam.subscriptions[0].actions
    assert isinstance(endpoint, OnlineEndpoint)
    assert endpoint.sample_request == '{"input_data":[[1]]}'


def test_given_one_mistake_when_read_then_nothing_else_is_blamed_for_it(folder: Folder) -> None:
    folder.change("tenants/northwind.yaml", "id: northwind", "id: northwind\nstatus: paused")

    (problem,) = folder.problems()

    assert problem.startswith("tenants/northwind.yaml:2: status: is no field here")


def test_given_mistakes_in_several_files_when_read_then_all_are_told_together_in_order(folder: Folder) -> None:
    folder.change("provider.yaml", "[fabrikam, northwind]", "[fabrikam, contoso]")
    folder.change("tenants/fabrikam.yaml", "state: paused", "state: asleep")
    folder.change("tenants/northwind.yaml", "id: northwind", "id: northwind\nid: northwind")

    provider, fabrikam, northwind = folder.problems()

    assert provider.startswith("provider.yaml:6: groups.banks[1]: there is no tenant 'contoso'")
    assert fabrikam.startswith("tenants/fabrikam.yaml:2: state: ")
    assert northwind.startswith("tenants/northwind.yaml:2: id: this field stands here twice")


def test_given_a_workspace_in_two_tenants_by_another_case_when_read_then_it_is_refused(folder: Folder) -> None:
    folder.change("tenants/northwind.yaml", "workspace1", "WorkSpace2")

    (problem,) = folder.problems()

    assert problem.startswith("tenants/northwind.yaml:2: workspaces[0]: WorkSpace2 stands in tenants/fabrikam.yaml already")


def test_given_two_files_of_one_tenant_when_read_then_the_second_is_refused(folder: Folder) -> None:
    folder.write("tenants/zz.yaml", "id: northwind\nworkspaces: [WORKSPACE4]".replace("WORKSPACE4", str(WORKSPACES[3])))

    (problem,) = folder.problems()

    assert problem.startswith("tenants/zz.yaml:1: id: 'northwind' is the tenant of tenants/northwind.yaml too")


def test_given_a_tenant_with_the_provider_s_own_name_when_read_then_it_is_refused(folder: Folder) -> None:
    folder.write("tenants/zz.yaml", f"id: provider\nworkspaces: [{WORKSPACES[3]}]")

    (problem,) = folder.problems()

    assert problem.startswith("tenants/zz.yaml:1: id: 'provider' stands for the provider in outcome events")


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("{banks:", "{northwind:", "provider.yaml:6: groups.northwind: 'northwind' is a tenant too"),
        ("contoso-banks", "contoso-hub", "provider.yaml:4: registries[1].name: 'contoso-hub' stands here twice"),
        ("readers: [banks]", "readers: [shops]", "provider.yaml:4: registries[1].readers[0]: there is no tenant or group"),
        ("readers: [banks]", "readers: banks", "provider.yaml:4: registries[1].readers: 'banks' cannot stand here"),
        ("max_instances: 4", "max_instances: many", "provider.yaml:5: limits.max_instances: "),
    ],
)
def test_given_a_mistake_of_the_provider_when_read_then_it_is_told(folder: Folder, old: str, new: str, where: str) -> None:
    folder.change("provider.yaml", old, new)

    assert any(problem.startswith(where) for problem in folder.problems()), folder.problems()


def test_given_a_narrow_publication_that_says_advisory_when_read_then_it_is_accepted(folder: Folder) -> None:
    folder.change("tenants/fabrikam.yaml", "to: [banks]", "to: [fabrikam]\n    advisory: true")

    fabrikam, _ = read_folder(folder.root).tenants

    assert fabrikam.publications[1].advisory


def test_given_the_provider_s_own_entra_tenant_in_a_tenant_s_file_when_read_then_it_is_accepted(folder: Folder) -> None:
    same = "entra_tenant: 99999999-0000-0000-0000-000000000000"
    folder.change("tenants/northwind.yaml", "id: northwind", f"id: northwind\n{same}")

    assert read_folder(folder.root)


def test_given_no_files_when_read_then_what_is_missing_is_told_by_the_path_that_was_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidRulesError) as invalid:
        read_folder(tmp_path / "rules")

    (problem,) = map(str, invalid.value.problems)
    assert problem.startswith(f"{tmp_path}/rules/provider.yaml:1: cannot be read (No such file or directory). Remedy: write it")


def test_given_a_provider_and_no_tenants_when_read_then_it_is_right_so(tmp_path: Path) -> None:
    (tmp_path / "provider.yaml").write_text("registries: [{name: contoso-hub, readers: '*'}]\n", encoding="utf-8")

    read = read_folder(tmp_path)
    assert (read.provider, read.tenants) == (Provider((RegistryRule("contoso-hub", ("*",)),)), ())


@pytest.mark.parametrize("content", [b"", b"just words", b"- a\n- b", b"\xff\xfe\x00", b"[" * 5000, b"? [a]\n: b"])
def test_given_a_file_that_holds_something_else_when_read_then_it_is_refused(folder: Folder, content: bytes) -> None:
    (folder.root / "tenants/northwind.yaml").write_bytes(content)

    assert folder.problems()[0].startswith("tenants/northwind.yaml:1: ")


def test_the_demo_s_rules_are_right() -> None:
    tenants = read_folder(Path(__file__).parents[2] / "infra/local/demo/rules").tenants

    assert [tenant.id for tenant in tenants] == ["adventure", "fabrikam", "northwind", "tailwind"]


@given(random_rules.providers)
def test_a_provider_written_out_and_read_again_is_the_same(provider: Provider) -> None:
    assert provider_from_document(to_document(provider)) == provider


@given(st.sampled_from(random_rules.TENANTS).flatmap(lambda name: random_rules.tenants(name, WORKSPACES)))
def test_a_tenant_written_out_and_read_again_is_the_same(tenant: Tenant) -> None:
    assert tenant_from_document(to_document(tenant)) == tenant


@given(random_rules.actions)
def test_an_action_written_out_and_read_again_is_the_same(action: Action) -> None:
    assert action_value(_ACTIONS.validate_python(action_to_document(action))) == action


WRITTEN_BEFORE = {
    "id": "fabrikam",
    "state": "active",
    "workspaces": [str(WORKSPACES[1])],
    "publications": [
        {
            "name": "cards",
            "registry": "contoso-hub",
            "assets": [{"kind": "model", "name": "*"}],
            "workspaces": [],
            "to": ["*"],
            "advisory": False,
        }
    ],
    "subscriptions": [
        {
            "name": "cards",
            "from": ["northwind"],
            "assets": [{"kind": "model", "name": "*"}],
            "into": str(WORKSPACES[1]),
            "actions": [
                "register",
                {"online_endpoint": {"name": "cards", "instance_type": "Standard_DS3_v2", "instance_count": 1, "traffic": [100]}},
            ],
            "release": "immediately",
        }
    ],
}


def test_rules_that_an_older_version_wrote_are_read_and_written_as_it_can_read_them() -> None:
    assert to_document(tenant_from_document(WRITTEN_BEFORE)) == WRITTEN_BEFORE
