"""What people write on the command line, as values. Wrong input ends the command with exit code 2, before anything is sent."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from handlers.cli.terminal import INVALID, stop
from shared import durations
from shared.assets import Asset, Kind, WorkspaceId
from shared.commands import DeliveryId, ShareId
from shared.marked_yaml import UnreadableYamlError, read_yaml
from shared.rows import Address, RowKind
from shared.rules import Rules
from shared.tenants import Tenant

KINDS = ", ".join(Kind)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no row is older, and what tables take for a time begins in 1601
_ROWS: TypeAdapter[str] = TypeAdapter(DeliveryId | ShareId)


def asset_in(text: str) -> Asset:
    """`model:credit-card:3`."""
    kind, name, version = (*text.split(":"), "", "")[:3]
    if text.count(":") != 2 or kind not in list(Kind) or not name or not version:
        stop(INVALID, f"{text!r} is no asset: write kind:name:version, such as model:credit-card:3, where kind is one of {KINDS}.")
    return Asset(Kind(kind), name, version)


def any_version_in(text: str) -> tuple[Kind, str, str | None]:
    """`model:credit-card`, which leaves the version open, or `model:credit-card:3`."""
    kind, _, rest = text.partition(":")
    if rest and ":" not in rest and kind in list(Kind):
        return Kind(kind), rest, None
    asset = asset_in(text)
    return asset.kind, asset.name, asset.version


def address_in(text: str, *kinds: RowKind) -> Address:
    """The id of a share or a delivery."""
    meant = " or ".join(f"{kind}/…/…" for kind in kinds)
    try:
        kind, partition, row = _ROWS.validate_python(text).split("/")
    except ValidationError:
        stop(INVALID, f"{text!r} is no id: write {meant}, as `fanout deliveries`, an event or the log has it.")
    if kind not in kinds:
        stop(INVALID, f"{text} is a {kind}: write {meant}.")
    return Address(RowKind(kind), partition, row)


def duration_in(text: str) -> timedelta:
    """`90s`, `30m`, `2h`, `1d`, or several: `1h30m`."""
    try:
        return durations.duration_in(text)
    except ValueError as wrong:
        stop(INVALID, f"{wrong}: {durations.FORM}.")


def require_text(arguments: Iterable[str]) -> None:
    """Bytes that the terminal's encoding does not have come as halves of characters, which nothing can be made of."""
    for each in arguments:
        try:
            each.encode()
        except UnicodeEncodeError:
            stop(INVALID, f"{each!a} is no text: write it in {sys.getfilesystemencoding().upper()}.")


def since_in(text: str, now: datetime) -> datetime:
    """`2d` before now, or a date or time such as `2026-11-20`, in UTC unless it says otherwise; the EARLIEST, or now, at most."""
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        written = now - _ago(text)
    return min(max(written if written.tzinfo else written.replace(tzinfo=UTC), EARLIEST), now)


def _ago(text: str) -> timedelta:
    try:
        return durations.duration_in(text)
    except ValueError:
        stop(INVALID, f"{text!r} is no time: write how long ago, such as 2d or 12h, or a date, such as 2026-11-20.")


def actions_in(text: str | None) -> list[object] | None:
    """Actions as subscriptions have them, in a YAML or JSON file or as they are: `register`, `{"register": {"mode": "copy"}}`."""
    if text is None:
        return None
    try:
        source = Path(text).read_bytes() if _is_file(text) else text.encode(errors="surrogateescape")
        written = read_yaml(source).content
    except (OSError, ValueError, UnreadableYamlError) as wrong:
        stop(INVALID, f"--actions: {wrong}")
    actions = written if isinstance(written, list) else [written]
    try:
        return list(json.loads(json.dumps(actions)))
    except TypeError as wrong:
        stop(INVALID, f"--actions: {wrong}: write what JSON can say.")


def workspace_in(text: str, rules: Callable[[], Rules]) -> WorkspaceId:
    """An ARM id, or the name of a workspace, where one tenant alone has one of that name. `rules` are read for a name only."""
    if text.startswith("/"):
        try:
            return WorkspaceId.parse(text)
        except ValueError as wrong:
            stop(INVALID, f"{wrong}.")
    everywhere = [workspace for tenant in rules().tenants.values() for workspace in tenant.workspaces]
    return _the_one([each for each in everywhere if each.name.lower() == text.lower()], f"called {text}")


def receiving_workspace(text: str, tenant: str, rules: Callable[[], Rules]) -> WorkspaceId:
    """That of a pull: as it is written, or the tenant's only one."""
    return workspace_in(text, rules) if text else _the_one(tenant_in(tenant, rules()).workspaces, f"of tenant {tenant}")


def tenant_in(text: str, rules: Rules) -> Tenant:
    tenant = rules.tenant(text)
    if tenant is None:
        known = ", ".join(sorted(rules.tenants)[:20]) or "none"
        stop(INVALID, f"The rules have no tenant {text!r}: write one of theirs, such as {known}.")
    return tenant


def _the_one(workspaces: Sequence[WorkspaceId], which: str) -> WorkspaceId:
    if not workspaces:
        stop(INVALID, f"The rules have no workspace {which}: correct it, or write the workspace's ARM id.")
    if len(workspaces) > 1:
        stop(INVALID, f"There are {len(workspaces)} workspaces {which}: write the ARM id of one.", *map(str, workspaces))
    return workspaces[0]


def _is_file(text: str) -> bool:
    return "\n" not in text and text.endswith((".yaml", ".yml", ".json"))
