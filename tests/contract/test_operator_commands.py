"""`python -m handlers.cli …`, as operators run it: what is sent, printed and refused, and the exit codes."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient

from infra.local.service_bus.testing import Desk, RunningBroker
from shared import commands
from shared.assets import Asset, Kind
from shared.azure.ledger import Ledger
from shared.azure.open_work import OpenWorkTable
from shared.azure.tables import create_tables, open_tables
from shared.clock import CorrectedClock
from shared.errors import Owner, Reason
from shared.rows import DeliveryRow, ShareRow, deliveries_of
from shared.states import DeliveryState, ShareState
from tests.contract.operator import Operator
from tests.contract.table_service import ROOT
from tests.unit.example_rows import A_DELIVERY, A_SHARE
from tests.unit.world import credit_card

QUEUES = {"commands": {"RequiresDuplicateDetection": True, "DuplicateDetectionHistoryTimeWindow": "PT10M"}, "rejected": {}}
ARM_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/cards"
NOW = datetime.now(UTC)
MOVED = Reason("forbidden", "the workspace is being moved", Owner.SUBSCRIBER, "wait for its new place")


@pytest.fixture(scope="module")
def operator(connection: str, broker: RunningBroker) -> Operator:
    operator = Operator({"Tables": connection, "ServiceBus": broker.connection_string, "COLUMNS": "120"})
    operator.run("apply", str(ROOT / "infra/local/demo/rules"))
    return operator


@pytest.fixture(scope="module")
def service(connection: str) -> Iterator[TableServiceClient]:
    with open_tables(connection, None, NotImplemented, CorrectedClock()) as service:
        create_tables(service)
        yield service


@pytest.fixture(scope="module")
def deliveries(service: TableServiceClient, operator: Operator) -> dict[str, DeliveryRow]:
    """To Fabrikam, planned yesterday: one that failed, and one that awaits approval."""
    ledger = Ledger(service)
    ledger.insert_share(A_SHARE)
    rows = {}
    for version, state in (("1", DeliveryState.FAILED), ("2", DeliveryState.AWAITING_APPROVAL)):
        address = DeliveryRow.address_of(credit_card(version), "hub", A_DELIVERY.workspace, A_DELIVERY.action.route)
        row = replace(A_DELIVERY, partition=address.partition, asset=credit_card(version), created_at=NOW - timedelta(days=1))
        row = replace(row.tried(NOW - timedelta(hours=3), "register", "refused"), state=state)
        OpenWorkTable(service, ledger).add(deliveries_of(row.asset))
        rows[state.value] = ledger.replace(row)
        ledger.index(row)
    failed = rows["failed"] = rows["failed"].failed(MOVED)
    ledger.close(failed)
    return rows


def taken(desk: Desk) -> tuple[commands.Command, Any]:
    """The command that lies in the queue, as the app reads it, and its message."""
    message = desk.take("commands")
    desk.receiver("commands").complete_message(message)
    return commands.parse(b"".join(message.body)), message


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        (["share", "model:card:3", "--from", ARM_ID, "--registry", "hub", "--no-fan-out"], "share"),
        (["push", "model:card:latest", "--to", "fabrikam", "--to", "tailwind", "--actions", "register"], "push"),
        (["push", "model:card:3", "--into", "workspace2", "--into", ARM_ID], "push"),
        (["pull", "data:rows:1", "--tenant", "tailwind", "--actions", "{register: {mode: copy}}"], "pull"),
        (["retry", str(A_DELIVERY.address)], "retry"),
        (["cancel", str(A_SHARE.address)], "cancel"),
        (["approve", str(A_DELIVERY.address), "--by", "jo"], "approve"),
        (["recall", "model:card:3", "--reason", "leaks card numbers"], "recall"),
    ],
)
def test_what_is_asked_for_is_a_command_that_the_app_understands(
    operator: Operator, desk: Desk, arguments: list[str], sent: str
) -> None:
    told = operator.json(*arguments, "--correlation-id", "order-1")

    command, message = taken(desk)
    assert command.type == sent
    assert told["command"] == json.loads(b"".join(message.body))
    assert (message.correlation_id, message.message_id) == ("order-1", told["message_id"])


def test_a_pull_finds_the_tenants_only_workspace_and_a_correlation_id_is_made(operator: Operator, desk: Desk) -> None:
    told = operator.run("pull", "data:rows:1", "--tenant", "tailwind").stdout

    command, message = taken(desk)
    assert isinstance(command, commands.Pull)
    assert command.workspace.endswith("/workspaces/workspace3")
    assert told == f"Sent, with correlation id {message.correlation_id}.\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["push", "model:card:3", "--actions", "{restart: {}}"], "Not sent: actions.0: must be an action"),
        (["share", "model:card:3", "--from", "nowhere"], "The rules have no workspace called nowhere"),
        (["pull", "model:card:3", "--tenant", "nobody"], "The rules have no tenant 'nobody'"),
        (["show", "delivery/" + "a" * 26 + "/" + "b" * 26], "There is no delivery/"),
        (["rejected", "resend", "99999"], "Queue rejected has no message 99999"),
    ],
)
def test_wrong_input_is_refused_with_what_to_do_and_nothing_is_sent(
    operator: Operator, broker: RunningBroker, arguments: list[str], told: str
) -> None:
    before = broker.queue("commands")["totals"]["sent"]

    refused = operator.run(*arguments, exits=2)

    assert told in " ".join(refused.stderr.split())
    assert broker.queue("commands")["totals"]["sent"] == before


def test_deliveries_are_listed_by_tenant_state_and_time(operator: Operator, deliveries: dict[str, DeliveryRow]) -> None:
    assert [row["asset"] for row in operator.json("deliveries", "--failed")] == ["model:credit-card:1"]
    assert [row["asset"] for row in operator.json("deliveries", "--open")] == ["model:credit-card:2"]
    assert [row["state"] for row in operator.json("deliveries", "--tenant", "fabrikam")] == ["failed", "awaiting_approval"]
    assert operator.json("deliveries", "--tenant", "tailwind") == []
    assert operator.json("deliveries", "--since", "1h") == []


def test_a_failure_is_told_with_its_id_its_reason_and_who_must_act(operator: Operator, deliveries: dict[str, DeliveryRow]) -> None:
    printed = operator.run("deliveries", "--failed").stdout

    failed = deliveries["failed"].address
    assert re.search(r"^failed +fabrikam +model:credit-card:1 +→ fabrikam register +3h", printed, re.MULTILINE)
    assert f"\n  {failed}\n  forbidden: the workspace is being moved\n  subscriber must act: wait for its new place\n" in printed


def test_one_delivery_is_shown_with_its_attempts_and_what_decided(operator: Operator, deliveries: dict[str, DeliveryRow]) -> None:
    details = operator.json("show", str(deliveries["failed"].address))

    assert details["reason"] == {
        "code": "forbidden",
        "text": "the workspace is being moved",
        "owner": "subscriber",
        "remedy": "wait for its new place",
    }
    assert (details["publication"], details["subscription"], details["rules_revision"]) == ("all", "all", 1)
    assert [(attempt["step"], attempt["outcome"]) for attempt in details["attempts"]] == [("register", "refused")]


def test_the_matrix_has_what_is_there_and_marks_what_is_not(operator: Operator, deliveries: dict[str, DeliveryRow]) -> None:
    matrix = operator.run("status").stdout

    assert re.search(r"^Asset +fabrikam", matrix)
    assert re.search(r"^model:credit-card .*1 register failed 3h", matrix, re.MULTILINE)
    assert "2 register awaiting approval 3h" in matrix
    assert {each["state"] for each in operator.json("status", "--tenant", "fabrikam")} == {"failed", "awaiting_approval"}


def test_what_was_shared_and_nobody_got_is_shown(operator: Operator, service: TableServiceClient) -> None:
    fraud = Asset(Kind.MODEL, "fraud", "7")
    at = ShareRow.address_of("hub", fraud)
    share = replace(A_SHARE, partition=at.partition, row=at.row, asset=fraud, state=ShareState.SHARED)
    Ledger(service).insert_share(replace(share, created_at=NOW - timedelta(days=2)))

    shown = operator.run("status").stdout

    assert re.search(r"^model:fraud .*7 origin 2d *$", shown, re.MULTILINE)
    assert "In a registry, and nobody has it: model:fraud:7.\n" in shown
    assert ("model:fraud:7", "origin") in [(each["asset"], each["route"]) for each in operator.json("status")]
    assert "fraud" not in operator.run("status", "--tenant", "fabrikam").stdout
    assert "model:fraud:7" not in operator.run("status", "--since", "1d").stdout


def test_a_rejected_command_is_shown_and_resent_as_it_came(operator: Operator, desk: Desk) -> None:
    body = json.dumps({"type": "recall", "asset": {"kind": "model", "name": "card", "version": "3"}, "reason": "wrong"})
    why = {f"fanout_{name}": name for name in ("code", "reason", "owner", "remedy", "came_by")}
    desk.send("rejected", body, message_id="first", correlation_id="order-9", application_properties={**why, "mine": 1})
    (kept,) = operator.json("rejected", "list")
    assert (kept["body"], kept["code"], kept["remedy"]) == (json.loads(body), "code", "remedy")

    operator.run("rejected", "resend", str(kept["id"]))

    command, message = taken(desk)
    assert isinstance(command, commands.Recall)
    assert (message.correlation_id, message.application_properties) == ("order-9", {b"mine": 1})
    assert message.message_id != "first"
    assert operator.run("rejected", "list").stdout == "None.\n"


def test_what_no_command_can_be_made_of_is_not_resent_unless_mended(operator: Operator, desk: Desk, tmp_path: Path) -> None:
    desk.send("rejected", "{", message_id="broken", application_properties={"fanout_came_by": "events"})
    (kept,) = operator.json("rejected", "list")
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps({"type": "retry", "delivery": str(A_DELIVERY.address)}))

    refused = operator.run("rejected", "resend", str(kept["id"]), exits=2)
    operator.run("rejected", "resend", str(kept["id"]), "--body", str(mended))

    assert "It came by events: mend it, and give the command with --body FILE." in refused.stderr
    command, _ = taken(desk)
    assert command.type == "retry"
    assert operator.json("rejected", "list") == []


def test_what_others_wrote_steers_no_terminal(operator: Operator, desk: Desk, tmp_path: Path) -> None:
    steering = "\x1b[2J\x9b2J"
    why = {"fanout_code": "invalid", "fanout_reason": f"no {steering}type", "fanout_remedy": "mend it"}
    desk.send("rejected", json.dumps({"type": steering}), message_id=steering, application_properties=why)
    (kept,) = operator.json("rejected", "list")

    printed = operator.run("rejected", "list").stdout + operator.run("rejected", "show", str(kept["id"])).stdout

    assert (kept["message_id"], kept["body"]) == (steering, {"type": steering})
    assert printed.count("\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}2J") == 4
    assert "\x1b" not in printed
    (tmp_path / "mended.json").write_text(json.dumps({"type": "retry", "delivery": str(A_DELIVERY.address)}))
    operator.run("rejected", "resend", str(kept["id"]), "--body", str(tmp_path / "mended.json"))
    taken(desk)


def test_a_wait_whose_command_nobody_takes_up_ends_open(operator: Operator, desk: Desk) -> None:
    told = operator.json("retry", str(A_DELIVERY.address), "--wait", "--timeout", "1s", exits=5)

    assert (told["outcome"], told["rows"]) == ("open", [])
    taken(desk)
