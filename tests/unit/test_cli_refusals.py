"""What the command line refuses before it needs any setting."""

import pytest
from typer.testing import CliRunner

from handlers.cli.all_commands import app
from tests.unit.example_rows import A_DELIVERY, A_SHARE

WITHOUT_SETTINGS = {"Tables": None, "ServiceBus": None, "COLUMNS": "120"}
SHARE_ID, DELIVERY_ID = str(A_SHARE.address), str(A_DELIVERY.address)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["push", "card:3"], "write kind:name:version, such as model:credit-card:3"),
        (["push", "model:ca rd:3"], "Not sent: asset.name: "),
        (["push", "model:card:3", "--actions", "{restart: {}}"], "Not sent: actions.0: must be an action"),
        (["push", "model:card:3", "--actions", "nowhere.yaml"], "--actions: [Errno 2]"),
        (["push", "model:card:3", "--actions", "{"], "--actions: while parsing"),
        (["push", "model:card:3", "--actions", "2026-13-45"], "--actions: '2026-13-45' cannot be read as timestamp"),
        (["push", "model:card:3", "--actions", "&a [*a]"], "--actions: an alias (*) cannot stand here"),
        (["push", "model:card:3", "--actions", "[" * 100_000], "--actions: it is nested too deeply"),
        (["push", "model:card:3", "--actions", '"\\ud800"'], "--actions: '\\ud800' cannot be read as str"),
        (["push", "model:card:3", "--actions", "\udcff"], "--actions: unacceptable character #x00ff"),
        (["push", "model:card:3", "--actions", "\0.yaml"], "--actions: "),
        (["push", "model:card:3", "--wait", "--timeout", "soon"], "write a number and w, d, h, m or s"),
        (["push", "model:card:3", "--correlation-id", "x" * 129], "--correlation-id has 129 characters: write 1 to 128."),
        (["share", "model:card:3", "--from", "/subscriptions/s"], "is not the ARM id of a workspace"),
        (["recall", "model:card:3", "--reason", ""], "Not sent: reason: "),
        (["recall", "model:card:3", "--reason", "\udcff"], "Not sent: Invalid JSON: lone"),
        (["push", "model:card:\udcff"], "Not sent: Invalid JSON: lone"),
        (["cancel", DELIVERY_ID, "--by", "\udcff"], "Not sent: Invalid JSON: lone"),
        (
            ["push", "model:card:3", "--correlation-id", "\udcff"],
            "--correlation-id '\\udcff': write characters that can be printed.",
        ),
        (["approve", SHARE_ID], "is a share: write delivery/…/…"),
        (["retry", "4711"], "'4711' is no id: write delivery/…/… or share/…/…"),
        (["deliveries", "--failed", "--open"], "write one of them"),
        (["deliveries", "--since", "yesterday"], "write how long ago, such as 2d or 12h, or a date, such as 2026-11-20"),
        (["status", "card"], "write kind:name:version"),
        (["status", "fruit:apple:3"], "fruit:apple:3"),
        (["rejected", "resend", "1", "--body", "nowhere.json"], "--body: [Errno 2]"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_read_or_sent(arguments: list[str], told: str) -> None:
    refused = CliRunner().invoke(app, arguments, env=WITHOUT_SETTINGS)

    assert refused.exit_code == 2
    assert told in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize("arguments", [["retry", DELIVERY_ID], ["status"], ["deliveries"], ["rejected", "list"], ["watch"]])
def test_a_setting_that_is_missing_is_told_with_its_remedy(arguments: list[str]) -> None:
    stopped = CliRunner().invoke(app, arguments, env=WITHOUT_SETTINGS)

    assert stopped.exit_code == 1
    assert "to a connection string, or " in stopped.stderr
