"""What `fanout offboard` did, and what is left, for people and for programs."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape
from rich.text import Text

from handlers.cli.documents import asset_text, row_document
from handlers.cli.rules_in_force import SIGNS, change_text
from handlers.cli.rules_prints import print_table
from handlers.cli.tables import INDENT, print_below, route_text
from handlers.cli.terminal import out
from shared.doctor.leftovers import Leftover, Whose
from shared.rows import DeliveryRow, WorkRow
from shared.rules_change import RulesChange
from shared.tenants import Tenant


@dataclass(frozen=True, slots=True)
class Farewell:
    """`file` is the tenant's in the folder of the rules; None where nobody named one, or it has none. `rows` are under way yet."""

    tenant: Tenant
    change: RulesChange
    revision: int
    file: Path | None
    rows: Sequence[WorkRow]
    elsewhere: Sequence[DeliveryRow]
    leftovers: Sequence[Leftover]
    named_by: Sequence[str]
    dry_run: bool

    @property
    def is_over(self) -> bool:
        """Whether nothing is left but its name in the rules. What others have is theirs."""
        return not (self.rows or (self.dry_run and not self.change.is_empty) or self.left)

    @property
    def left(self) -> list[Leftover]:
        return [each for each in self.leftovers if each.whose is not Whose.OTHERS]

    @property
    def recalls(self) -> list[str]:
        """One for each version, in its registry."""
        versions = dict.fromkeys((asset_text(row.asset), row.registry) for row in self.elsewhere)
        reason = ["--reason", f"{self.tenant.id} has left"]
        return [shlex.join(["fanout", "recall", asset, "--registry", registry, *reason]) for asset, registry in versions]


def document_of(farewell: Farewell) -> dict[str, Any]:
    return {
        "tenant": farewell.tenant.id,
        "dry_run": farewell.dry_run,
        "rules_revision": farewell.revision,
        "changed": not farewell.change.is_empty,
        "file": str(farewell.file) if farewell.file else None,
        "under_way": [row_document(row) for row in farewell.rows],
        "delivered_elsewhere": [row_document(row) for row in farewell.elsewhere],
        "recalls": farewell.recalls,
        "azure": [asdict(each) for each in farewell.leftovers],
        "named_by": list(farewell.named_by),
        "over": farewell.is_over,
    }


def print_report(farewell: Farewell) -> None:
    _print_rules(farewell)
    if farewell.rows:
        doing = "would be ended" if farewell.dry_run else "being ended (`fanout show` tells how it went)"
        out.print(f"\n{len(farewell.rows)} under way to it or from it, {doing}:")
        for row in farewell.rows:
            print_below(Text(f"{asset_text(row.asset)} {row.address}"))
    _print_elsewhere(farewell)
    _print_leftovers(farewell)
    if farewell.is_over:
        out.print(f"\n{_last(farewell)}", markup=False)


def _print_rules(farewell: Farewell) -> None:
    for change in farewell.change.tenants:
        out.print(f"{SIGNS[change.fate]} {escape(change_text(change))}")
    if farewell.change.is_empty:
        out.print(f"Tenant {farewell.tenant.id} has ended already: revision {farewell.revision} is in force.", markup=False)
    elif farewell.dry_run:
        out.print("Dry run: nothing was changed.")
    else:
        out.print(f"Revision {farewell.revision} is in force.")
    if farewell.file:
        verb = "would say" if farewell.dry_run else "says"
        out.print(f"{farewell.file} {verb} so too.", markup=False)
    else:
        warning = "No file was changed: one that still has the tenant's rules brings them back when it is applied (--folder)."
        out.print(warning, markup=False)


def _print_elsewhere(farewell: Farewell) -> None:
    if not farewell.elsewhere:
        out.print("\nOthers have nothing of it.")
        return
    out.print("\nOthers have of it, and keep:")
    print_table(("Asset", "Tenant", "Workspace", "Route"), list(_places(farewell.elsewhere)))
    out.print("What of it they should not keep is taken back by:")
    for command in farewell.recalls:
        typer.echo(f"{INDENT}{command}")


def _places(rows: Sequence[DeliveryRow]) -> Iterator[tuple[str, str, str, str]]:
    for row in rows:
        yield asset_text(row.asset), row.tenant, row.workspace.name, route_text(row)


def _print_leftovers(farewell: Farewell) -> None:
    if farewell.left:
        first = " once nothing is under way" if farewell.rows else ""
        out.print(f"\nLeft in Azure, to be removed{first} in this order:")
    for each in farewell.leftovers:
        about = f"{each.workspace}: {each.what}"
        match each.whose:
            case Whose.OURS:
                print_below(Text(about))
            case Whose.UNSEEN:
                print_below(Text.assemble(("not seen: ", "magenta"), f"{about} ({each.why})"))
            case Whose.OTHERS:
                print_below(Text.assemble(("left alone: ", "yellow"), f"{about} ({each.why})"))
        if each.command:
            typer.echo(f"{INDENT * 2}{each.command}")


def _last(farewell: Farewell) -> str:
    name = farewell.tenant.id
    file = farewell.file or f"tenants/{name}.yaml"
    done = (
        f"No event of {name} comes any more, and the app has no right there. Whoever deployed infra/azure/tenant may remove what "
        "else it made: the storage account of the dead letters, the system topic if nobody else uses it, the doctor's roles."
    )
    if farewell.named_by:
        return f"{done}\nBefore {file} can be deleted, these must no longer name it: {', '.join(farewell.named_by)}."
    return f"{done}\nDelete {file}, and apply the folder."
