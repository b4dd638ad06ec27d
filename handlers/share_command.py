"""The command `share`: whether an asset may leave its workspace, and for which registries; then a share row for each."""

import logging
from dataclasses import dataclass, replace

from handlers.turns import send_wake_up
from shared import commands, logs, planning
from shared.assets import Asset, WorkspaceAsset, WorkspaceId
from shared.bytes_of_registries import lie_in_registry
from shared.errors import Owner, Permanent, Transient
from shared.online_endpoint import DELIVERY_TAG
from shared.ports import Fanout
from shared.rows import DeliveryRow, ShareRow
from shared.rules import Provider, Publication, Register, Rules, Tenant
from shared.states import DeliveryState, ShareState

log = logging.getLogger("fanout.share_command")

ATTEMPTS_TO_FIND = 4  # an event can outrun the workspace's own replication; about 15 seconds in all


def share(command: commands.Share, correlation_id: str | None, attempt: int, fanout: Fanout) -> None:
    """Request the asset's shares, unless it is private, or came from a registry itself. Idempotent by the rows' keys.

    Permanent where it cannot be: unknown_workspace, tenant_paused, asset_not_found, conflict.
    """
    workspace, asset = command.source, command.what
    rules = fanout.rules.current()
    tenant = _owner(workspace, rules)
    ids = {"workspace": workspace.name, "asset": asset, "tenant": tenant.id}
    if not planning.publications_for(asset, workspace, None, rules):
        logs.event(log, "private", **ids, why="no publication is about it")
        return
    deliveries = _deliveries_there(workspace, asset, rules, fanout)
    if any(delivery.state is DeliveryState.DELIVERED for delivery in deliveries):
        logs.event(log, "echo", **ids, why="Fanout delivered it there")
        return
    found = _find(workspace, asset, attempt, fanout)
    if why := _came_from_a_registry(found, deliveries, rules.provider):
        logs.event(log, "echo", **ids, why=why)
        return
    publications = planning.publications_for(asset, workspace, found.tags, rules)
    if not publications:
        logs.event(log, "private", **ids, why="its tags")
        return
    _Sharing(tenant, workspace, found, publications, rules.revision, correlation_id).request(fanout)


def _came_from_a_registry(found: WorkspaceAsset, deliveries: list[DeliveryRow], provider: Provider) -> str | None:
    """How it is known; None for an asset of the tenant's own, such as one that it fine-tuned."""
    if lie_in_registry(found.uri, provider):
        return "its bytes lie in a registry"
    if any(found.properties.get(DELIVERY_TAG) == str(delivery.address) for delivery in deliveries):
        return "Fanout is delivering it there"
    return None


def _deliveries_there(workspace: WorkspaceId, asset: Asset, rules: Rules, fanout: Fanout) -> list[DeliveryRow]:
    """What the ledger has of registering this asset in this workspace, from whichever registry."""
    route = Register().route
    addresses = [DeliveryRow.address_of(asset, registry.name, workspace, route) for registry in rules.provider.registries]
    return [delivery for address in addresses if (delivery := fanout.rows.find_delivery(address))]


def _owner(workspace: WorkspaceId, rules: Rules) -> Tenant:
    tenant = rules.tenant_of(workspace)
    if tenant is None:
        text = f"workspace {workspace} belongs to no tenant"
        raise Permanent("unknown_workspace", text, Owner.PROVIDER, "add the workspace to its tenant's rules, then resend")
    if not tenant.active:
        text = f"tenant {tenant.id} is paused"
        raise Permanent("tenant_paused", text, Owner.PROVIDER, "resend when the tenant is active again")
    return tenant


def _find(workspace: WorkspaceId, asset: Asset, attempt: int, fanout: Fanout) -> WorkspaceAsset:
    found = fanout.workspaces.model(workspace, asset)
    if found:
        return found
    text = f"workspace {workspace} has no {asset}"
    if attempt < ATTEMPTS_TO_FIND:
        raise Transient(text)
    raise Permanent("asset_not_found", text, Owner.PUBLISHER, "register it, or correct name and version, then resend")


@dataclass(frozen=True, slots=True)
class _Sharing:
    """An asset that may leave its workspace, and under which publications."""

    tenant: Tenant
    workspace: WorkspaceId
    found: WorkspaceAsset
    publications: tuple[Publication, ...]
    revision: int
    correlation_id: str | None

    def request(self, fanout: Fanout) -> None:
        """One share row for each registry. Permanent `conflict`, after all others stand, where another origin owns the row."""
        conflicts = [conflict for registry in self._registries() if (conflict := self._request(registry, fanout))]
        if conflicts:
            raise conflicts[0]

    def _registries(self) -> list[str]:
        return sorted({publication.registry for publication in self.publications})

    def _request(self, registry: str, fanout: Fanout) -> Permanent | None:
        wanted = self._row(registry, fanout)
        fanout.open_work.add(wanted.address)
        stands = fanout.rows.insert_share(wanted)
        if stands.state is ShareState.FAILED:
            stands = _opened_again(wanted, stands, fanout)
        elif stands.origin != self.workspace:
            text = f"{stands.asset} in registry {registry} belongs to {stands.origin}; it cannot come from {self.workspace} too"
            return Permanent("conflict", text, Owner.PUBLISHER, "register it under another name or version")
        if stands.state is ShareState.REQUESTED and not stands.claim:  # new, or its wake-up was never sent: sent twice it is one
            logs.event(log, "share requested", share_id=stands.address, asset=stands.asset, tenant=self.tenant.id)
            send_wake_up(stands, fanout)
        return None

    def _row(self, registry: str, fanout: Fanout) -> ShareRow:
        asset, now = self.found.asset, fanout.clock.now()
        address = ShareRow.address_of(registry, asset)
        return ShareRow(
            partition=address.partition,
            row=address.row,
            created_at=now,
            next_at=now,
            registry=registry,
            asset=asset,
            origin=self.workspace,
            origin_tenant=self.tenant.id,
            rank=self.found.rank,
            publications=tuple(each.name for each in self.publications if each.registry == registry),
            rules_revision=self.revision,
            correlation_id=self.correlation_id,
        )


def _opened_again(wanted: ShareRow, failed: ShareRow, fanout: Fanout) -> ShareRow:
    """A share that failed leaves the place to whoever asks next: the same tenant, once it mended the cause, or another."""
    row = replace(wanted, rev=failed.rev + 1, attempts=failed.attempts, etag=failed.etag)
    return fanout.rows.replace(row)
