"""The public contract of queue `commands`: what is accepted, and how a refusal names what is wrong."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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
    assert command.source == WorkspaceId.parse(NORTHWIND)
    assert command.what == Asset(Kind.MODEL, "credit-card", "7")


@given(workspace=workspaces, asset=assets)
def test_what_fanout_writes_it_reads(workspace: WorkspaceId, asset: Asset) -> None:
    command = commands.parse(commands.share_of(workspace, asset))
    assert (command.source, command.what) == (workspace, asset)


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
    assert refusal(a_share("type", "teleport")).reason.text == "type: 'teleport' is not one of share"


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
