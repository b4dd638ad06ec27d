"""`fanout history`: who changed the rules, when and how."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from handlers.cli import completion
from handlers.cli.connection import connect
from handlers.cli.documents import AsJson, print_json
from handlers.cli.rules_in_force import change_text
from handlers.cli.rules_prints import print_table
from handlers.cli.terminal import reaching
from shared.rules_change import Revision

Last = Annotated[int, typer.Option("--last", min=1, help="How many revisions, the newest first.")]


def history(
    tenant: Annotated[str | None, completion.tenant("--tenant", "The changes of this tenant's rules alone.")] = None,
    last: Last = 20,
    as_json: AsJson = False,
) -> None:
    """List the changes of the rules, newest first: revision, time (UTC), who made it, what it changed.

    \b
    fanout history --last 5
    fanout history --tenant fabrikam --json
    """
    with reaching("the tables"):
        found = connect().rules_table.history(last, tenant)
    if as_json:
        print_json([_document(revision) for revision in found])
    else:
        print_table(("Revision", "When", "Who", "What"), [_cells(revision, tenant) for revision in found])


def _cells(revision: Revision, tenant: str | None) -> tuple[str, str, str, str]:
    return str(revision.number), f"{revision.at:%Y-%m-%d %H:%M:%S}", revision.by, "\n".join(_what(revision, tenant))


def _what(revision: Revision, tenant: str | None) -> Iterator[str]:
    if revision.everything:
        yield "perhaps more: it followed one that did not end, or changed too much to name"
    if revision.change.provider and tenant is None:
        yield "provider changed"
    for change in revision.change.tenants:
        if tenant in (None, change.tenant):
            yield change_text(change) if change.details else f"tenant {change.tenant} {change.fate}"


def _document(revision: Revision) -> dict[str, Any]:
    tenants = [{"tenant": each.tenant, "fate": each.fate.value, "details": list(each.details)} for each in revision.change.tenants]
    return {
        "revision": revision.number,
        "at": f"{revision.at:%Y-%m-%dT%H:%M:%SZ}",
        "by": revision.by,
        "provider": revision.change.provider,
        "tenants": tenants,
        "everything": revision.everything,
    }
