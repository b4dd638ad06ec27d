"""`fanout doctor`: what is missing in Azure, before it fails."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from handlers.cli import completion
from handlers.cli.arguments import tenant_in
from handlers.cli.connection import connect
from handlers.cli.doctor_report import document_of, print_report
from handlers.cli.documents import AsJson, print_json
from handlers.cli.terminal import DONE, FAILED, INVALID, UNREACHABLE, err, reaching, stop
from shared.doctor.findings import Severity, worst
from shared.tenants import Tenant

if TYPE_CHECKING:
    from handlers.doctor import Examined
    from handlers.doctor_looks import Looks

_EXITS = {Severity.FAULT: FAILED, Severity.UNSEEN: UNREACHABLE}


def doctor(
    tenant: Annotated[str, completion.tenant("--tenant", "Of this tenant alone, and of the registries that it uses.")] = "",
    principal_id: Annotated[
        str, typer.Option("--principal-id", help="The app's identity, by its object id; FANOUT_PRINCIPAL_ID where left out.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Look whether every workspace and registry of the rules in force has what the rules need of it, before anything fails.

    Reachable, in the right Entra tenant and region; the roles of the app's identity; the event subscription and its dead
    letters; endpoint names, limits and quota of cores; private storage and networks; policies. What is missing is shown with
    the command that mends it. Whoever runs this needs the role Reader there, and nothing is changed.

    Exit codes: 0 sound, perhaps with warnings; 1 the tables, or something of what is to be looked at, cannot be reached; 2 the
    input is wrong; 4 there are faults.

    \b
    fanout doctor
    fanout doctor --tenant fabrikam --json
    """
    principal = app_principal(principal_id)
    with reaching("the tables"):
        looks = looks_as(principal)
    everybody = looks.rules.tenants.values()
    tenants = [tenant_in(tenant, looks.rules)] if tenant else sorted(everybody, key=lambda each: each.id)
    examined = examine_all(tenants, looks)
    if as_json:
        print_json(document_of(examined, looks.rules.revision))
    else:
        print_report(examined)
    raise typer.Exit(exit_code(examined))


def app_principal(given: str = "") -> str:
    """The app's identity, by its object id."""
    from shared import settings

    principal = given or settings.principal_id()
    if not principal:
        found = "az identity show --name NAME --resource-group GROUP --query principalId --output tsv"
        asked = "Set FANOUT_PRINCIPAL_ID, or have `fanout doctor` know it by --principal-id"
        stop(INVALID, f"Whose roles? {asked}: the object id of the app's identity ({found}).")
    return principal


def looks_as(principal: str) -> "Looks":
    from handlers.doctor_looks import Looks
    from shared import settings
    from shared.doctor.events import App

    fanout = connect()
    app = App(settings.host_name(), settings.namespace())
    return Looks(fanout.rules.current(), fanout.surroundings, principal, app, fanout.clock.now())


def examine_all(tenants: Sequence[Tenant], looks: "Looks") -> list["Examined"]:
    """With progress, and then in the order of a report."""
    from handlers.doctor import examine

    examination, doing = examine(tenants, looks), "Looking at workspaces and registries"
    seen = track(examination.examined, doing, examination.places, console=err, transient=True, disable=not err.is_terminal)
    return sorted(seen, key=lambda each: (each.tenant or "", each.place))


def exit_code(examined: Iterable["Examined"]) -> int:
    outcome = worst(finding for each in examined for finding in each.findings)
    return _EXITS.get(outcome, DONE) if outcome else DONE
