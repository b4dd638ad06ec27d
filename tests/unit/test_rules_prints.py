"""Tables of rules: readable however narrow the terminal is."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.cli.rules_prints import print_table

COLUMNS = ("Tenant", "Name", "State", "From", "Actions", "Assets")
ROWS = [
    ("fabrikam", "cards-live", "active", "northwind, eu-banks", "register, online_endpoint cards", "model card-*, stage=live"),
    ("tailwind", "nightly", "paused", "*", "batch_endpoint by-night", "data *"),
]


def printed(
    width: int, rows: Sequence[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    print_table(COLUMNS, rows)
    return capsys.readouterr().out


def test_given_width_when_printed_then_a_rule_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    head, *lines = printed(200, ROWS, monkeypatch, capsys).splitlines()

    assert head.split() == list(COLUMNS)
    assert [line.split()[0] for line in lines] == ["fabrikam", "tailwind"]


def test_given_80_columns_when_printed_then_what_has_no_place_stands_below_its_rule(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = [line.rstrip() for line in printed(80, ROWS, monkeypatch, capsys).splitlines()]

    assert shown == [
        "Tenant    Name        State   From",
        "fabrikam  cards-live  active  northwind, eu-banks",
        "  actions: register, online_endpoint cards",
        "  assets: model card-*, stage=live",
        "tailwind  nightly     paused  *",
        "  actions: batch_endpoint by-night",
        "  assets: data *",
    ]


def test_given_a_word_longer_than_a_line_when_printed_then_it_is_cut_off_and_not_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = printed(60, [(*ROWS[0][:5], f"model {'x' * 100} except y")], monkeypatch, capsys)

    assert f"    {'x' * 55}…\n    except y\n" in shown


_words = st.lists(st.text("abc*-", min_size=1, max_size=12), min_size=1, max_size=12).map(" ".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(40, 120), st.lists(st.tuples(*[_words] * 6), max_size=3))
def test_however_narrow_it_is_each_word_is_there_whole_and_no_line_is_too_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, rows: list[tuple[str, ...]]
) -> None:
    shown = printed(width, [("tenant", *cells[1:]) for cells in rows], monkeypatch, capsys)

    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
    assert {word for cells in rows for cell in cells[1:] for word in cell.split()} <= set(shown.split())
