"""Whether a version of a publisher is where its publications lead, or on its way there; and if not, whether it could be.

What would be refused is not asked for, again and again: it is shown, with the reason, to whom it may concern.
"""

from collections.abc import Iterator, Sequence

from handlers.asked import Asked
from handlers.reconcile_round import Round, share_command
from handlers.regions import within_regions
from handlers.share_command import came_from_registry, requests
from handlers.share_request import ShareRequest
from shared.assets import WorkspaceAsset, WorkspaceId
from shared.errors import Permanent, Reason
from shared.ports import Fanout
from shared.reconciling import Finding, What
from shared.tenants import Publication, Tenant


def ask_for_share(
    tenant: Tenant, workspace: WorkspaceId, found: WorkspaceAsset, by: Sequence[Publication], round_: Round, *, retagged: bool
) -> bool:
    """Ask for it where it is absent, or `retagged`: to share one again that has other tags brings these after it.

    Whether it is absent from a registry. What came from one is nothing to share.
    """
    absent, refusals = _absent(list(requests(tenant, workspace, found, by, round_.rules.revision, Asked())), round_.fanout)
    if not (absent or refusals or retagged) or came_from_registry(workspace, found, round_.rules, round_.fanout):
        return False

    def finding(what: What, why: str, healed_by: str | None = None) -> Finding:
        return Finding(what, str(found.asset), tenant.id, workspace.name, why, healed_by)

    for reason in refusals:
        round_.note(finding(What.REFUSED, str(reason)))
    command = share_command(workspace, found.asset)
    if absent:
        why = f"registered {found.created_at:%Y-%m-%d %H:%M}, and not in registry {', '.join(absent)}"
        round_.note(finding(What.UNSHARED, why, "share"), command)
    elif retagged:
        why = f"it has other tags now: {', '.join(f'{tag}={value}' for tag, value in sorted(found.tags.items())) or 'none'}"
        round_.note(finding(What.RETAGGED, why, "share"), command)
    return bool(absent or refusals)


def standing_shares(
    tenant: Tenant, workspace: WorkspaceId, found: WorkspaceAsset, by: Sequence[Publication], round_: Round
) -> Iterator[ShareRequest]:
    """Of those that would be requested to where these publications lead: which were asked for before, and not taken back since."""
    wanted = requests(tenant, workspace, found, by, round_.rules.revision, Asked())
    return (request for request in wanted if request.standing(round_.fanout))


def _absent(wanted: Sequence[ShareRequest], fanout: Fanout) -> tuple[list[str], list[Reason]]:
    """The registries that lack it, and why others would refuse it."""
    absent, refusals = [], []
    for request in wanted:
        try:
            if _is_absent(request, fanout):
                absent.append(request.registry)
        except Permanent as refused:
            if refused.reason.code != "recalled":  # somebody's wish, and told then
                refusals.append(refused.reason)
    return sorted(set(absent)), refusals


def _is_absent(request: ShareRequest, fanout: Fanout) -> bool:
    """Permanent where the command `share` would be refused."""
    stands = request.check(fanout)
    if stands and request.owns(stands):
        return False
    within_regions(request.publications, fanout)
    return True
