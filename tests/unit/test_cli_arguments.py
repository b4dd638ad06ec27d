"""What people write on the command line, and what it is taken for."""

import string
from datetime import UTC, datetime

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from handlers.cli import arguments
from handlers.cli.documents import asset_text
from shared.actions import Register
from shared.assets import Asset, Kind
from shared.rows import RowKind
from shared.rules import Rules
from tests.unit.example_rows import A_DELIVERY, A_SHARE
from tests.unit.world import rules, subscriber, workspace

NAMES = st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=40)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def the_rules() -> Rules:
    return rules(subscriber("fabrikam", Register()))


@given(st.builds(Asset, st.sampled_from(Kind), NAMES, NAMES))
def test_an_asset_is_read_as_it_is_shown(asset: Asset) -> None:
    assert arguments.asset_in(asset_text(asset)) == asset


@pytest.mark.parametrize("text", ["", "model", "model:card", "model:card:", "model::1", "modell:card:1", "model:card:1:2"])
def test_what_is_no_asset_is_told_with_an_example(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        arguments.asset_in(text)

    assert ended.value.exit_code == 2
    assert "write kind:name:version, such as model:credit-card:3" in " ".join(capsys.readouterr().err.split())


def test_an_assets_version_may_be_left_open_where_any_is_meant() -> None:
    assert arguments.any_version_in("model:card") == (Kind.MODEL, "card", None)
    assert arguments.any_version_in("model:card:3") == (Kind.MODEL, "card", "3")


def test_what_is_no_duration_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        arguments.duration_in("30m30m")

    assert ended.value.exit_code == 2
    assert "'30m30m' is no duration: write a number and w, d, h, m or s, each at most once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2d", datetime(2026, 2, 27, 12, tzinfo=UTC)),
        ("2026-02-27", datetime(2026, 2, 27, tzinfo=UTC)),
        ("2026-02-27T13:00+01:00", datetime(2026, 2, 27, 12, tzinfo=UTC)),
        ("0001-01-01T00:00+23:59", arguments.EARLIEST),
        ("99999d", arguments.EARLIEST),
        ("9999-12-31T23:59-23:59", NOON),
    ],
)
def test_since_is_how_long_ago_or_a_date(text: str, meant: datetime) -> None:
    assert arguments.since_in(text, NOON) == meant


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "9999999w", "999999w", "1d1d"])
def test_what_is_no_past_time_is_refused(text: str) -> None:
    with pytest.raises(typer.Exit) as ended:
        arguments.since_in(text, NOON)

    assert ended.value.exit_code == 2


def test_a_row_is_named_by_its_id_and_only_by_one_that_fits() -> None:
    assert arguments.address_in(str(A_DELIVERY.address), RowKind.DELIVERY) == A_DELIVERY.address
    assert arguments.address_in(str(A_SHARE.address), RowKind.DELIVERY, RowKind.SHARE) == A_SHARE.address
    for wrong in (str(A_SHARE.address), "delivery/1/2", "4711"):
        with pytest.raises(typer.Exit):
            arguments.address_in(wrong, RowKind.DELIVERY)


def test_a_workspace_is_named_by_its_arm_id_or_by_a_name_that_is_its_alone() -> None:
    assert arguments.workspace_in(str(workspace("unknown")), NotImplemented) == workspace("unknown")
    assert arguments.workspace_in("Fabrikam", the_rules) == workspace("fabrikam")
    with pytest.raises(typer.Exit):
        arguments.workspace_in("nowhere", the_rules)


def test_a_pull_goes_into_the_tenants_only_workspace_where_none_is_named() -> None:
    assert arguments.receiving_workspace("", "fabrikam", the_rules) == workspace("fabrikam")
    with pytest.raises(typer.Exit):
        arguments.receiving_workspace("", "nobody", the_rules)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("register", ["register"]),
        ('[{"register": {"mode": "copy"}}]', [{"register": {"mode": "copy"}}]),
        ("{register: {mode: copy}}", [{"register": {"mode": "copy"}}]),
    ],
)
def test_actions_are_written_as_a_subscription_has_them(text: str, meant: list[object]) -> None:
    assert arguments.actions_in(text) == meant
