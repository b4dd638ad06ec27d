"""`list`, `show`, `pause` and `resume` of one sort of a tenant's rules: the same for publications and for subscriptions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from handlers.cli import completion
from handlers.cli.documents import AsJson, print_json
from handlers.cli.rules_in_force import By, change_tenant, rules_in_force, tenant_named
from handlers.cli.rules_prints import print_table, print_yaml
from handlers.cli.terminal import INVALID, stop
from shared.rules import Rules
from shared.rules_document import Document, to_document
from shared.tenants import RuleState, Tenant

RuleName = Annotated[str, typer.Argument(metavar="[TENANT/]NAME", help="Its name; with the tenant where several have one so.")]
OfTenant = Annotated[str | None, completion.tenant("--tenant", "Those of this tenant.")]


@dataclass(frozen=True, slots=True)
class Sort:
    """`plural` is the field of a tenant's document. `cells`: what a table says of a rule, under `columns`, the shortest first.

    `effect` says for --help what a pause does, `with_state` makes it.
    """

    singular: str
    plural: str
    columns: tuple[str, ...]
    cells: Callable[[Document], tuple[str, ...]]
    effect: str
    with_state: Callable[[Tenant, str, RuleState], Tenant]

    def help(self, example: str, text: str) -> str:
        return f"{text}\n\n\b\nfanout {self.plural} {example}"


def commands_about(sort: Sort) -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, help=f"The {sort.plural} of the rules in force: list, show, pause, resume.")

    @commands.command("list", help=sort.help("list --tenant fabrikam", f"List the {sort.plural} of all tenants, or of one."))
    def list_(tenant: OfTenant = None, as_json: AsJson = False) -> None:
        in_force = rules_in_force()
        owners = in_force.tenants.values() if tenant is None else [tenant_named(tenant, in_force)]
        found = [(owner, rule) for owner in sorted(owners, key=lambda owner: owner.id) for rule in to_document(owner)[sort.plural]]
        if as_json:
            print_json([{"tenant": owner.id, **rule} for owner, rule in found])
        else:
            lines = [(owner.id, rule["name"], _state(rule, owner), *sort.cells(rule)) for owner, rule in found]
            print_table(("Tenant", "Name", "State", *sort.columns), lines)

    @commands.command(help=sort.help("show fabrikam/cards", f"Show a {sort.singular}, as its tenant's file has it."))
    def show(name: RuleName, as_json: AsJson = False) -> None:
        owner, rule = _found(sort, name, rules_in_force())
        if as_json:
            print_json({"tenant": owner, **rule})
        else:
            print_yaml({"tenant": owner, **rule})

    pausing = f"Pause a {sort.singular}: {sort.effect}. A file without the pause ends it when it is applied."

    @commands.command(help=sort.help("pause fabrikam/cards", pausing))
    def pause(name: RuleName, by: By = "") -> None:
        _set_state(sort, name, RuleState.PAUSED, by)

    @commands.command(help=sort.help("resume fabrikam/cards", f"End the pause of a {sort.singular}: what was held goes on."))
    def resume(name: RuleName, by: By = "") -> None:
        _set_state(sort, name, RuleState.ACTIVE, by)

    return commands


def _set_state(sort: Sort, name: str, state: RuleState, by: str) -> None:
    def changed(in_force: Rules) -> Tenant:
        owner, rule = _found(sort, name, in_force)
        return sort.with_state(in_force.tenants[owner], rule["name"], state)

    change_tenant(changed, by)


def _found(sort: Sort, name: str, in_force: Rules) -> tuple[str, Document]:
    """The rule and its tenant's id. Ends the command where there is none, or several."""
    tenant, _, wanted = name.rpartition("/")
    owners = [tenant_named(tenant, in_force)] if tenant else in_force.tenants.values()
    found = [(owner.id, rule) for owner in owners for rule in to_document(owner)[sort.plural] if rule["name"] == wanted]
    if not found:
        stop(INVALID, f"There is no {sort.singular} {name!r}: `fanout {sort.plural} list` names all of them.")
    if len(found) > 1:
        several = ", ".join(sorted(f"{owner}/{wanted}" for owner, _ in found))
        stop(INVALID, f"Several tenants have a {sort.singular} {wanted!r}: write which one is meant, {several}.")
    return found[0]


def _state(rule: Document, owner: Tenant) -> str:
    """A tenant's pause pauses each of its rules."""
    return str(rule.get("state", owner.state.value)) if owner.active else "paused"
