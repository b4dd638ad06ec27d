"""`fanout apply` as processes of their own: killed by the system at any moment, and several at once."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from azure.data.tables import TableClient

from shared.azure.rules_apply import CLAIM
from shared.azure.rules_table import RulesTable
from shared.clock import local_now
from shared.rules import Rules
from shared.rules_cache import RulesCache
from shared.rules_file import read_folder
from tests.contract.table_proxy import TableProxy
from tests.contract.table_service import ROOT, table_service

DEMO_RULES = ROOT / "infra/local/demo/rules"
MANY = 12
SERVICE_BUS = "Endpoint=sb://localhost/;SharedAccessKeyName=a;SharedAccessKey=b"


def rules_in(folder: Path) -> Rules:
    read = read_folder(folder)
    return Rules(read.provider, {tenant.id: tenant for tenant in read.tenants}, 0)


def start(folder: Path, connection_string: str, by: str = "ada") -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "handlers.cli", "apply", str(folder), "--by", by]
    settings = {"Tables": connection_string, "ServiceBus": SERVICE_BUS}
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@dataclass
class Desk:
    """Two folders of rules that differ in much, the table service, and who follows the rules."""

    before: Path
    after: Path
    proxy: TableProxy
    table: TableClient
    cache: RulesCache = field(init=False)

    def __post_init__(self) -> None:
        self.cache = RulesCache(RulesTable(self.table))

    def apply_later(self, folder: Path) -> None:
        """When the claim of one that died has ended."""
        rules = rules_in(folder)
        RulesTable(self.table, lambda: local_now() + CLAIM).apply(rules.provider, list(rules.tenants.values()), by="grace")

    def require_whole(self) -> None:
        """Whoever reads finds each tenant's rules as they were or as they shall be, and each workspace with whom they say."""
        found, before, after = RulesTable(self.table).load(), rules_in(self.before), rules_in(self.after)
        assert found.provider in (before.provider, after.provider)
        for tenant_id in before.tenants.keys() | after.tenants.keys() | found.tenants.keys():
            assert found.tenants.get(tenant_id) in (before.tenants.get(tenant_id), after.tenants.get(tenant_id))
        for workspace in (workspace for tenant in found.tenants.values() for workspace in tenant.workspaces):
            owner = RulesTable(self.table).tenant_of(workspace)
            assert owner is None or workspace in owner.workspaces

    def require_in_force(self, folder: Path) -> None:
        found, wanted = RulesTable(self.table).load(), rules_in(folder)
        assert (found.provider, dict(found.tenants)) == (wanted.provider, dict(wanted.tenants))
        assert self.cache.current() == found
        owners = {workspace: tenant for tenant in wanted.tenants.values() for workspace in tenant.workspaces}
        assert {workspace: RulesTable(self.table).tenant_of(workspace) for workspace in owners} == owners


def changed(folder: Path, file: str, *changes: tuple[str, str]) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / file).write_text(text, encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """After: other limits, one tenant paused, one with a workspace more, one gone, and its workspace another's."""
    before, after = (shutil.copytree(DEMO_RULES, tmp_path / name) for name in ("before", "after"))
    changed(after, "provider.yaml", ("max_instances: 2", "max_instances: 3"))
    changed(after, "tenants/fabrikam.yaml", ("active", "paused"))
    (one,) = rules_in(before).tenants["northwind"].workspaces
    changed(after, "tenants/northwind.yaml", (f"- {one}", f"- {one}\n  - {one}-more"))
    (gone,) = rules_in(before).tenants["adventure"].workspaces
    (after / "tenants/adventure.yaml").unlink()
    (after / "tenants/contoso.yaml").write_text(f"id: contoso\nworkspaces: [{gone}]\n", encoding="utf-8")
    with (
        table_service() as connection_string,
        TableProxy(connection_string).running() as proxy,
        TableClient.from_connection_string(connection_string, "tenants") as table,
    ):
        table.create_table()
        yield Desk(before, after, proxy, table)


# ---- killed


def before_it(desk: Desk, number: int, kill: Callable[[], object]) -> None:
    def loses(write: int) -> bool:
        if write == number:
            kill()
        return write >= number

    desk.proxy.loses = loses


def after_it(desk: Desk, number: int, kill: Callable[[], object]) -> None:
    def after(write: int) -> None:
        if write == number:
            kill()

    desk.proxy.after = after


@pytest.mark.slow
@pytest.mark.parametrize("arrange", [before_it, after_it])
def test_given_a_process_killed_at_each_write_when_read_then_each_tenant_is_old_or_new_and_the_next_apply_heals(
    desk: Desk, arrange: Callable[[Desk, int, Callable[[], object]], None]
) -> None:
    for number in count(1):
        desk.apply_later(desk.before)
        desk.require_in_force(desk.before)
        running: list[subprocess.Popen[str]] = []
        arrange(desk, number, lambda running=running: running[0].kill())  # type: ignore[misc] # mypy knows no defaults of lambdas
        desk.proxy.writes = 0
        running.append(start(desk.after, desk.proxy.connection_string))
        _, told = running[0].communicate(timeout=60)

        assert running[0].returncode in (0, -signal.SIGKILL), told
        desk.require_whole()
        if desk.proxy.writes < number:
            break
    assert number > 8
    desk.require_in_force(desk.after)


@pytest.mark.slow
def test_given_a_process_killed_at_any_moment_when_read_then_each_tenant_is_old_or_new_and_the_next_apply_heals(desk: Desk) -> None:
    begun = threading.Event()
    desk.proxy.after = lambda _number: begun.set()
    desk.apply_later(desk.before)
    whole = start(desk.after, desk.proxy.connection_string)
    assert begun.wait(60)
    began = time.monotonic()
    whole.communicate(timeout=60)
    longest = time.monotonic() - began

    for _ in range(MANY):
        desk.apply_later(desk.before)
        begun.clear()
        process = start(desk.after, desk.proxy.connection_string)
        assert begun.wait(60)
        with suppress(subprocess.TimeoutExpired):
            process.wait(random.uniform(0, longest))
        process.kill()
        process.communicate(timeout=60)

        desk.require_whole()
        desk.apply_later(desk.after)
        desk.require_in_force(desk.after)


def test_given_a_process_that_is_interrupted_when_another_follows_then_it_need_not_wait(desk: Desk) -> None:
    desk.apply_later(desk.before)
    running: list[subprocess.Popen[str]] = []
    after_it(desk, 3, lambda: running[0].send_signal(signal.SIGINT))
    running.append(start(desk.after, desk.proxy.connection_string))
    running[0].communicate(timeout=60)

    following = start(desk.after, desk.proxy.connection_string)
    told = following.communicate(timeout=60)

    assert running[0].returncode not in (0, -signal.SIGKILL)
    assert following.returncode == 0, told
    desk.require_in_force(desk.after)


# ---- several at once


def test_given_an_apply_at_work_when_another_process_begins_then_that_one_loses_and_has_written_nothing(desk: Desk) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        if number == 2:
            begun.set()
            assert go_on.wait(60)

    desk.proxy.after = hold
    first = start(desk.before, desk.proxy.connection_string, by="ada")
    assert begun.wait(60)
    with TableProxy(desk.proxy.connection_string).running() as other:
        second = start(desk.after, other.connection_string, by="grace")
        _, told = second.communicate(timeout=60)
        go_on.set()
        shown, _ = first.communicate(timeout=60)

        assert (first.returncode, second.returncode) == (0, 3)
        assert told.startswith("Not applied: ada is applying rules now; try again")
        assert other.writes == 0
    assert shown.endswith("Revision 1 is in force.\n")
    desk.require_in_force(desk.before)


@pytest.mark.slow
def test_given_several_processes_at_once_when_all_ended_then_the_rules_are_those_of_the_last_that_won(
    desk: Desk, tmp_path: Path
) -> None:
    desk.table.delete_table()  # the first of all applies makes it
    folders = [shutil.copytree(DEMO_RULES, tmp_path / str(number)) for number in range(4)]
    for number, folder in enumerate(folders):
        changed(folder, "provider.yaml", ("max_instances: 2", f"max_instances: {number + 10}"))
        changed(folder, "tenants/tailwind.yaml", ("workspace3", f"workspace3-{number}"))

    running = [start(folder, desk.proxy.connection_string, by=str(number)) for number, folder in enumerate(folders)]
    told = [process.communicate(timeout=120) for process in running]

    codes = [process.returncode for process in running]
    assert set(codes) <= {0, 3}, told
    won = {int(shown.split("Revision ")[1].split()[0]): number for number, (shown, _) in enumerate(told) if codes[number] == 0}
    assert len(won) == codes.count(0) > 0
    desk.require_in_force(folders[won[max(won)]])
    history = RulesTable(desk.table).history(last=10)
    assert {revision.number: int(revision.by) for revision in history} == won
