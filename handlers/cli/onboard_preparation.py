"""What a tenant needs before its rules can be in force: its file, and its part in Azure."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from handlers.cli.terminal import INVALID, stop
from shared import settings
from shared.assets import WorkspaceId
from shared.rules import Rules
from shared.rules_complaints import complaint
from shared.rules_document import tenant_from_document, to_document
from shared.rules_file import read_provider
from shared.rules_reading import InvalidRulesError
from shared.rules_tenant_file import file_of, new_file, shape_in
from shared.rules_words import Name
from shared.tenant_deployment import ProvidersPart, Step, steps
from shared.tenants import Tenant, TenantState


@dataclass(frozen=True, slots=True)
class Preparation:
    """`text` is what the file says from now on; empty where there was one, and it is left as it is."""

    file: Path
    text: str
    steps: tuple[Step, ...]
    next_commands: tuple[str, ...]

    @property
    def document(self) -> dict[str, Any]:
        told = {"file": str(self.file), "text": self.text or None, "steps": [asdict(each) for each in self.steps]}
        return {**told, "next": list(self.next_commands)}


def prepare(
    tenant_id: str,
    named: Sequence[WorkspaceId],
    folder: Path,
    region: str | None,
    in_force: Rules,
    *,
    by_queue: bool,
    dry_run: bool,
) -> Preparation:
    """Ends the command where workspaces or file are another tenant's, and where a new file would end rules in force.

    In a dry run nothing is written.
    """
    for workspace in named:
        owner = in_force.tenant_of(workspace)
        if owner and owner.id != tenant_id:
            stop(INVALID, f"Workspace {workspace.name} is one of {owner.id}'s: a workspace belongs to one tenant.")
    with _standing_in_rules():
        file = file_of(TypeAdapter(Name).validate_python(tenant_id), folder)
    if file.exists():
        tenant, text = _in_file(file, tenant_id, named), ""
    elif in_force.tenant(tenant_id):
        add = f"write all rules there by `{shlex.join(['fanout', 'export', str(folder)])}`, and add the workspaces to its own"
        stop(
            INVALID,
            f"Tenant {tenant_id} has rules in force, which no file in {folder} has: name their folder (--folder), or {add}.",
        )
    else:
        tenant = _new(tenant_id, named, region, file)
        text = new_file(tenant, in_force.provider if in_force.revision else read_provider(folder))
        if not dry_run:
            _write(file, text)
    provider = ProvidersPart(settings.principal_id(), settings.host_name(), settings.events_queue())
    deploying = (
        steps(each, region or tenant.regions.get(each), provider, by_queue=by_queue) for each in named or tenant.workspaces
    )
    return Preparation(file, text, tuple(step for each in deploying for step in each), _next(tenant_id, file, folder, in_force))


def _in_file(file: Path, tenant_id: str, named: Sequence[WorkspaceId]) -> Tenant:
    try:
        tenant = shape_in(file).value()
    except InvalidRulesError as invalid:
        stop(INVALID, *map(str, invalid.problems), f"{len(invalid.problems)} to mend; the file was left as it is.")
    if tenant.id != tenant_id:
        stop(INVALID, f"{file} has the rules of {tenant.id}, and was left as it is: name that tenant, or rename the file.")
    missing = [str(each) for each in named if each not in tenant.workspaces]
    if missing:
        stop(
            INVALID,
            f"{file} is there already, and was left as it is. Add to its `workspaces`:",
            *(f"  - {each}" for each in missing),
        )
    return tenant


def _new(tenant_id: str, named: Sequence[WorkspaceId], region: str | None, file: Path) -> Tenant:
    if not named:
        stop(INVALID, f"There is no {file}, and no tenant {tenant_id} in the rules: write its workspaces with --workspace.")
    regions = dict.fromkeys(named, region) if region else {}
    tenant = Tenant(tenant_id, TenantState.ACTIVE, tuple(dict.fromkeys(named)), regions=regions)
    with _standing_in_rules():
        return tenant_from_document(to_document(tenant))


@contextmanager
def _standing_in_rules() -> Iterator[None]:
    try:
        yield
    except ValidationError as wrong:
        _, what, remedy = complaint(wrong.errors(include_url=False)[0])
        stop(INVALID, f"{what[:1].upper()}{what[1:]}: {remedy}.")


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(text)
    except OSError as wrong:
        stop(INVALID, f"{file} cannot be written ({wrong.strerror}): name a folder that can be.")


def _next(tenant_id: str, file: Path, folder: Path, in_force: Rules) -> tuple[str, ...]:
    """The first rules of all need the provider's."""
    words = ["--tenant", tenant_id, str(file)] if in_force.revision else [str(folder)]
    return (shlex.join(["fanout", "apply", *words]), shlex.join(["fanout", "onboard", tenant_id]))
