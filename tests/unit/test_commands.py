"""The public contract of queue `commands`: what is accepted, and how a refusal names what is wrong."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared import commands
from shared.assets import Asset, Kind, WorkspaceId
from shared.errors import Owner, Permanent
from tests.unit.random_json import anything
from tests.unit.random_rows import assets, workspaces

NORTHWIND = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/northwind"
SHARE: dict[str, Any] = {
    "type": "share",
    "workspace": NORTHWIND,
    "asset": {"kind": "model", "name": "credit-card", "version": "7"},
}
MISSING = object()


def a_share(field: str = "type", value: object = "share") -> bytes:
    """A share command with one field, `asset.<field>` for the asset's, set or taken away."""
    command = deepcopy(SHARE)
    holder = command["asset"] if field.startswith("asset.") else command
    name = field.removeprefix("asset.")
    if value is MISSING:
        del holder[name]
    else:
        holder[name] = value
    return json.dumps(command).encode()


def refusal(body: bytes) -> Permanent:
    with pytest.raises(Permanent) as refused:
        commands.parse(body)
    return refused.value


def test_a_share_says_which_asset_of_which_workspace() -> None:
    command = commands.parse(a_share())
    assert isinstance(command, commands.Share)
    assert command.source == WorkspaceId.parse(NORTHWIND)
    assert command.asset.value == Asset(Kind.MODEL, "credit-card", "7")


@given(workspace=workspaces, asset=assets)
def test_what_fanout_writes_it_reads(workspace: WorkspaceId, asset: Asset) -> None:
    command = commands.parse(commands.share_of(workspace, asset))
    assert isinstance(command, commands.Share)
    assert (command.source, command.asset.value) == (workspace, asset)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_asset_can_be_asked_for(kind: Kind) -> None:
    command = commands.parse(a_share("asset.kind", kind.value))
    assert isinstance(command, commands.Share)
    assert command.asset.value.kind is kind


ASSET = SHARE["asset"]
DELIVERY = f"delivery/{'a' * 26}/{'b' * 26}"
A_SHARE = f"share/{'a' * 26}/{'b' * 26}"
ENDPOINT = {"online_endpoint": {"name": "cards", "instance_type": "Standard_DS3_v2", "instance_count": 1, "traffic": [10, 100]}}
COMMANDS: list[dict[str, Any]] = [
    SHARE,
    {**SHARE, "registry": "hub", "fan_out": False},
    {"type": "push", "asset": ASSET, "to": "subscribers"},
    {"type": "push", "asset": ASSET, "to": ["fabrikam", "tailspin"], "registry": "hub", "actions": ["register", ENDPOINT]},
    {"type": "push", "asset": ASSET, "to": "subscribers", "into": [NORTHWIND], "again": False},
    {"type": "pull", "tenant": "fabrikam", "workspace": NORTHWIND, "asset": ASSET},
    {"type": "pull", "tenant": "fabrikam", "workspace": NORTHWIND, "asset": ASSET, "actions": [{"register": {"mode": "copy"}}]},
    {"type": "retry", "delivery": DELIVERY},
    {"type": "retry", "share": A_SHARE},
    {"type": "cancel", "delivery": DELIVERY, "by": "jo@contoso"},
    {"type": "cancel", "share": A_SHARE},
    {"type": "approve", "delivery": DELIVERY, "by": "jo@contoso"},
    {"type": "reject", "delivery": DELIVERY, "by": "jo@contoso"},
    {"type": "recall", "asset": ASSET, "reason": "leaks card numbers"},
]


def named(command: dict[str, Any]) -> str:
    return "-".join([command["type"], *sorted(command.keys() - {"type", "asset", "workspace"})])


@pytest.mark.parametrize("command", COMMANDS, ids=named)
def test_every_command_is_read_and_so_is_a_cloud_event_that_holds_it(command: dict[str, Any]) -> None:
    read = commands.parse(json.dumps(command).encode())
    assert read.type == command["type"]
    event = {"specversion": "1.0", "id": "1", "source": "/orders", "type": "Contoso.Ordered", "data": command}
    assert commands.parse(json.dumps(event).encode()) == read


@pytest.mark.parametrize("command", COMMANDS, ids=named)
def test_the_schema_allows_every_command_and_no_unknown_field(command: dict[str, Any]) -> None:
    validator = Draft202012Validator(commands.json_schema())
    assert list(validator.iter_errors(command)) == []
    assert list(validator.iter_errors({**command, "priority": "high"})) != []


def test_the_schema_is_committed_as_the_types_have_it() -> None:
    committed = Path("shared/commands.schema.json").read_text()
    assert committed == commands.schema_text(), "run `python -m handlers.cli schema > shared/commands.schema.json`"


@pytest.mark.parametrize("kind", ["retry", "cancel"])
@pytest.mark.parametrize("ids", [{}, {"delivery": DELIVERY, "share": A_SHARE}], ids=["none", "both"])
def test_a_command_about_one_row_names_one(kind: str, ids: dict[str, str]) -> None:
    assert "either a delivery or a share" in refusal(json.dumps({"type": kind, **ids}).encode()).reason.text


@pytest.mark.parametrize(
    ("command", "field"),
    [
        ({"type": "push", "asset": ASSET}, "to"),
        ({"type": "push", "asset": ASSET, "to": "everybody"}, "to"),
        ({"type": "push", "asset": ASSET, "to": []}, "to"),
        ({"type": "push", "asset": ASSET, "to": "subscribers", "actions": []}, "actions"),
        ({"type": "push", "asset": ASSET, "to": "subscribers", "actions": ["launch"]}, "actions.0"),
        ({"type": "push", "asset": ASSET, "to": "subscribers", "into": []}, "into"),
        ({"type": "push", "asset": ASSET, "to": "subscribers", "into": [NORTHWIND, "there"]}, "into.1"),
        ({"type": "push", "asset": ASSET, "to": "subscribers", "into": ["/subscriptions/s/workspaces/w"]}, "into.0"),
        ({"type": "pull", "workspace": NORTHWIND, "asset": ASSET}, "tenant"),
        ({"type": "pull", "tenant": "fabrikam", "workspace": "there", "asset": ASSET}, "workspace"),
        ({"type": "retry", "delivery": A_SHARE}, "delivery"),
        ({"type": "retry", "share": DELIVERY}, "share"),
        ({"type": "approve", "delivery": DELIVERY}, "by"),
        ({"type": "reject", "delivery": DELIVERY, "by": ""}, "by"),
        ({"type": "recall", "asset": ASSET}, "reason"),
        ({**SHARE, "fan_out": "yes"}, "fan_out"),
    ],
    ids=str,
)
def test_a_fault_of_any_command_names_its_field(command: dict[str, Any], field: str) -> None:
    assert refusal(json.dumps(command).encode()).reason.text.startswith(f"{field}")


def test_a_cloud_event_without_a_command_says_so() -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/orders", "type": "Contoso.Ordered", "data": "share"}
    assert refusal(json.dumps(event).encode()).reason.text.startswith("data: ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", MISSING),
        ("type", "teleport"),
        ("type", 3),
        ("type", None),
        ("workspace", MISSING),
        ("workspace", "northwind"),
        ("workspace", ""),
        ("workspace", None),
        ("workspace", 7),
        ("workspace", NORTHWIND + "/models/credit-card"),
        ("asset", MISSING),
        ("asset", None),
        ("asset", "credit-card:7"),
        ("asset", []),
        ("asset.kind", MISSING),
        ("asset.kind", "spreadsheet"),
        ("asset.kind", 1),
        ("asset.name", MISSING),
        ("asset.name", ""),
        ("asset.name", "  "),
        ("asset.name", "x" * 256),
        ("asset.name", ["credit-card"]),
        ("asset.name", "../../workspaces/other"),
        ("asset.name", "credit?card"),
        ("asset.version", "1/../2"),
        ("asset.version", "%2e%2e"),
        ("asset.version", MISSING),
        ("asset.version", ""),
        ("asset.version", 7),
        ("asset.version", None),
        ("asset.stage", "production"),
        ("priority", "high"),
    ],
)
def test_a_fault_names_its_field(field: str, value: object) -> None:
    reason = refusal(a_share(field, value)).reason
    assert (reason.code, reason.owner) == ("bad_command", Owner.PROVIDER)
    assert reason.text.startswith(f"{field}: ")
    assert '"type":"share"' in reason.remedy


def test_a_type_that_is_none_is_answered_with_those_there_are() -> None:
    assert refusal(a_share("type", "teleport")).reason.text.startswith("type: 'teleport' is not one of share, push, ")


def test_a_missing_type_is_not_answered_with_the_whole_command() -> None:
    assert "credit-card" not in refusal(a_share("type", MISSING)).reason.text


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"share"', b"7", b"{", b"\xff\xfe", b"[" * 100_000, b'{"type": "\\ud800"}'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    assert refusal(body).reason.code == "bad_command"


@given(body=st.binary())
@example(b"\x00")
@example("{}".encode("utf-16"))
def test_arbitrary_bytes_are_refused_and_nothing_else(body: bytes) -> None:
    assert refusal(body).reason.code == "bad_command"


def outcome(body: bytes) -> str:
    try:
        commands.parse(body)
    except Permanent as refused:
        return refused.reason.code
    return "read"


fields = st.sampled_from(["type", "workspace", "asset", "asset.kind", "asset.name", "asset.version", "more", "asset.more"])


@given(field=fields, value=anything)
def test_a_command_with_anything_in_a_field_is_read_or_refused(field: str, value: object) -> None:
    assert outcome(a_share(field, value)) in ("read", "bad_command")
