"""The local Functions host does with an app what the real one does: over real sockets, with the real worker library.

Each host is a process of its own, as in use; most tests share one, with the app below.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender

from infra.local.functions_host.bindings import read_function
from infra.local.functions_host.errors import HostError
from infra.local.functions_host.host_json import read_host_json
from infra.local.functions_host.schedules import parse_schedule
from infra.local.functions_host.settings import ConnectionString, IdentityConnection, Settings, load_local_settings

APP = """
import json, logging, threading, time
import azure.functions as func

app = func.FunctionApp()
running = 0
lock = threading.Lock()
print("an app may print")

def record(name, **what):
    logging.info("RECORD %s", json.dumps({"name": name, **what}))

@app.route(route="orders/{id:int}", methods=["GET", "PUT"])
def order(req: func.HttpRequest) -> func.HttpResponse:
    if req.params.get("fail"):
        raise ValueError("no such order")
    body = json.dumps({"id": req.route_params["id"], "colour": req.params.get("colour"), "body": req.get_body().decode()})
    return func.HttpResponse(body, status_code=201, headers={"x-answered": "yes"}, mimetype="application/json")

@app.route(route="open", auth_level=func.AuthLevel.ANONYMOUS)
def unlocked(req: func.HttpRequest) -> str:
    time.sleep(float(req.params.get("seconds", 0)))
    return "come in"

@app.event_grid_trigger(arg_name="event")
def arrived(event: func.EventGridEvent):
    record("arrived", id=event.id, subject=event.subject, data=event.get_json())
    if event.subject == "fails":
        raise RuntimeError("cannot take this one")

@app.event_grid_trigger(arg_name="event")
def arrived_in_the_cloud(event: func.CloudEvent):
    record("arrived_in_the_cloud", id=event.id, type=event.type, source=event.source)

@app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%", run_on_startup=True)
def tick(timer: func.TimerRequest):
    record("tick", past_due=timer.past_due)

@app.service_bus_queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="Bus")
def work(message: func.ServiceBusMessage):
    global running
    body = message.get_body().decode()
    with lock:
        running += 1
        record("work", body=body, id=message.message_id, sequence=message.sequence_number, running=running,
               count=message.delivery_count, properties=message.application_properties,
               correlation=message.correlation_id, content_type=message.content_type)
    try:
        if body.startswith("sleep "):
            time.sleep(float(body.split()[1]))
        if body == "fails twice" and message.delivery_count < 3:
            raise RuntimeError("not yet")
    finally:
        with lock:
            running -= 1
"""

HOST_JSON = {"version": "2.0", "extensions": {"serviceBus": {"maxConcurrentCalls": 3}}}
ONE_SECOND_LOCK = {"LockDuration": "PT1S", "MaxDeliveryCount": 5}
QUEUES = [{"Name": name, "Properties": ONE_SECOND_LOCK} for name in ("jobs", "kept")]
BROKER = {"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": QUEUES}]}}


@dataclass
class Program:
    """A stand-in in a process of its own; `log` is where its stderr goes."""

    process: subprocess.Popen[str]
    log: Path
    ready: dict[str, Any]

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
        status, text, _ = self.exchange(method, path, body, headers)
        return status, text

    def exchange(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, http.client.HTTPMessage]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.ready["port"], timeout=10)) as connection:
            content = body if isinstance(body, str | None) else json.dumps(body)
            connection.request(method, path, content, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers

    def records(self, name: str, **wanted: Any) -> list[dict[str, Any]]:
        """What the app's functions recorded in the log under this name, where it has these values."""
        lines = [line.partition("RECORD ")[2] for line in self.log.read_text().splitlines() if " RECORD " in line]
        found = [json.loads(line) for line in lines]
        return [each for each in found if each["name"] == name and wanted.items() <= each.items()]

    def invocations(self, function: str) -> list[dict[str, Any]]:
        ran = json.loads(self.call("GET", "/_control/invocations")[1])
        return [each for each in ran if each["function"] == function]


def launch(module: str, *arguments: str, log: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    with log.open("a") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", f"infra.local.{module}", *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=os.environ | (environment or {}),
        )


@contextlib.contextmanager
def running(module: str, *arguments: str, log: Path, environment: dict[str, str] | None = None) -> Iterator[Program]:
    process = launch(module, *arguments, log=log, environment=environment)
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Program(process, log, json.loads(line))
    finally:
        process.kill()
        process.communicate()


def write_app(folder: Path, code: str = APP, host_json: Any = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "function_app.py").write_text(code)
    (folder / "host.json").write_text(json.dumps(HOST_JSON if host_json is None else host_json))
    return folder


def eventually[T](look: Callable[[], T], within: float = 8.0) -> T:
    deadline = time.monotonic() + within
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert found
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("functions_host")


@contextlib.contextmanager
def running_broker(folder: Path, port: int = 0) -> Iterator[Program]:
    config = folder / "queues.json"
    config.write_text(json.dumps(BROKER))
    arguments = ["--config", str(config), "--database", str(folder / "bus.db"), "--port", str(port)]
    with running("service_bus", *arguments, log=folder / "broker.log") as broker:
        yield broker


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[Program]:
    with running_broker(folder) as broker:
        yield broker


@contextlib.contextmanager
def sending_to(queue: str, broker: Program) -> Iterator[ServiceBusSender]:
    with (
        ServiceBusClient.from_connection_string(broker.ready["connection_string"]) as client,
        client.get_queue_sender(queue) as sender,
    ):
        yield sender


@pytest.fixture(scope="module")
def sender(broker: Program) -> Iterator[ServiceBusSender]:
    with sending_to("jobs", broker) as sender:
        yield sender


@pytest.fixture(scope="module")
def environment(broker: Program) -> dict[str, str]:
    return {
        "AzureWebJobsBus": broker.ready["connection_string"],
        "QUEUE": "jobs",
        "SCHEDULE": "0 0 0 1 1 *",
        "PYTHON_THREADPOOL_THREAD_COUNT": "8",
    }


@pytest.fixture(scope="module")
def host(folder: Path, environment: dict[str, str]) -> Iterator[Program]:
    app = write_app(folder / "app")
    keys = ["--key", "secret", "--event-grid-key", "system"]
    with running("functions_host", "--app", str(app), *keys, log=folder / "host.log", environment=environment) as host:
        yield host


@pytest.fixture(scope="module")
def impatient(folder: Path, environment: dict[str, str]) -> Iterator[Program]:
    """A host of a queue of its own, without automatic completion, that gives no call more than a second."""
    options = {"maxConcurrentCalls": 1, "autoCompleteMessages": False}
    host_json = {"version": "2.0", "functionTimeout": "00:00:01", "extensions": {"serviceBus": options}}
    app = write_app(folder / "impatient", host_json=host_json)
    settings = environment | {"QUEUE": "kept"}
    with running("functions_host", "--app", str(app), log=app / "log", environment=settings) as host:
        yield host


# Starting ------------------------------------------------------------------------------------------------------------


def test_given_an_app_that_prints_then_stdout_holds_the_ready_line_only(host: Program) -> None:
    assert host.ready["part"] == "functions_host"
    assert host.ready["functions"] == ["order", "unlocked", "arrived", "arrived_in_the_cloud", "tick", "work"]
    assert host.ready["event_grid_url"].endswith("/runtime/webhooks/EventGrid?functionName={functionName}&code=system")
    assert "an app may print" in host.log.read_text()


HEAD = "import azure.functions as func\napp = func.FunctionApp()\n"
BUS = '@app.service_bus_queue_trigger(arg_name="m", queue_name="{}", connection="Bus")\n'
BROKEN = {
    "a parameter that is no binding": (
        HEAD + BUS.format("jobs") + "def work(m: func.ServiceBusMessage, clock: str): ...",
        "cannot load the work function: the following parameters are declared in Python but not in the function",
    ),
    "a queue that does not exist": (
        HEAD + BUS.format("nowhere") + "def work(m: func.ServiceBusMessage): ...",
        "function work: queue nowhere cannot be opened",
    ),
}


@pytest.fixture(scope="module")
def broken_hosts(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """All at once, since each is a process that takes its second to start."""
    hosts = {}
    for what, (code, _) in BROKEN.items():
        app = write_app(folder / what, code)
        hosts[what] = launch("functions_host", "--app", str(app), log=app / "log", environment=environment)
    yield hosts
    for process in hosts.values():
        process.kill()
        process.communicate()


@pytest.mark.parametrize("what", BROKEN)
def test_given_an_app_with_a_fault_when_started_then_it_ends_with_the_reason(
    folder: Path, broken_hosts: dict[str, subprocess.Popen[str]], what: str
) -> None:
    code = broken_hosts[what].wait(20)

    assert code == 1
    assert BROKEN[what][1] in (folder / what / "log").read_text()


@pytest.mark.parametrize(
    ("bindings", "reason"),
    [
        ([{"type": "queueTrigger", "name": "m"}], "has a queueTrigger, which this host does not serve"),
        ([{"type": "serviceBusTrigger", "name": "m", "topicName": "t"}], "queues only"),
        ([{"type": "serviceBusTrigger", "name": "m", "queueName": "q", "cardinality": "MANY"}], "single messages"),
        ([{"type": "eventGridTrigger", "name": "e"}, {"type": "serviceBus", "name": "out"}], "the binding 'out'"),
    ],
)
def test_given_a_binding_that_this_host_does_not_serve_then_the_app_is_refused(bindings: list[dict[str, str]], reason: str) -> None:
    raw = [json.dumps(binding) for binding in bindings]
    metadata = SimpleNamespace(name="work", function_id="1", raw_bindings=raw, retry_options=None)

    with pytest.raises(HostError, match=f"function work .*{reason}"):
        read_function(metadata)


@pytest.mark.parametrize(
    ("host_json", "reason"),
    [
        ({"version": "2.0", "extensions": {"serviceBus": {"maxConcurentCalls": 8}}}, "serviceBus.maxConcurentCalls"),
        ({"version": "2.0", "extensions": {"serviceBus": {"prefetchCount": "8"}}}, "serviceBus.prefetchCount"),
        ({"version": "2.0", "functionTimeout": "24:00:00"}, "is not a duration of the form"),
        ({"version": "1.0"}, "version"),
    ],
)
def test_given_a_host_json_with_a_mistake_then_it_is_refused_by_name(tmp_path: Path, host_json: Any, reason: str) -> None:
    with pytest.raises(HostError, match=reason):
        read_host_json(write_app(tmp_path, host_json=host_json))


@pytest.mark.parametrize(
    ("environment", "connection"),
    [
        ({"Bus": "E", "AzureWebJobsBus": "F"}, ConnectionString("F")),
        ({"Bus": "E"}, ConnectionString("E")),
        ({"Bus__fullyQualifiedNamespace": "ns"}, IdentityConnection("ns", managed=False, client_id=None)),
        (
            {"Bus__fullyQualifiedNamespace": "ns", "Bus__credential": "managedidentity", "Bus__clientId": "id"},
            IdentityConnection("ns", managed=True, client_id="id"),
        ),
    ],
)
def test_given_app_settings_then_a_connection_is_found_as_the_real_host_finds_it(
    environment: dict[str, str], connection: object
) -> None:
    assert Settings(environment).connection("Bus", "work") == connection


def test_given_local_settings_then_they_are_added_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "local.settings.json").write_text('{"Values": {"QUEUE": "theirs", "SCHEDULE": "00:05:00"}}')
    environment = {"QUEUE": "ours"}

    load_local_settings(tmp_path, environment)

    assert environment == {"QUEUE": "ours", "SCHEDULE": "00:05:00"}


def test_given_a_reference_to_a_missing_setting_then_function_and_setting_are_named() -> None:
    assert Settings({"QUEUE": "jobs"}).expand("my-%QUEUE%", "work") == "my-jobs"
    with pytest.raises(HostError, match="function work: the app setting MISSING, named by '%MISSING%', is missing"):
        Settings({}).expand("%MISSING%", "work")


def test_given_no_setting_for_a_connection_then_function_and_setting_are_named() -> None:
    with pytest.raises(HostError, match="function work: the connection Bus is missing"):
        Settings({}).connection("Bus", "work")


def test_given_a_taken_port_when_started_then_one_sentence_says_so(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        command = [sys.executable, "-m", "infra.local.functions_host", "--app", str(app), "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        f"functions_host: port {port} cannot be used (Address already in use); choose another with --port, or 0"
    ]


# HTTP ----------------------------------------------------------------------------------------------------------------


def test_given_a_route_when_called_with_the_key_then_the_function_answers(host: Program) -> None:
    status, text, headers = host.exchange("PUT", "/api/ORDERS/7?colour=red&code=secret", "hello")

    assert (status, headers["x-answered"], headers["content-type"]) == (201, "yes", "application/json")
    assert json.loads(text) == {"id": "7", "colour": "red", "body": "hello"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/orders/7", 401),
        ("GET", "/api/orders/7?code=wrong", 401),
        ("POST", "/api/orders/7?code=secret", 404),
        ("GET", "/api/orders/seven?code=secret", 404),
        ("GET", "/api/orders/7?code=secret&fail=1", 500),
        ("GET", "/api/open", 200),
        ("GET", "/admin/host/status", 200),
    ],
)
def test_given_a_request_then_its_status_is_the_real_hosts(host: Program, method: str, path: str, status: int) -> None:
    assert host.call(method, path)[0] == status


def test_given_the_key_in_a_header_then_it_is_taken(host: Program) -> None:
    assert host.call("GET", "/api/orders/7", headers={"x-functions-key": "secret"})[0] == 201


# Event Grid ----------------------------------------------------------------------------------------------------------

WEBHOOK = "/runtime/webhooks/EventGrid?functionName=arrived&code=system"
NOTIFICATION = {"aeg-event-type": "Notification"}


def an_event(id_: str, subject: str = "models/cards:1") -> dict[str, Any]:
    return {
        "id": id_,
        "topic": "/subscriptions/s",
        "subject": subject,
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2017-06-26T18:41:00.9584103Z",
        "data": {"ModelVersion": 20},
        "dataVersion": "",
        "metadataVersion": "1",
    }


def test_given_a_validation_event_then_its_code_comes_back(host: Program) -> None:
    body = [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "abc"}}]

    status, text = host.call("POST", WEBHOOK, body, {"aeg-event-type": "SubscriptionValidation"})

    assert (status, json.loads(text)) == (200, {"validationResponse": "abc"})


def test_given_cloud_events_handshake_then_the_origin_is_allowed(host: Program) -> None:
    status, _, headers = host.exchange("OPTIONS", WEBHOOK, headers={"WebHook-Request-Origin": "eventgrid.azure.net"})

    assert (status, headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (WEBHOOK.replace("system", "guessed"), NOTIFICATION, 401),
        (WEBHOOK.replace("&code=system", ""), NOTIFICATION, 401),
        (WEBHOOK.replace("arrived", "nobody"), NOTIFICATION, 404),
        (WEBHOOK, {}, 400),
    ],
)
def test_given_a_request_that_is_no_delivery_then_it_is_refused(
    host: Program, path: str, headers: dict[str, str], status: int
) -> None:
    assert host.call("POST", path, [an_event("refused")], headers)[0] == status
    assert host.records("arrived", id="refused") == []


def test_given_a_list_of_events_then_each_is_one_invocation(host: Program) -> None:
    status, _ = host.call("POST", WEBHOOK, [an_event("e1"), an_event("e2")], NOTIFICATION)

    assert status == 202
    assert host.records("arrived", id="e1", data={"ModelVersion": 20})
    assert host.records("arrived", id="e2")


def test_given_one_of_the_events_fails_then_the_request_is_500(host: Program) -> None:
    status, text = host.call("POST", WEBHOOK, [an_event("e3"), an_event("e4", subject="fails")], NOTIFICATION)

    assert (status, text) == (500, "RuntimeError: cannot take this one")


@pytest.mark.parametrize("batched", [False, True])
def test_given_a_cloud_event_by_itself_or_in_a_batch_then_it_arrives(host: Program, batched: bool) -> None:
    event = {"specversion": "1.0", "id": f"cloud-{batched}", "type": "T", "source": "S", "data": {}}
    path = WEBHOOK.replace("arrived", "arrived_in_the_cloud")

    status, _ = host.call("POST", path, [event] if batched else event, NOTIFICATION)

    assert status == 202
    assert host.records("arrived_in_the_cloud", id=f"cloud-{batched}", type="T", source="S")


# Timer ---------------------------------------------------------------------------------------------------------------


def test_given_run_on_startup_then_the_timer_has_run_and_runs_again_by_hand(host: Program) -> None:
    eventually(lambda: len(host.records("tick", past_due=False)) == 1)

    assert host.call("POST", "/admin/functions/tick")[0] == 202

    eventually(lambda: len(host.records("tick")) == 2)


@pytest.mark.parametrize(
    ("schedule", "after"),
    [
        ("0 */5 * * * *", datetime(2026, 1, 1, 12, 5, tzinfo=UTC)),
        ("*/5 * * * *", datetime(2026, 1, 1, 12, 5, tzinfo=UTC)),
        ("30 0 12 * * *", datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)),
        ("0 0 0 13 * FRI", datetime(2026, 2, 13, tzinfo=UTC)),  # a Friday *and* the 13th
        ("1.00:00:10", datetime(2026, 1, 2, 12, 0, 11, tzinfo=UTC)),
    ],
)
def test_given_a_schedule_then_its_next_occurrence_is_the_real_hosts(schedule: str, after: datetime) -> None:
    assert parse_schedule(schedule)(datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC)) == after


@pytest.mark.parametrize("schedule", ["@hourly", "0 0 0 L * *", "0 0 0 * * 7", "24:00:00", "00:00:00", "* * *", ""])
def test_given_a_schedule_that_the_real_host_refuses_then_so_do_we(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"NCRONTAB|duration|interval"):
        parse_schedule(schedule)


# Service Bus ---------------------------------------------------------------------------------------------------------


def test_given_a_message_then_the_function_sees_all_of_it_and_it_is_completed(host: Program, sender: ServiceBusSender) -> None:
    message = ServiceBusMessage(
        '{"type": "share"}',
        message_id="m1",
        correlation_id="c1",
        content_type="application/json",
        application_properties={"tenant": "fabrikam", "attempt": 2},
    )
    sender.send_messages(message)

    (seen,) = eventually(lambda: host.records("work", id="m1"))
    assert seen["body"] == '{"type": "share"}'
    assert (seen["count"], seen["correlation"], seen["content_type"]) == (1, "c1", "application/json")
    assert seen["properties"] == {"tenant": "fabrikam", "attempt": 2}
    assert isinstance(seen["sequence"], int)
    assert eventually(lambda: [each for each in host.invocations("work") if each["message_id"] == "m1" and each["ok"]])


def test_given_a_function_that_fails_then_the_message_comes_back_at_once(host: Program, sender: ServiceBusSender) -> None:
    sender.send_messages(ServiceBusMessage("fails twice", message_id="m2"))

    eventually(lambda: [each["ok"] for each in host.invocations("work") if each["message_id"] == "m2"] == [False, False, True])
    assert [seen["count"] for seen in host.records("work", id="m2")] == [1, 2, 3]


def test_given_more_messages_than_calls_then_no_more_than_max_concurrent_calls_run(host: Program, sender: ServiceBusSender) -> None:
    sender.send_messages([ServiceBusMessage("sleep 0.2", message_id=f"c{n}") for n in range(9)])

    eventually(lambda: len(host.records("work", body="sleep 0.2")) == 9)
    assert max(seen["running"] for seen in host.records("work", body="sleep 0.2")) == 3


def test_given_a_call_longer_than_the_lock_then_the_lock_is_renewed(host: Program, sender: ServiceBusSender) -> None:
    sender.send_messages(ServiceBusMessage("sleep 1.8", message_id="m3"))

    eventually(lambda: [each for each in host.invocations("work") if each["message_id"] == "m3" and each["ok"]])
    assert len(host.records("work", id="m3")) == 1  # with a lost lock, another call would have got it after a second


def test_given_the_broker_is_killed_and_started_again_then_the_host_goes_on(tmp_path: Path, environment: dict[str, str]) -> None:
    app = write_app(tmp_path / "app")
    with running_broker(tmp_path) as first:
        settings = environment | {"AzureWebJobsBus": first.ready["connection_string"]}
        with running("functions_host", "--app", str(app), log=tmp_path / "log", environment=settings) as host:
            first.process.kill()
            first.process.wait()
            eventually(lambda: "no connection to queue jobs" in host.log.read_text())
            with running_broker(tmp_path, first.ready["port"]) as second, sending_to("jobs", second) as sender:
                sender.send_messages(ServiceBusMessage("after", message_id="m4"))

                eventually(lambda: host.records("work", id="m4"))
                assert host.log.read_text().count("no connection to queue jobs") == 1


# Ending --------------------------------------------------------------------------------------------------------------


def test_given_a_running_call_when_told_to_end_then_it_finishes_first(folder: Path, environment: dict[str, str]) -> None:
    app = write_app(folder / "ending")
    with running("functions_host", "--app", str(app), log=folder / "ending.log", environment=environment) as host:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", host.ready["port"])) as connection:
            connection.request("GET", "/api/open?seconds=1")
            eventually(lambda: host.invocations("unlocked"))

            host.process.send_signal(signal.SIGTERM)

            assert connection.getresponse().status == 200
        assert host.process.wait(8) == 0


def test_given_no_auto_completion_then_the_message_stays_until_its_lock_ends(impatient: Program, broker: Program) -> None:
    with sending_to("kept", broker) as sender:
        sender.send_messages(ServiceBusMessage("again", message_id="m5"))

    eventually(lambda: len(impatient.records("work", id="m5")) >= 2)
    assert all(each["ok"] is not False for each in impatient.invocations("work"))


def test_given_a_call_beyond_function_timeout_then_the_host_ends_to_be_started_again(impatient: Program) -> None:
    with contextlib.suppress(http.client.RemoteDisconnected, ConnectionError):
        impatient.call("GET", "/api/open?seconds=30")

    assert impatient.process.wait(8) == 75
    assert "function unlocked ran longer than functionTimeout" in impatient.log.read_text()
