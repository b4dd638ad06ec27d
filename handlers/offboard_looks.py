"""Looks for what is left of Fanout in Azure, where a tenant leaves. What cannot be looked at is said, and named as it would be."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial

from handlers.doctor import LONGEST_PLACE
from handlers.doctor_looks import Looks
from shared.assets import WorkspaceId
from shared.deadline import within
from shared.doctor.events import topic_of
from shared.doctor.leftovers import Leftover, Whose, events_left, roles_left, unseen_events, unseen_roles
from shared.doctor.mending import name_of
from shared.doctor.unseen import is_missing
from shared.errors import Permanent, Transient
from shared.tenants import Tenant

_NO_PRINCIPAL = "FANOUT_PRINCIPAL_ID is not set"


def leftovers(tenant: Tenant, looks: Looks) -> Iterator[Leftover]:
    """At its workspaces, one after the other. `looks.principal` may be empty: then roles are not looked for."""
    for workspace in tenant.workspaces:
        with within(LONGEST_PLACE):
            found = list(_of_workspace(workspace, looks))
        yield from dict.fromkeys(found)


def _of_workspace(workspace: WorkspaceId, looks: Looks) -> Iterator[Leftover]:
    yield from _seen(lambda: _events(workspace, looks), lambda why: unseen_events(workspace, why))
    try:
        storage = looks.workspace(workspace).storage_account
    except (Permanent, Transient) as error:
        if _is_gone(workspace, error, looks):
            why = "it is not there: deleted, or its id in the rules is wrong"
            yield Leftover(workspace.name, "the workspace", Whose.OTHERS, why=why)
        else:
            yield unseen_roles(workspace, str(workspace), looks.principal, _first_line(error))
        return
    for scope in (str(workspace), storage):
        yield from _seen(partial(_roles, workspace, scope, looks), partial(_unseen_roles, workspace, scope, looks))


def _seen(look: Callable[[], Iterable[Leftover]], otherwise: Callable[[str], Iterable[Leftover]]) -> list[Leftover]:
    try:
        return list(look())
    except (Permanent, Transient) as error:
        return list(otherwise(_first_line(error)))


def _events(workspace: WorkspaceId, looks: Looks) -> Iterable[Leftover]:
    topic = topic_of(workspace, looks.system_topics(workspace.azure_subscription_id))
    return events_left(workspace, looks.azure.event_subscriptions(topic.arm_id), looks.app) if topic else ()


def _roles(workspace: WorkspaceId, scope: str, looks: Looks) -> Iterable[Leftover]:
    if not looks.principal:
        return _unseen_roles(workspace, scope, looks, _NO_PRINCIPAL)
    assignments = looks.azure.role_assignments(scope, looks.principal)
    names = {each.role: _role_name(each.role, looks) for each in assignments}
    return roles_left(workspace, scope, assignments, names, looks.principal)


def _role_name(definition: str, looks: Looks) -> str:
    """Its id, where its name cannot be seen: the assignment is there all the same."""
    with suppress(Permanent, Transient):
        return looks.role(definition).name
    return name_of(definition)


def _unseen_roles(workspace: WorkspaceId, scope: str, looks: Looks, why: str) -> Iterable[Leftover]:
    return [unseen_roles(workspace, scope, looks.principal, why)]


def _is_gone(workspace: WorkspaceId, error: Permanent | Transient, looks: Looks) -> bool:
    """Deleted, and what was assigned there with it. Azure says the same of what it does not let us see: then not even its
    Azure subscription can be seen."""
    if not is_missing(error):
        return False
    try:
        looks.azure_subscription(workspace.azure_subscription_id)
    except (Permanent, Transient):
        return False
    return True


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
