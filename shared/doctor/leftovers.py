"""What is left of Fanout at the workspaces of a tenant that leaves, and the commands that remove it.

What is somebody else's, or serves others too, is named and left alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.assets import WorkspaceId
from shared.doctor.events import DEAD_LETTERS, App, delete_event_subscription, identity_of_topic
from shared.doctor.mending import az, name_of, place_of
from shared.doctor.seen import DeadLetters, DestinationKind, EventSubscription, RoleAssignment, is_within, same

_GROUP = "/subscriptions/{0.azure_subscription_id}/resourceGroups/{0.resource_group}"


class Whose(StrEnum):
    OURS = "ours"
    OTHERS = "others"  # somebody else's, or others need it too
    UNSEEN = "unseen"  # it could not be looked at, or not be told whose it is


@dataclass(frozen=True, slots=True)
class Leftover:
    """`command` removes what is ours; of what could not be looked at, what infra/azure makes there. `why`: of what is not ours."""

    workspace: str
    what: str
    whose: Whose
    command: str | None = None
    why: str = ""


def events_left(workspace: WorkspaceId, subscriptions: Sequence[EventSubscription], app: App) -> Iterator[Leftover]:
    """Of its system topic. An event subscription comes last of what belongs to it, which only it tells of."""
    mine = [each for each in subscriptions if app.owns(each.destination)]
    shared = [each.dead_letters for each in subscriptions if each not in mine and each.dead_letters]
    for each in mine:
        if each.dead_letters:
            yield _dead_letters(workspace, each.dead_letters, in_use=_is_among(each.dead_letters, shared))
        if each.destination.kind is DestinationKind.QUEUE:
            yield _sender(workspace, each)
        what, command = f"event subscription {name_of(each.arm_id)}", delete_event_subscription(each.arm_id)
        yield Leftover(workspace.name, what, Whose.OURS, command)
    yield from (_not_ours(workspace, each, app) for each in subscriptions if each not in mine)


def roles_left(
    workspace: WorkspaceId, scope: str, assignments: Iterable[RoleAssignment], names: Mapping[str, str], principal: str
) -> Iterator[Leftover]:
    """Those that were made at the scope or below it; what comes from above it, or by a group, others may need.

    `names` of the roles, by their definitions' ARM ids.
    """
    for each in assignments:
        what = f"role {names[each.role]} of the app's identity on {name_of(each.scope) or 'everything'}"
        if not same(each.principal, principal):
            why = f"group {each.principal}, that the app's identity is in, has it"
            yield Leftover(workspace.name, what, Whose.OTHERS, why=why)
        elif not is_within(each.scope, scope):
            yield Leftover(workspace.name, what, Whose.OTHERS, why=f"it was given above the workspace, at {each.scope}")
        else:
            command = az("role assignment delete", ids=each.arm_id)
            yield Leftover(workspace.name, what, Whose.OURS, command)


def unseen_events(workspace: WorkspaceId, why: str) -> Iterator[Leftover]:
    """What infra/azure makes."""
    group = _GROUP.format(workspace)
    container = _delete_container(DeadLetters(f"{group}/storageAccounts/<storage account>", DEAD_LETTERS))
    yield Leftover(workspace.name, f"container {DEAD_LETTERS}", Whose.UNSEEN, container, why)
    deleting = delete_event_subscription(f"{group}/systemTopics/<system topic>/eventSubscriptions/fanout")
    yield Leftover(workspace.name, "event subscription fanout", Whose.UNSEEN, deleting, why)


def unseen_roles(workspace: WorkspaceId, scope: str, principal: str | None, why: str) -> Leftover:
    command = az("role assignment delete", assignee=principal or "<FANOUT_PRINCIPAL_ID>", scope=scope)
    return Leftover(workspace.name, f"roles of the app's identity on {name_of(scope)}", Whose.UNSEEN, command, why)


def _dead_letters(workspace: WorkspaceId, place: DeadLetters, *, in_use: bool) -> Leftover:
    what = f"container {place.container} of storage account {name_of(place.storage_account)}"
    if in_use:
        return Leftover(workspace.name, what, Whose.OTHERS, why="the dead letters of another event subscription are there too")
    kept = "with its dead letters" if place.container == DEAD_LETTERS else "unless it keeps more than dead letters"
    return Leftover(workspace.name, f"{what}, {kept}", Whose.OURS, _delete_container(place))


def _delete_container(place: DeadLetters) -> str:
    account = place.storage_account
    options = {"name": place.container, "storage_account": name_of(account), **place_of(account)}
    return az("storage container-rm delete", "--yes", **options)


def _sender(workspace: WorkspaceId, subscription: EventSubscription) -> Leftover:
    """What tenant/queue-sender.bicep gives."""
    topic, queue = subscription.arm_id.partition("/eventSubscriptions/")[0], subscription.destination.address
    command = az("role assignment delete", assignee=identity_of_topic(ids=topic), scope=queue)
    return Leftover(workspace.name, f"right of its system topic to send to queue {name_of(queue)}", Whose.OURS, command)


def _not_ours(workspace: WorkspaceId, subscription: EventSubscription, app: App) -> Leftover:
    what = f"event subscription {name_of(subscription.arm_id)}"
    if app.hears(subscription.destination):
        setting = "ServiceBus" if subscription.destination.kind is DestinationKind.QUEUE else "FANOUT_HOSTNAME"
        why = f"it may be ours, or that of another app of this kind: set {setting} to tell"
        return Leftover(workspace.name, what, Whose.UNSEEN, why=why)
    where = subscription.destination.address or subscription.destination.kind
    return Leftover(workspace.name, what, Whose.OTHERS, why=f"it leads to {where}")


def _is_among(place: DeadLetters, others: Iterable[DeadLetters]) -> bool:
    return any(same(place.storage_account, each.storage_account) and same(place.container, each.container) for each in others)
