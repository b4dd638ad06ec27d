"""What the commands about rules have in common: where the rules are, who changes them, and how a change is made and shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.markup import escape

from handlers.apply_rules import Proposal, apply_proposal, propose_tenant
from handlers.cli.connection import connect
from handlers.cli.sending import login_name
from handlers.cli.terminal import INVALID, LOST, out, reaching, stop
from shared.rules import Rules
from shared.rules_change import ApplyLostError, Fate, RulesStore, RulesTooLargeError, TenantChange
from shared.rules_reading import InvalidRulesError
from shared.tenants import Tenant

LONGEST_NAME = 100  # of who makes a change


def _name(by: str) -> str:
    if len(by) > LONGEST_NAME or not by.isprintable():
        raise typer.BadParameter(f"write a name of at most {LONGEST_NAME} characters that can be printed.")
    return by


# Plain assignments: typer does not look into what `type` names.
By = Annotated[
    str, typer.Option("--by", help="Who makes the change, for the record; the login name where left out.", callback=_name)
]

SIGNS = {Fate.ADDED: "[green]+[/]", Fate.CHANGED: "[yellow]~[/]", Fate.REMOVED: "[red]-[/]"}


def rules_in_force() -> Rules:
    with reaching("the tables"):
        return connect().rules_table.load()


@contextmanager
def changing() -> Iterator[None]:
    """A change that cannot be made ends the command with the reason, and what is left as it was."""
    try:
        with reaching("the tables"):
            yield
    except InvalidRulesError as invalid:
        stop(INVALID, *map(str, invalid.problems), f"{len(invalid.problems)} to mend; nothing was changed.")
    except RulesTooLargeError as too_large:
        stop(INVALID, f"{too_large}. Nothing was changed.")
    except ApplyLostError as lost:
        stop(LOST, f"Not applied: {lost}.")


def put_in_force(proposal: Proposal, store: RulesStore, by: str) -> None:
    applied = apply_proposal(proposal, store, by or login_name())
    out.print(f"Revision {applied.revision} is in force.")


def change_tenant(changed: Callable[[Rules], Tenant], by: str) -> None:
    """Put the rules of one tenant in force, as `changed` makes them of those in force."""
    with changing():
        store = connect().rules_table
        in_force = store.load()
        proposal = propose_tenant(changed(in_force), in_force)
        show(proposal)
        put_in_force(proposal, store, by)


def tenant_named(tenant_id: str, in_force: Rules) -> Tenant:
    tenant = in_force.tenant(tenant_id)
    if tenant is None:
        stop(INVALID, f"There is no tenant {tenant_id!r}: `fanout tenants list` names all of them.")
    return tenant


def show(proposal: Proposal) -> None:
    """What it changes."""
    if proposal.change.is_empty:
        out.print("Nothing changes.")
    if proposal.change.provider:
        out.print(f"{SIGNS[Fate.CHANGED if proposal.based_on else Fate.ADDED]} provider")
    for tenant in proposal.change.tenants:
        out.print(f"{SIGNS[tenant.fate]} {escape(change_text(tenant))}")


def change_text(change: TenantChange) -> str:
    details = f": {', '.join(change.details)}" if change.details else ""
    return f"tenant {change.tenant}{details}"
