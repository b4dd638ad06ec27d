"""The rules in force, in table `tenants`; implements `shared.rules_change.RulesStore` and what `RulesCache` follows.

t<hex>    <tenant>       a tenant's rules, whole, in one entity; written for revision `rev`
w<hex2>   <workspace>    the tenant that the workspace belongs to: the insert makes it unique
provider  provider       registries, limits, groups
changes   head           the revision in force
changes   <rev:012>      what that revision changed, who made it and when
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from azure.data.tables import TableClient

from shared.assets import WorkspaceId
from shared.azure import rules_rows as rows
from shared.azure.owned_writes import etag_of, read
from shared.azure.rules_apply import RulesApply, Wanted
from shared.azure.tables import table_errors
from shared.clock import local_now
from shared.errors import Lost
from shared.rules import Provider, Rules
from shared.rules_change import Applied, ApplyLostError, News, Revision
from shared.rules_sharing import EqualParts
from shared.tenants import Tenant


class RulesTable:
    """Each call raises Transient, or Permanent, where the table cannot be reached."""

    def __init__(self, table: TableClient, now: Callable[[], datetime] = local_now) -> None:
        self._table = table
        self._now = now
        self._parsed: Mapping[str, tuple[str, Tenant]] = {}  # by row key, with the ETag that the row had

    def load(self) -> Rules:
        """All rules, in one query a thousand tenants. No rules at all, revision 0, before the first apply.

        What is read again unchanged is the same value, neither parsed nor held twice.
        """
        head = read(self._table, *rows.HEAD_KEYS)
        if head is None:
            return Rules(Provider(), {}, 0)
        with table_errors("read the rules"):
            found = self._table.query_entities(rows.TENANT_ROWS, parameters=rows.TENANT_BOUNDS)
            parts = EqualParts()
            parsed = {row["RowKey"]: (etag_of(row), self._tenant_in(row, parts)) for row in found}
        self._parsed = parsed
        return Rules(self.provider(), {tenant.id: tenant for _, tenant in parsed.values()}, rows.head_in(head).revision)

    def _tenant_in(self, row: Any, parts: EqualParts) -> Tenant:
        etag, tenant = self._parsed.get(row["RowKey"], ("", None))
        return tenant if tenant is not None and etag == etag_of(row) else parts.shared(rows.tenant_in(row))

    def revision(self) -> int:
        """The revision in force: one point read."""
        head = read(self._table, *rows.HEAD_KEYS)
        return 0 if head is None else rows.head_in(head).revision

    def news(self, after: int, upto: int) -> News:
        """What the revisions after the first and up to the second changed."""
        found = [rows.document_in(row) for row in self._changes(after, upto)]
        return News(
            everything=not found or any(change["everything"] for change in found),
            provider=any(change["provider"] for change in found),
            tenants=frozenset(tenant for change in found for tenant in change["tenants"]),
        )

    def _changes(self, after: int, upto: int) -> list[Any]:
        """Oldest first."""
        query = "PartitionKey eq @changes and RowKey gt @after and RowKey le @upto"
        bounds = {"changes": rows.CHANGES, "after": rows.change_keys(after)[1], "upto": rows.change_keys(upto)[1]}
        with table_errors("read the changes of the rules"):
            return list(self._table.query_entities(query, parameters=bounds))

    def provider(self) -> Provider:
        return rows.provider_in(read(self._table, *rows.PROVIDER_KEYS))

    def tenant(self, tenant_id: str) -> Tenant | None:
        row = read(self._table, *rows.tenant_keys(tenant_id))
        return None if row is None else rows.tenant_in(row)

    def tenant_of(self, workspace: WorkspaceId) -> Tenant | None:
        """The tenant that has the workspace by its own rules too: the workspace's row may be ahead of them, or behind."""
        row = read(self._table, *rows.workspace_keys(workspace))
        tenant = None if row is None else self.tenant(row["tenant"])
        return tenant if tenant is not None and workspace in tenant.workspaces else None

    def apply(self, provider: Provider, tenants: Sequence[Tenant], by: str, based_on: int | None = None) -> Applied:
        """See `shared.rules_change.RulesStore`."""
        return self._apply(lambda _before: (provider, tenants), by, based_on)

    def apply_tenant(self, tenant: Tenant, by: str, based_on: int | None = None) -> Applied:
        """See `shared.rules_change.RulesStore`."""
        return self._apply(lambda before: (before.provider, {**before.tenants, tenant.id: tenant}.values()), by, based_on)

    def history(self, last: int, tenant: str | None = None) -> list[Revision]:
        """See `shared.rules_change.RulesStore`. What changed one tenant is found by reading all changes, and so are the last ones
        where applies did not end: their numbers are left out."""
        head = self.revision()
        if not head:  # perhaps without a table
            return []
        after = 0 if tenant else max(0, head - last)
        found = self._changes(after, head)
        if after and len(found) < last:
            found = self._changes(0, head)
        revisions = map(rows.revision_in, reversed(found))
        return [each for each in revisions if tenant is None or each.concerns(tenant)][:last]

    def _apply(self, wanted: Wanted, by: str, based_on: int | None) -> Applied:
        try:
            return RulesApply(self._table, self._now, wanted, by).run(based_on)
        except Lost as lost:
            raise ApplyLostError("another apply of rules came in between; what this one wrote is not announced") from lost
