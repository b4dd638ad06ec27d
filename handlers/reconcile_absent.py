"""What was to be delivered, and was not: pushed to exactly the targets that lack it, and to no others of the same tenants."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import batched

from handlers.reconcile_round import Round, push_command
from shared.actions import Action
from shared.assets import WorkspaceId
from shared.planning import Decision
from shared.reconciling import Finding, What
from shared.rows import DeliveryRow, ShareRow
from shared.states import DeliveryState

MOST_WORKSPACES = 100  # of one push command

type Receiver = tuple[str, WorkspaceId]


def push_absent(
    share: ShareRow,
    rows: Mapping[str, DeliveryRow],
    wanted: Mapping[str, Decision],
    allowed: Mapping[str, Decision],
    round_: Round,
) -> None:
    """Push to the targets that have no delivery, and to those whose delivery the rules ended that allow it now. All by target.

    What failed, and what somebody cancelled, is left as it is. A push is narrowed to the workspaces of its targets, and to one
    action where it is not for all that are `allowed` there. Workspaces for which it is the same share a command.
    """
    due: dict[tuple[Receiver, bool], dict[str, Action]] = defaultdict(dict)
    for target, decision in wanted.items():
        row = rows.get(target)
        if _is_due(row):
            round_.note(_undelivered(decision, share, again=row is not None))
            due[_receiver(decision), row is not None][decision.action.route] = decision.action
    most = Counter(map(_receiver, allowed.values()))
    alike: dict[tuple[bool, str], list[Receiver]] = defaultdict(list)
    for (receiver, again), actions in due.items():
        for route in actions if len(actions) < most[receiver] else [""]:
            alike[again, route].append(receiver)
    for (again, route), receivers in alike.items():
        action = due[receivers[0], again].get(route)
        for some in batched(receivers, MOST_WORKSPACES, strict=False):
            tenants, into = sorted({tenant for tenant, _ in some}), [workspace for _, workspace in some]
            round_.ask(push_command(share.registry, share.asset, tenants, into, action, again=again))


def _undelivered(decision: Decision, share: ShareRow, *, again: bool) -> Finding:
    why = f"subscription {decision.subscription} wants it" + (", and it was cancelled when it was not allowed" if again else "")
    return Finding(What.UNDELIVERED, str(share.asset), decision.tenant, decision.workspace.name, why, "push")


def _is_due(row: DeliveryRow | None) -> bool:
    """Whether there is no delivery, or one that the rules alone ended."""
    return row is None or (row.state is DeliveryState.CANCELLED and not row.cancelled_by and not row.recall)


def _receiver(decision: Decision) -> Receiver:
    return decision.tenant, decision.workspace
