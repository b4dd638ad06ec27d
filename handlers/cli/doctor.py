"""`fanout doctor`: what is missing in Azure, before it fails."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from handlers.cli import completion
from handlers.cli.arguments import tenant_in
from handlers.cli.connection import connect
from handlers.cli.doctor_report import document_of, print_report
from handlers.cli.documents import AsJson, print_json
from handlers.cli.terminal import FAILED, INVALID, UNREACHABLE, err, reaching, stop
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
    from shared import settings

    principal = principal_id or settings.principal_id()
    if not principal:
        found = "az identity show --name NAME --resource-group GROUP --query principalId --output tsv"
        stop(
            INVALID,
            f"Whose roles? Set FANOUT_PRINCIPAL_ID, or write --principal-id: the object id of the app's identity ({found}).",
        )
    with reaching("the tables"):
        looks = _looks(principal)
    everybody = looks.rules.tenants.values()
    tenants = [tenant_in(tenant, looks.rules)] if tenant else sorted(everybody, key=lambda each: each.id)
    examined = sorted(_examined(tenants, looks), key=lambda each: (each.tenant or "", each.place))
    if as_json:
        print_json(document_of(examined, looks.rules.revision))
    else:
        print_report(examined)
    outcome = worst(finding for each in examined for finding in each.findings)
    if outcome in _EXITS:
        raise typer.Exit(_EXITS[outcome])


def _looks(principal: str) -> "Looks":
    from handlers.doctor_looks import Looks
    from shared import settings
    from shared.doctor.events import App

    fanout = connect()
    app = App(settings.host_name(), settings.namespace())
    return Looks(fanout.rules.current(), fanout.surroundings, principal, app, fanout.clock.now())


def _examined(tenants: list[Tenant], looks: "Looks") -> Iterator["Examined"]:
    from handlers.doctor import examine

    examination, doing = examine(tenants, looks), "Looking at workspaces and registries"
    yield from track(examination.examined, doing, examination.places, console=err, transient=True, disable=not err.is_terminal)
