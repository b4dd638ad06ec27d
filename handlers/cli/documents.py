"""`--json`, and rows as it prints them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from shared.assets import Asset
from shared.errors import Reason
from shared.rows import DeliveryRow, WorkRow, is_done

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]


def print_json(document: object) -> None:
    """One document, and nothing else, on stdout."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def asset_text(asset: Asset) -> str:
    """As the command line takes it."""
    return f"{asset.kind}:{asset.name}:{asset.version}"


def time_text(time: datetime) -> str:
    """UTC, in ISO 8601, to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def since(row: WorkRow) -> datetime:
    """Since when the row says what it says, as nearly as it tells: its last attempt, or else when it was made."""
    return row.attempts[-1].at if row.attempts else row.created_at


def row_document(row: WorkRow) -> dict[str, Any]:
    """What a list has of a share or a delivery. What it has not is null."""
    document: dict[str, Any] = {
        "id": str(row.address),
        "asset": asset_text(row.asset),
        "state": row.state.value,
        "open": not is_done(row),
        "registry": row.registry,
        "origin_tenant": row.origin_tenant,
        "created_at": time_text(row.created_at),
        "since": time_text(since(row)),
        "reason": _reason(row.reason),
        "correlation_id": row.correlation_id,
    }
    if isinstance(row, DeliveryRow):
        return document | {
            "tenant": row.tenant,
            "workspace": str(row.workspace),
            "route": row.action.route,
            "mode": row.mode,
            "publication": row.publication or None,
            "subscription": row.subscription or None,
            "rules_revision": row.rules_revision,
        }
    return document | {
        "workspace": str(row.origin) if row.origin else None,
        "publications": list(row.publications),
        "rules_revision": row.rules_revision,
    }


def row_details(row: WorkRow) -> dict[str, Any]:
    """All that an operator may ask of one row."""
    details = row_document(row) | {
        "renamed_from": row.renamed_from,
        "next_at": None if is_done(row) else time_text(row.next_at),
        "step": row.step or None,
        "failures": row.failures,
        "cancelled_by": row.cancelled_by,
        "recall": row.recall,
        "attempts": [{"at": time_text(each.at), "step": each.step, "outcome": each.outcome} for each in row.attempts],
        "commands": list(row.commands),
    }
    if isinstance(row, DeliveryRow):
        more = {"approved_by": row.approved_by, "traffic": row.traffic, "copied": row.copied, "done": row.done}
        return details | more | {"share": str(row.share), "failing": _reason(row.failing)}
    return details | {"environment": row.environment, "needs": [asset_text(each) for each in row.needs], "fan_out": row.fan_out}


def _reason(reason: Reason | None) -> Mapping[str, str] | None:
    if reason is None:
        return None
    return {"code": reason.code, "text": reason.text, "owner": reason.owner.value, "remedy": reason.remedy}
