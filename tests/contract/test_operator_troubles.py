"""What an operator is told where something cannot be reached, or is not set up; and what Tab offers."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from infra.local.service_bus.testing import Desk, RunningBroker
from tests.contract.operator import Operator
from tests.contract.table_service import ROOT
from tests.unit.example_rows import A_DELIVERY

QUEUES: dict[str, dict[str, Any]] = {"commands": {}, "rejected": {}}
BUS = "Endpoint=sb://127.0.0.1:{};SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true"
RETRY = ("retry", str(A_DELIVERY.address))
SHOWING = [
    ["status"],
    ["deliveries"],
    ["show", str(A_DELIVERY.address)],
    ["explain", "model:credit-card-default", "--workspace", "workspace1"],
    ["rejected", "list"],
    ["rejected", "show", "7"],
]


@pytest.fixture(scope="module")
def operator(connection: str, broker: RunningBroker) -> Operator:
    operator = Operator({"Tables": connection, "ServiceBus": broker.connection_string, "COLUMNS": "40"})
    operator.run("apply", str(ROOT / "infra/local/demo/rules"))
    return operator


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where connections are taken, and nothing is ever answered."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def away(operator: Operator, **settings: str) -> Operator:
    return Operator(operator.settings | settings)


@pytest.mark.parametrize("arguments", [RETRY, ["rejected", "list"]])
def test_a_queue_that_cannot_be_reached_is_told_with_exit_code_1(operator: Operator, arguments: Sequence[str]) -> None:
    told = away(operator, ServiceBus=BUS.format(1)).run(*arguments, exits=1)

    assert "Connection refused" in told.stderr
    assert "Try again when the queue can be reached, or see that the settings are right" in told.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [RETRY, ["rejected", "list"]])
def test_a_queue_that_takes_connections_and_says_nothing_is_given_up(
    operator: Operator, silent: int, arguments: Sequence[str]
) -> None:
    told = away(operator, ServiceBus=BUS.format(silent)).run(*arguments, exits=1)

    assert told.stderr.startswith("the queue took longer than 15 seconds to answer\nTry again")


@pytest.mark.slow
def test_tables_that_take_connections_and_say_nothing_are_given_up_at_once(operator: Operator, silent: int) -> None:
    tables = f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:{silent}/a;"

    told = away(operator, Tables=tables).run("status", exits=1)

    assert "Read timed out. (read timeout=15)\nTry again when the tables can be reached" in told.stderr


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        ({"Tables": "no connection string"}, ["status"]),
        ({"Tables": "", "Tables__tableServiceUri": "http://account.table.core.windows.net"}, ["status"]),
        ({"Tables": ""}, ["explain", "model:card"]),
        ({"ServiceBus": "no connection string"}, ["rejected", "list"]),
        ({"ServiceBus": ""}, RETRY),
    ],
)
def test_a_setting_that_is_wrong_is_told_by_its_name_and_with_its_remedy(
    operator: Operator, settings: dict[str, str], command: list[str]
) -> None:
    name = next(iter(settings))

    told = away(operator, **settings).run(*command, exits=1).stderr

    assert told.startswith(f"bad_setting: setting {name}")
    assert f"\nprovider must act: set {name} to " in told


def test_nobody_signed_in_is_told_in_a_line_with_what_to_do(operator: Operator) -> None:
    by_identity = {
        "Tables": "",
        "Tables__tableServiceUri": "https://127.0.0.1:1",
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
    }

    first, remedy = away(operator, **by_identity).run("status", exits=1).stderr.splitlines()

    assert first.startswith("read a row of tenants: ")
    assert "that you are signed in (az login)" in remedy


@pytest.mark.parametrize("arguments", SHOWING, ids=" ".join)
def test_what_is_printed_for_programs_is_json_or_nothing(operator: Operator, desk: Desk, arguments: list[str]) -> None:
    """However narrow the terminal; `run` looks at it."""
    exits = 2 if "show" in arguments else 0

    assert bool(operator.run(*arguments, "--json", exits=exits).stdout) == (exits == 0)
    assert away(operator, Tables="", ServiceBus="").run(*arguments, "--json", exits=1).stdout == ""


def test_a_rejected_body_is_printed_as_it_is_however_narrow_the_terminal(operator: Operator, desk: Desk) -> None:
    body = {"type": "recall", "reason": "a reason that is longer than forty columns [bold]are[/], and is not for the terminal"}
    desk.send("rejected", json.dumps(body), message_id="long")
    (kept,) = operator.json("rejected", "list")

    shown = operator.run("rejected", "show", str(kept["id"])).stdout

    assert json.dumps(body, indent=2) in shown


def test_tab_offers_the_names_of_the_rules(operator: Operator) -> None:
    assert offered(operator, "status --tenant ") == ["adventure", "fabrikam", "northwind", "tailwind"]
    assert offered(operator, "share model:card:1 --from workspace1") == ["workspace1"]
    assert offered(operator, "backfill --subscription tail") == ["tailwind/credit-card"]
    assert offered(operator, "push model:card:1 --registry c") == ["contoso-hub"]


def test_tab_offers_nothing_and_says_nothing_where_the_rules_cannot_be_read(operator: Operator) -> None:
    assert offered(away(operator, Tables=""), "status --tenant ") == []
    assert offered(away(operator, Tables="no connection string"), "status --tenant ") == []


def offered(operator: Operator, typed: str) -> list[str]:
    """As bash asks."""
    words = f"fanout {typed}"
    asking = {"_FANOUT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [sys.executable, "-m", "handlers.cli"],
        cwd=ROOT,
        env=os.environ | operator.settings | asking,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()
