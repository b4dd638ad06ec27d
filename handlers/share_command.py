"""The command `share`: whether an asset may leave its workspace, and for which registries; then a share row for each."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from handlers.asked import Asked
from handlers.regions import within_regions
from handlers.share_request import ShareRequest
from shared import commands, logs, planning
from shared.actions import Register
from shared.assets import Asset, WorkspaceAsset, WorkspaceId
from shared.bytes_of_registries import lie_in_registry
from shared.errors import Owner, Permanent, Transient
from shared.ports import Fanout
from shared.provenance import delivery_in
from shared.rows import DeliveryRow
from shared.rules import Provider, Rules
from shared.states import DeliveryState
from shared.tenants import Publication, Tenant

log = logging.getLogger("fanout.share_command")

ATTEMPTS_TO_FIND = 4  # an event can outrun the workspace's own replication; about 15 seconds in all


def share(command: commands.Share, asked: Asked, fanout: Fanout) -> None:
    """Request the asset's shares, unless it is private, or came from a registry itself. Idempotent by the rows' keys.

    Permanent where it cannot be: unknown_workspace, tenant_paused, asset_not_found, not_published, region_forbidden, conflict,
    recalled, the last two only after all others stand; and, where somebody asked for it, private or echo. What was recalled
    under one name goes out under another only where somebody asks for that.
    """
    workspace, rules = command.source, fanout.rules.current()
    tenant = owner(workspace, rules)
    asset = _version(workspace, command.asset.value, asked, fanout)
    ids = {"workspace": workspace.name, "asset": asset, "tenant": tenant.id}
    by_any_tags = planning.publications_for(asset, workspace, None, rules)
    if not by_any_tags:
        _goes_nowhere(asked, ids, "private", "no publication is about it")
        return
    deliveries = _deliveries_there(workspace, asset, rules, fanout)
    if any(delivery.state is DeliveryState.DELIVERED for delivery in deliveries):
        _goes_nowhere(asked, ids, "echo", "Fanout delivered it there")
        return
    found = _find(workspace, asset, asked, fanout)
    if why := _came_from_a_registry(workspace, found, rules.provider, fanout):
        _goes_nowhere(asked, ids, "echo", why)
        return
    publications = planning.publications_for(asset, workspace, found.tags, rules)
    lost = [publication for publication in by_any_tags if publication not in publications]
    for request in requests(tenant, workspace, found, lost, rules.revision, asked):
        request.bring_tags(fanout)
    if not publications:
        _goes_nowhere(asked, ids, "private", "no publication is about it with these tags")
        return
    wanted = within_regions(_to_registry(publications, command.registry), fanout)
    made = requests(tenant, workspace, found, wanted, rules.revision, asked, fan_out=command.fan_out)
    if asked.by_event and asset.version in fanout.reconciling.recalled(workspace, asset.kind, asset.name):
        made = (request for request in made if request.stands(fanout))
    _make_all(made, fanout)


def _goes_nowhere(asked: Asked, ids: Mapping[str, object], what: str, why: str) -> None:
    """It is not shared, as most of all models that are registered. Permanent, with `what` as code, for who asked for a share."""
    logs.event(log, what, **ids, why=why)
    if not asked.by_event:
        remedy = "publish it first" if what == "private" else "it is in a registry already: push it, or let tenants pull it"
        raise Permanent(what, f"{ids['asset']} in workspace {ids['workspace']} is not shared: {why}", Owner.PUBLISHER, remedy)


def owner(workspace: WorkspaceId, rules: Rules) -> Tenant:
    """The active tenant that the workspace belongs to."""
    tenant = rules.tenant_of(workspace)
    if tenant is None:
        text = f"workspace {workspace} belongs to no tenant"
        raise Permanent("unknown_workspace", text, Owner.PROVIDER, "add the workspace to its tenant's rules, then resend")
    if not tenant.active:
        text = f"tenant {tenant.id} is paused"
        raise Permanent("tenant_paused", text, Owner.PROVIDER, "resend when the tenant is active again")
    return tenant


def requests(
    tenant: Tenant,
    workspace: WorkspaceId,
    found: WorkspaceAsset,
    publications: Sequence[Publication],
    revision: int,
    asked: Asked,
    *,
    fan_out: bool = True,
) -> Iterator[ShareRequest]:
    """One for each registry, and for each name that it gets there."""

    def place(publication: Publication) -> tuple[str, str]:
        return publication.registry, publication.name_in_registry(tenant.id, found.asset.name)

    for (registry, name), same in groupby(sorted(publications, key=place), key=place):
        yield ShareRequest(tenant, workspace, found, registry, name, tuple(same), revision, asked, fan_out)


def _make_all(wanted: Iterator[ShareRequest], fanout: Fanout) -> None:
    refusals: list[Permanent] = []
    for request in wanted:
        try:
            request.make(fanout)
        except Permanent as refused:
            refusals.append(refused)
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        first = refusals[0].reason
        raise Permanent(first.code, "; ".join(refused.reason.text for refused in refusals), first.owner, first.remedy)


def _version(workspace: WorkspaceId, asset: Asset, asked: Asked, fanout: Fanout) -> Asset:
    if asset.version != commands.LATEST:
        return asset
    with fanout.fairness.admitted(workspace):
        latest = fanout.workspaces.latest(workspace, asset.kind, asset.name)
    if latest is None:
        raise _not_found(workspace, asset, asked)
    return latest


def _find(workspace: WorkspaceId, asset: Asset, asked: Asked, fanout: Fanout) -> WorkspaceAsset:
    with fanout.fairness.admitted(workspace):
        found = fanout.workspaces.asset(workspace, asset)
    if found is None:
        raise _not_found(workspace, asset, asked)
    return found


def _not_found(workspace: WorkspaceId, asset: Asset, asked: Asked) -> Transient | Permanent:
    text = f"workspace {workspace} has no {asset}"
    if asked.attempt < ATTEMPTS_TO_FIND:
        return Transient(text)
    return Permanent("asset_not_found", text, Owner.PUBLISHER, "register it, or correct name and version, then resend")


def came_from_registry(workspace: WorkspaceId, found: WorkspaceAsset, rules: Rules, fanout: Fanout) -> bool:
    """Whether the asset came to its workspace from a registry, by Fanout or by hand: then it is nothing to share."""
    deliveries = _deliveries_there(workspace, found.asset, rules, fanout)
    was_delivered = any(delivery.state is DeliveryState.DELIVERED for delivery in deliveries)
    return was_delivered or _came_from_a_registry(workspace, found, rules.provider, fanout) is not None


def _came_from_a_registry(workspace: WorkspaceId, found: WorkspaceAsset, provider: Provider, fanout: Fanout) -> str | None:
    """How it is known; None for an asset of the tenant's own, such as one that it fine-tuned."""
    if lie_in_registry(found.uri, provider):
        return "its bytes lie in a registry"
    if _was_made_by_delivery(workspace, found, fanout):
        return "Fanout is delivering it there"
    return None


def _was_made_by_delivery(workspace: WorkspaceId, found: WorkspaceAsset, fanout: Fanout) -> bool:
    """Whether it bears the mark of a delivery of just this, be it from a registry that the rules no longer have.

    A fine-tuned version bears that of another: the SDK copies properties.
    """
    address = delivery_in(found.properties)
    row = fanout.rows.find_delivery(address) if address else None
    return row is not None and (row.workspace, row.asset) == (workspace, found.asset)


def _deliveries_there(workspace: WorkspaceId, asset: Asset, rules: Rules, fanout: Fanout) -> list[DeliveryRow]:
    """What the ledger has of registering this asset in this workspace, from whichever registry."""
    route = Register().route
    addresses = [DeliveryRow.address_of(asset, registry.name, workspace, route) for registry in rules.provider.registries]
    return [delivery for address in addresses if (delivery := fanout.rows.find_delivery(address))]


def _to_registry(publications: Sequence[Publication], registry: str | None) -> list[Publication]:
    fitting = [publication for publication in publications if registry in (None, publication.registry)]
    if not fitting:
        text = f"no publication lets it out to registry {registry}"
        raise Permanent("not_published", text, Owner.PUBLISHER, "name a registry that it is published to, or add a publication")
    return fitting
