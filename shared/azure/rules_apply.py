"""How rules get into the table so that readers find each tenant's old rules or its new ones, and of two applies one loses.

An apply claims the head before it writes anything, so the loser of two has changed nothing. Then it writes provider,
workspaces, tenants, and last of all announces them: the new revision in the head and the row that says what changed, in
one transaction. One that dies in between leaves `attempted` above `revision`: the next one puts the workspaces of all tenants
right, whatever it changes itself, and announces that everything changed.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from azure.data.tables import TableClient

from shared.assets import WorkspaceId
from shared.azure import rules_rows as rows
from shared.azure.owned_writes import etag_of, read, remove, submit, write
from shared.azure.rules_rows import Entity, Head
from shared.azure.tables import table_errors
from shared.errors import Lost, Permanent, Transient
from shared.rules import Provider, Rules
from shared.rules_change import Applied, ApplyLostError, RulesChange, RulesTooLargeError, difference
from shared.rules_document import to_document
from shared.tenants import Tenant

CLAIM = timedelta(seconds=60)
RENEWED_AFTER = CLAIM / 3
MOST_NAMED = 5_000  # changed tenants that a change row names; above it, the row says that everything changed


type Wanted = Callable[[Rules], tuple[Provider, Iterable[Tenant]]]
"""What the rules shall be, all of them, by what they are. No workspace is in two tenants."""


class RulesApply:
    """One apply, run once."""

    def __init__(self, table: TableClient, now: Callable[[], datetime], wanted: Wanted, by: str) -> None:
        self._table, self._now, self._by = table, now, by
        self._wanted = wanted
        self._head, self._etag = Head(), ""
        self._stored: dict[str, Any] = {}
        self._entered: dict[str, Any] | None = None  # all workspaces' rows, after an apply that did not end

    def run(self, based_on: int | None) -> Applied:
        self._read_head(based_on)
        before = self._read_rules()
        self._provider, tenants = self._wanted(before)
        self._tenants = {tenant.id: tenant for tenant in tenants}
        self._owned = {workspace for tenant in self._tenants.values() for workspace in tenant.workspaces}
        change = difference(before, self._provider, self._tenants.values())
        if change.is_empty and not self._head.unfinished:
            return Applied(before.revision, change)
        changed = (self._tenants.get(found.tenant) for found in change.tenants)
        columns = {tenant.id: _columns(f"tenant {tenant.id}", tenant) for tenant in changed if tenant is not None}
        provider = _columns("the provider", self._provider) if change.provider else None
        unfinished = self._head.unfinished
        self._claim()
        try:
            self._entered = self._all_workspaces() if unfinished else None
            self._write(before, change, provider, columns)
            self._announce(change, everything=unfinished)
        except BaseException:  # an interrupt too: the next apply need not wait for the claim to end
            self._give_up()
            raise
        return Applied(self._head.revision, change)

    def _read_head(self, based_on: int | None) -> None:
        row = read(self._table, *rows.HEAD_KEYS)
        if row is not None:
            self._head, self._etag = rows.head_in(row), etag_of(row)
        if self._head.is_claimed(self._now()):
            until = f"{self._head.claimed_until:%H:%M:%S} UTC"
            raise ApplyLostError(f"{self._head.claimed_by} is applying rules now; try again when that ended, or at {until}")
        if based_on is not None and based_on != self._head.revision:
            raise ApplyLostError(f"the rules are at revision {self._head.revision} by now, and no longer at {based_on}")

    def _read_rules(self) -> Rules:
        with table_errors("read the rules"):
            found = self._table.query_entities(rows.TENANT_ROWS, parameters=rows.TENANT_BOUNDS)
            self._stored = {row["tenant"]: row for row in found}
        tenants = {tenant_id: rows.tenant_in(row) for tenant_id, row in self._stored.items()}
        return Rules(rows.provider_in(read(self._table, *rows.PROVIDER_KEYS)), tenants, self._head.revision)

    def _claim(self) -> None:
        self._head = replace(self._head, attempted=self._head.attempted + 1, claimed_by=self._by)
        self._renew()

    def _renew(self) -> None:
        self._renew_at = self._now() + RENEWED_AFTER
        self._head = replace(self._head, claimed_until=self._now() + CLAIM)
        self._etag = write(self._table, self._head.to_entity(), self._etag)

    def _give_up(self) -> None:
        with suppress(Lost, Transient, Permanent):
            write(self._table, replace(self._head, claimed_by=None, claimed_until=None).to_entity(), self._etag)

    def _write(self, before: Rules, change: RulesChange, provider: Entity | None, columns: dict[str, Entity]) -> None:
        changed = [found.tenant for found in change.tenants]
        if provider is not None:
            self._put(rows.entity(rows.PROVIDER_KEYS, **provider), read(self._table, *rows.PROVIDER_KEYS))
        for tenant_id in changed if self._entered is None else self._tenants:
            if tenant_id in self._tenants:
                self._enter_workspaces(self._tenants[tenant_id])
        for tenant_id in changed:
            self._put_tenant(tenant_id, columns.get(tenant_id))
        for tenant_id in changed:
            if tenant_id in before.tenants:
                self._leave(before.tenants[tenant_id].workspaces)
        if self._entered is not None:
            self._leave(WorkspaceId.parse(row["workspace"]) for row in self._entered.values())

    def _put(self, row: Entity, there: Any) -> None:
        self._hold()
        stamp = {"rev": self._head.attempted, "by": self._by, "at": self._now()}
        write(self._table, row | stamp, "" if there is None else etag_of(there))

    def _hold(self) -> None:
        """Keep the claim. Lost where it ended unnoticed, as on a machine that slept, and another apply took over."""
        if self._now() >= self._renew_at:
            self._renew()

    def _put_tenant(self, tenant_id: str, columns: Entity | None) -> None:
        there = self._stored.get(tenant_id)
        if columns is not None:
            state = self._tenants[tenant_id].state.value
            self._put(rows.entity(rows.tenant_keys(tenant_id), tenant=tenant_id, state=state, **columns), there)
        elif there is not None:
            self._hold()
            remove(self._table, there)

    def _enter_workspaces(self, tenant: Tenant) -> None:
        """A row that names another tenant is of one that has, or will have, let the workspace go by these same rules."""
        for workspace in tenant.workspaces:
            there = self._row_of(workspace)
            if there is None or there["tenant"] != tenant.id:
                self._put(rows.entity(rows.workspace_keys(workspace), workspace=str(workspace), tenant=tenant.id), there)

    def _leave(self, workspaces: Iterable[WorkspaceId]) -> None:
        """Those of them that are nobody's now."""
        for workspace in workspaces:
            there = None if workspace in self._owned else self._row_of(workspace)
            if there is not None:
                self._hold()
                remove(self._table, there)

    def _row_of(self, workspace: WorkspaceId) -> Any:
        partition, row = rows.workspace_keys(workspace)
        return read(self._table, partition, row) if self._entered is None else self._entered.get(row)

    def _all_workspaces(self) -> dict[str, Any]:
        """Their rows, by row key: one query, as point reads of many would outlast the claim."""
        with table_errors("read the workspaces"):
            found = self._table.query_entities(rows.WORKSPACE_ROWS, parameters=rows.WORKSPACE_BOUNDS)
            return {row["RowKey"]: row for row in found}

    def _announce(self, change: RulesChange, everything: bool) -> None:
        self._hold()
        names = [found.tenant for found in change.tenants]
        everything = everything or len(names) > MOST_NAMED
        what = {"everything": everything, "provider": change.provider, "tenants": names[:MOST_NAMED]}
        revision = self._head.attempted
        details = rows.details_column(change)
        news = rows.entity(rows.change_keys(revision), by=self._by, at=self._now(), details=details, **rows.document_columns(what))
        announced = Head(revision, revision)
        self._etag = submit(self._table, announced.to_entity(), self._etag, ("create", news))
        self._head = announced


def _columns(whose: str, part: Provider | Tenant) -> Entity:
    try:
        return dict(rows.document_columns(to_document(part)))
    except RulesTooLargeError as too_large:
        raise RulesTooLargeError(f"{whose}: {too_large}; merge rules by globs or groups") from too_large
