"""`make cloud` as somebody uses it by hand: from `.local/env` alone, until Ctrl-C; and what it says when it cannot."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from infra.local.cloud import LocalCloud
from infra.local.processes import CannotStart
from infra.local.topology import TABLES, service_bus_config
from shared.azure import tables
from shared.messages import Queue

READY = "Ctrl-C ends it"

# A stranger's program: it knows the settings, and nothing of the local cloud.
PROGRAM = """
import json, os, sys
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Model
from azure.identity import DefaultAzureCredential
from azure.servicebus import ServiceBusClient, ServiceBusMessage

cloud = json.loads(os.environ["FANOUT_AZURE_CLOUD"])
subscription = "11111111-1111-1111-1111-111111111111"
place = (subscription, "rg-tenants", "workspace1")
client = MLClient(DefaultAzureCredential(), *place, cloud=cloud["name"], cloud_metadata=cloud["metadata"])
client.models.create_or_update(Model(name="by-hand", version="1", path=sys.argv[1]))
with ServiceBusClient.from_connection_string(os.environ["ServiceBus"]) as client, client.get_queue_sender("commands") as sender:
    sender.send_messages(ServiceBusMessage("no command at all", message_id="by-hand"))
"""


@contextmanager
def cloud_command(*arguments: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "infra.local", *map(str, arguments)]
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_until_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    assert process.stderr
    shown = ""
    for line in process.stdout:
        shown += line
        if READY in line:
            return shown
    raise AssertionError(shown + process.stderr.read())


def started_by(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def in_shell(command: str) -> str:
    """What it prints; fails with its own words."""
    done = subprocess.run(["/bin/sh", "-c", command], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def gone(processes: list[psutil.Process], seconds: float = 10) -> bool:
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def test_given_env_when_a_strangers_program_uses_the_cloud_then_it_works_and_ctrl_c_keeps_the_state(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights.txt").write_text("1 2 3")
    directory = tmp_path / "cloud"

    with cloud_command("--directory", directory) as process:
        shown = read_until_ready(process)
        children = started_by(process)
        use = f". {directory}/env && exec {sys.executable} -c '{PROGRAM}' {model}"
        in_shell(use)
        look = f'. {directory}/env && curl -sS --noproxy "*" --cacert "$REQUESTS_CA_BUNDLE" "$LOCAL_AZURE_ML/_control/state"'
        state = in_shell(look)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0

    assert gone(children)
    assert "MLClient(" in shown
    assert "ServiceBusClient" in shown
    assert "curl " in shown
    assert "by-hand" in state
    assert (directory / "env").stat().st_mode & 0o077 == 0
    values = json.loads((directory / "local.settings.json").read_text())["Values"]
    assert values["FUNCTIONS_WORKER_RUNTIME"] == "python"
    with LocalCloud(directory, with_host=False) as again:
        assert again.ml_client("workspace1").models.get("by-hand", "1").version == "1"
        waiting = again.service_bus.messages("commands") + again.service_bus.messages("rejected")
        assert "by-hand" in {message["message_id"] for message in waiting}


def test_when_it_is_killed_by_force_then_no_process_is_left(tmp_path: Path) -> None:
    with cloud_command("--directory", tmp_path) as process:
        read_until_ready(process)
        children = started_by(process)
        process.kill()
        assert len(children) >= 6
        assert gone(children)


def test_when_a_part_dies_then_it_is_named_and_all_ends(tmp_path: Path) -> None:
    with cloud_command("--directory", tmp_path, "--no-host") as process:
        read_until_ready(process)
        children = started_by(process)
        next(child for child in children if "infra.local.event_grid" in child.cmdline()).kill()
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "event_grid ended by itself" in errors
    assert gone(children)


def test_given_no_node_then_it_says_what_to_install(tmp_path: Path) -> None:
    assert _refusal(tmp_path, PATH=str(tmp_path)) == (
        "Node.js is missing, which Azurite (Azure Storage) needs: install Node 20 or newer from nodejs.org."
    )


def test_given_a_taken_port_then_it_says_which_and_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refusal = _refusal(tmp_path, "--service-bus-port", port)
    assert refusal.startswith(f"Port {port} cannot be used (Address already in use)")
    assert refusal.endswith("choose another with --service-bus-port.")


def test_given_a_cloud_in_the_folder_then_a_second_one_is_refused(tmp_path: Path) -> None:
    with LocalCloud(tmp_path, with_host=False):
        assert "runs in" in _refusal(tmp_path)


def test_given_a_broken_app_setting_then_the_hosts_own_words_are_shown(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotStart, match=r"(?s)functions_host cannot start: .*neither NCRONTAB"),
        LocalCloud(tmp_path, settings={"FANOUT_RECONCILE_SCHEDULE": "every now and then"}),
    ):
        pytest.fail("it started")


def test_the_local_queues_and_tables_are_those_that_the_app_expects() -> None:
    [namespace] = service_bus_config("PT1M")["UserConfig"]["Namespaces"]
    assert {queue["Name"] for queue in namespace["Queues"]} == {queue.value for queue in Queue}
    assert set(TABLES) == set(tables.TABLES)


def _refusal(directory: Path, *arguments: object, **environment: str) -> str:
    """The one sentence that it says where it cannot start."""
    began = time.monotonic()
    with cloud_command("--directory", directory, *arguments, **environment) as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert time.monotonic() - began < 20
    return " ".join(errors.split())
