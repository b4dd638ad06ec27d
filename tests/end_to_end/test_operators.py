"""A day of an operator's, by the command line alone, on the whole local cloud.

Northwind publishes everything. Fabrikam takes in data at once; Tailwind wants to be asked first; Adventure pulls.
"""

import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from tests.end_to_end.catalogue import Author, Known, in_workspace
from tests.end_to_end.command_line import FANOUT, REPOSITORY, fanout, fanout_json
from tests.end_to_end.support import OFTEN, QUICK, eventually, publication, rules_of, send, subscription, tenant, unreconciled

DELIVERY_ID = re.compile(r"delivery/\w+/\w+")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(tmp_path_factory.mktemp("cloud"), seconds=QUICK | {"asset": 0.1}, settings=OFTEN) as cloud:
        there = cloud.workspaces
        at_once = subscription("rows", there["workspace2"], ["data"], ["register"])
        asked = subscription("asked", there["workspace3"], ["data"], ["register"], "asked_*", release={"approval": "subscriber"})
        rules = rules_of(
            tmp_path_factory.mktemp("rules"),
            tenant("northwind", there["workspace1"], publications=[publication("all", ["data"])]),
            tenant("fabrikam", there["workspace2"], subscriptions=[at_once]),
            tenant("tailwind", there["workspace3"], subscriptions=[asked]),
            tenant("adventure", there["workspace4"]),
        )
        cloud.apply_rules(rules)
        with unreconciled(cloud):  # it would share what a test has just registered, before the test asks for it
            yield cloud


@pytest.fixture
def author(cloud: LocalCloud, tmp_path: Path) -> Author:
    return Author(cloud, "workspace1", tmp_path)


def states(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Of deliveries, by tenant."""
    return {row["tenant"]: row["state"] for row in rows if row["id"].startswith("delivery/")}


def name_of(asset: Known) -> str:
    return f"{asset.kind}:{asset.name}:{asset.version}"


def share(cloud: LocalCloud, asset: Known) -> None:
    """Asked for by another system; nobody waits for it."""
    source = cloud.workspaces["workspace1"].id
    send(cloud, f"share-{asset.name}-{asset.version}", {"type": "share", "workspace": source, "asset": asset.command})


def test_a_share_is_followed_to_what_it_brings_about(cloud: LocalCloud, author: Author) -> None:
    asset = author.data("followed", "uri_file")

    told = fanout_json("share", name_of(asset), "--from", "workspace1", "--correlation-id", "order-1", "--wait")

    assert (told["outcome"], told["correlation_id"]) == ("done", "order-1")
    assert [row["state"] for row in told["rows"]] == ["shared", "delivered"]
    assert in_workspace(cloud, "workspace2", asset)["name"] == "followed"


def test_a_failed_delivery_is_shown_with_its_remedy_and_retried(cloud: LocalCloud, author: Author) -> None:
    asset = author.data("fails_once", "uri_file")
    refusal = {"status": 400, "code": "UserError", "message": "the workspace is being moved"}
    cloud.azure_ml.arm("PUT .*/workspaces/workspace2/data/fails_once/.*", **refusal)

    shown = fanout("share", name_of(asset), "--from", "workspace1", "--wait", columns=200, exits=4)

    assert "the workspace is being moved" in shown
    assert re.search(r"\b(subscriber|provider) must act: ", shown)
    (failed,) = [row for row in fanout_json("deliveries", "--failed", "--since", "1h") if row["asset"] == name_of(asset)]
    assert "the workspace is being moved" in failed["reason"]["text"]
    details = fanout("show", failed["id"])
    assert re.search(r"state +failed", details)
    assert "decided by   publication all, subscription rows; rules of revision 1" in details
    assert fanout_json("show", failed["id"])["attempts"][-1]["outcome"].startswith(failed["reason"]["code"])

    retried = fanout("retry", failed["id"], "--wait")

    assert re.search(r"^delivered +fabrikam +data:fails_once:1", retried, re.MULTILINE)


def test_a_push_waits_for_an_approval_and_the_approval_for_the_delivery(cloud: LocalCloud, author: Author) -> None:
    asset = author.data("asked_first", "uri_file")
    share(cloud, asset)
    eventually("it is shared", lambda: in_workspace(cloud, "workspace2", asset))
    still_open = fanout("push", name_of(asset), "--to", "tailwind", "--wait", "--timeout", "3s", exits=5)
    assert "Still open when the wait ended; the work goes on." in still_open
    (asked,) = re.findall(r"fanout approve (\S+)", still_open)

    approved = fanout("approve", asked, "--by", "jo@tailwind", "--wait")

    assert re.search(r"^delivered +tailwind +data:asked_first:1", approved, re.MULTILINE)
    assert fanout_json("show", asked)["approved_by"] == "jo@tailwind"
    assert in_workspace(cloud, "workspace3", asset)["name"] == "asked_first"


def test_a_rejected_command_ends_the_wait_and_is_mended_and_resent(cloud: LocalCloud, author: Author, tmp_path: Path) -> None:
    asset = author.data("pulled", "uri_file")
    share(cloud, asset)
    eventually("it is shared", lambda: in_workspace(cloud, "workspace2", asset))
    wrong = ("pull", name_of(asset), "--tenant", "adventure", "--into", cloud.workspaces["workspace3"].id)

    told = fanout_json(*wrong, "--correlation-id", "order-7", "--wait", exits=4)

    assert (told["outcome"], told["rejection"]["code"]) == ("rejected", "not_allowed")
    (kept,) = [each for each in fanout_json("rejected", "list") if each["correlation_id"] == "order-7"]
    assert re.search(rf"^{kept['id']}  \d+s ago  pull data:pulled:1$", fanout("rejected", "list"), re.MULTILINE)
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps(kept["body"] | {"workspace": cloud.workspaces["workspace4"].id}))

    resent = fanout_json("rejected", "resend", str(kept["id"]), "--body", str(mended), "--wait")

    assert (resent["outcome"], states(resent["rows"])) == ("done", {"adventure": "delivered"})
    assert resent["rows"][0]["correlation_id"] == "order-7"
    assert kept["id"] not in [each["id"] for each in fanout_json("rejected", "list")]


def test_a_recall_is_followed_and_the_matrix_shows_who_has_what(cloud: LocalCloud, author: Author) -> None:
    first, second = author.data("versions", "uri_file"), author.data("versions", "uri_file", "2")
    for asset in (first, second):
        share(cloud, asset)
        eventually("it is delivered", lambda what=asset: in_workspace(cloud, "workspace2", what))  # type: ignore[misc]
    before = fanout("status", columns=200)
    assert re.search(r"^data:versions +2 register \d+s +2 origin \d+s", before, re.MULTILINE)

    told = fanout_json("recall", name_of(second), "--reason", "leaks card numbers", "--wait")

    assert {row["state"] for row in told["rows"]} == {"recalled"}
    assert re.search(r"^data:versions +1 register \d+[sm] +1 origin \d+[sm]", fanout("status", columns=200), re.MULTILINE)
    of_name = fanout_json("status", "data:versions")
    assert [(each["asset"], each["state"]) for each in of_name if each["tenant"] == "fabrikam"] == [
        ("data:versions:2", "recalled"),
        ("data:versions:1", "delivered"),
    ]


@contextmanager
def running(command: Sequence[str], *, stdout: int | None = None, stderr: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """Ended with the test, whatever became of it."""
    with subprocess.Popen(command, cwd=REPOSITORY, text=True, stdout=stdout, stderr=stderr) as process:
        try:
            yield process
        finally:
            process.kill()


def test_whoever_watches_sees_what_changes_and_leaves_in_peace(cloud: LocalCloud, author: Author) -> None:
    asset = author.data("asked_while_watching", "uri_file")
    watch = [*FANOUT, "watch", "--every", "0.5"]
    with running(watch, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        share(cloud, asset)
        assert watching.stdout
        asked = next(line for line in watching.stdout if "awaiting approval: data asked_while_watching:1" in line)
        watching.send_signal(signal.SIGINT)
        _, complaint = watching.communicate(timeout=10)

    assert (watching.returncode, complaint) == (130, "")
    assert re.match(r"\S+Z awaiting approval: \S+ \S+ tailwind → workspace3 register \(delivery/", asked)


def test_an_interrupted_wait_says_that_the_work_goes_on(cloud: LocalCloud, author: Author) -> None:
    asset = author.data("asked_in_a_hurry", "uri_file")
    share_and_wait = [*FANOUT, "share", name_of(asset), "--from", "workspace1", "--wait"]
    with running(share_and_wait, stderr=subprocess.PIPE) as waiting:
        assert waiting.stderr
        assert next(line for line in waiting.stderr if "awaiting approval" in line)
        waiting.send_signal(signal.SIGINT)
        _, told = waiting.communicate(timeout=10)

    assert waiting.returncode == 130
    assert "Interrupted. The work goes on" in told


def test_on_a_terminal_progress_is_live_and_leaves_the_outcome(cloud: LocalCloud, author: Author) -> None:
    asset = author.data("live", "uri_file")

    seen = on_terminal("share", name_of(asset), "--from", "workspace1", "--wait")

    assert "\x1b[?25l" in seen  # the cursor is hidden while the picture changes
    assert "2 of 2 ended: " in seen
    assert DELIVERY_ID.search(seen)


def on_terminal(*arguments: str) -> str:
    """What a terminal gets to see of a command that ends well."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "80", "TERM": "xterm-256color"}
    with subprocess.Popen([*FANOUT, *arguments], cwd=REPOSITORY, env=environment, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = bytearray()
        while chunk := _read(ours):
            seen += chunk
    os.close(ours)
    assert process.returncode == 0, seen.decode()
    return seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux: nobody has its other end any more
        return b""
