"""The rows of table `tenants`: their keys, and how a document is spread over the properties of an entity."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.assets import WorkspaceId
from shared.keys import key
from shared.rules import Provider
from shared.rules_change import Fate, Revision, RulesChange, RulesTooLargeError, TenantChange
from shared.rules_document import Document, provider_from_document, tenant_from_document
from shared.tenants import Tenant

LONGEST_PROPERTY = 30_000  # characters; a string property holds 64 KB of UTF-16, less a margin
MOST_PROPERTIES = 16  # so that the whole entity stays below Table Storage's 1 MB

TENANT_ROWS = WORKSPACE_ROWS = "PartitionKey ge @first and PartitionKey lt @end"
TENANT_BOUNDS = {"first": "t", "end": "u"}  # partitions t0 to tf
WORKSPACE_BOUNDS = {"first": "w", "end": "x"}  # partitions w00 to wff
CHANGES = "changes"

type Keys = tuple[str, str]
type Entity = dict[str, Any]

PROVIDER_KEYS: Keys = ("provider", "provider")
HEAD_KEYS: Keys = (CHANGES, "head")


def tenant_keys(tenant_id: str) -> Keys:
    return f"t{_hex(tenant_id)[0]}", key(tenant_id)


def workspace_keys(workspace: WorkspaceId) -> Keys:
    return f"w{_hex(workspace.canonical)[:2]}", workspace.key


def change_keys(revision: int) -> Keys:
    return CHANGES, f"{revision:012}"


def entity(keys: Keys, **columns: object) -> Entity:
    """Columns that are None are left out."""
    present = {name: value for name, value in columns.items() if value is not None}
    return {"PartitionKey": keys[0], "RowKey": keys[1], **present}


def document_columns(document: Document) -> dict[str, str]:
    """`document_0`, `document_1`, …: the document's JSON, in ASCII, cut. RulesTooLargeError where it does not fit a row."""
    text = json.dumps(document, separators=(",", ":"))
    parts = [text[start : start + LONGEST_PROPERTY] for start in range(0, len(text), LONGEST_PROPERTY)]
    if len(parts) > MOST_PROPERTIES:
        most = LONGEST_PROPERTY * MOST_PROPERTIES
        raise RulesTooLargeError(f"the rules take {len(text)} characters of JSON, and a row holds {most}")
    return {f"document_{place}": part for place, part in enumerate(parts)}


def document_in(row: Mapping[str, Any]) -> Any:
    parts: list[str] = []
    while (part := row.get(f"document_{len(parts)}")) is not None:
        parts.append(part)
    return json.loads("".join(parts))


def tenant_in(row: Mapping[str, Any]) -> Tenant:
    return tenant_from_document(document_in(row))


def provider_in(row: Mapping[str, Any] | None) -> Provider:
    return Provider() if row is None else provider_from_document(document_in(row))


def details_column(change: RulesChange) -> str:
    """What is said of each tenant, as JSON: of as many as a property holds."""
    left = LONGEST_PROPERTY - len("[]")
    kept: list[str] = []
    for tenant in change.tenants:
        said = json.dumps([tenant.tenant, tenant.fate.value, *tenant.details], separators=(",", ":"))
        left -= len(said) + len(",")
        if left < 0:
            break
        kept.append(said)
    return f"[{','.join(kept)}]"


def revision_in(row: Mapping[str, Any]) -> Revision:
    document = document_in(row)
    said = {
        tenant: TenantChange(tenant, Fate(fate), tuple(details)) for tenant, fate, *details in json.loads(row.get("details", "[]"))
    }
    tenants = tuple(said.get(tenant) or TenantChange(tenant, Fate.CHANGED, ()) for tenant in document["tenants"])
    change = RulesChange(document["provider"], tenants)
    return Revision(int(row["RowKey"]), _utc(row["at"]), row["by"], change, document["everything"])


@dataclass(frozen=True, slots=True)
class Head:
    """Which revision is in force, and who is making the next one.

    `attempted` is the last revision that an apply began to write: above `revision`, that apply writes now, or did not end.
    """

    revision: int = 0
    attempted: int = 0
    claimed_by: str | None = None
    claimed_until: datetime | None = None

    @property
    def unfinished(self) -> bool:
        return self.attempted > self.revision

    def is_claimed(self, now: datetime) -> bool:
        return self.claimed_until is not None and now < self.claimed_until

    def to_entity(self) -> Entity:
        return entity(
            HEAD_KEYS,
            revision=self.revision,
            attempted=self.attempted,
            claimed_by=self.claimed_by,
            claimed_until=self.claimed_until,
        )


def head_in(row: Mapping[str, Any]) -> Head:
    until = row.get("claimed_until")
    return Head(row["revision"], row["attempted"], row.get("claimed_by"), None if until is None else _utc(until))


def _utc(time: datetime) -> datetime:
    """A plain one, and not the SDK's own."""
    return datetime.fromtimestamp(time.timestamp(), UTC)


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
