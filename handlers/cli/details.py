"""All that there is to say of one delivery or share, for people."""

from rich.table import Table
from rich.text import Text

from handlers.cli.documents import asset_text, since, time_text
from handlers.cli.tables import bare_table, paper, print_indented, reason_text, route_text, state_text
from shared.rows import DeliveryRow, ShareRow, WorkRow, is_done


def print_details(row: WorkRow) -> None:
    console = paper()
    console.print(Text.assemble((str(row.address), "bold")))
    facts = [(name, value) for name, value in (*_facts(row), *_decided(row), *_times(row)) if value]
    width = max(len(name) for name, _ in facts) + 2
    for name, value in facts:
        print_indented(Text(name.ljust(width), "dim"), Text(value) if isinstance(value, str) else value)
    if row.attempts:
        console.print()
        console.print(_attempts(row))


def _facts(row: WorkRow) -> list[tuple[str, str | Text | None]]:
    common: list[tuple[str, str | Text | None]] = [
        ("state", state_text(row)),
        ("reason", reason_text(row.reason) if row.reason else None),
        ("asset", asset_text(row.asset) + (f", at its origin {row.renamed_from}" if row.renamed_from else "")),
        ("registry", row.registry),
        ("from", f"{row.origin_tenant or 'the provider'}" + (f"\n{row.origin}" if row.origin else "")),
    ]
    if isinstance(row, DeliveryRow):
        mode = f" ({row.mode})" if row.mode else ""
        return [
            *common,
            ("to", f"{row.tenant}\n{row.workspace}"),
            ("by", route_text(row) + mode),
            ("traffic", f"{row.traffic} %" if row.traffic is not None else None),
            ("copied", row.copied),
            ("undone", row.done),
            ("will fail", reason_text(row.failing) if row.failing else None),
            ("share", str(row.share)),
        ]
    return [*common, ("waits for", ", ".join(asset_text(each) for each in row.needs)), ("environment", row.environment)]


def _decided(row: WorkRow) -> list[tuple[str, str | Text | None]]:
    by = f"rules of revision {row.rules_revision}"
    if isinstance(row, ShareRow):
        decided = f"publication {', '.join(row.publications)}; {by}" if row.publications else None
        return [("decided by", decided), ("recalled", row.recall), ("cancelled by", row.cancelled_by)]
    wish = f"subscription {row.subscription}" if row.subscription else f"{row.tenant}'s pull"
    publication = f"publication {row.publication}, " if row.publication else ""
    return [
        ("decided by", f"{publication}{wish}; {by}"),
        ("approved by", row.approved_by),
        ("cancelled by", row.cancelled_by),
        ("recalled", row.recall),
    ]


def _times(row: WorkRow) -> list[tuple[str, str | Text | None]]:
    return [
        ("made", time_text(row.created_at)),
        ("since", time_text(since(row))),
        ("next look", None if is_done(row) else f"{time_text(row.next_at)}{_step(row)}"),
        ("correlation", row.correlation_id),
    ]


def _step(row: WorkRow) -> str:
    failures = f", after {row.failures} transient failures" if row.failures else ""
    return (f", at step {row.step}" if row.step else "") + failures


def _attempts(row: WorkRow) -> Table:
    table = bare_table("Attempt", "Step", "Outcome")
    table.columns[2].no_wrap, table.columns[2].overflow = False, "fold"
    for attempt in row.attempts:
        table.add_row(time_text(attempt.at), attempt.step, attempt.outcome)
    return table
