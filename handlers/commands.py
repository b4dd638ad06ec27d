"""A command from queue `commands`: what it asks for becomes rows. What it cannot ask for goes to `rejected`, with the reason."""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from handlers.turns import send_wake_up
from shared import backoff, commands, logs, planning
from shared.assets import Asset, WorkspaceAsset, WorkspaceId
from shared.bytes_of_registries import lie_in_registry
from shared.deadline import within
from shared.errors import Lost, Owner, Permanent, Reason, Transient
from shared.keys import key
from shared.messages import Outgoing, Queue, Received, rejection
from shared.online_endpoint import DELIVERY_TAG
from shared.ports import Fanout
from shared.rows import DeliveryRow, ShareRow
from shared.rules import Publication, Register, Rules, Tenant
from shared.states import DeliveryState, ShareState

log = logging.getLogger("fanout.commands")

ATTEMPT, FIRST_ID = "fanout_attempt", "fanout_first_id"  # properties of a delayed copy
LONGEST = 45.0  # seconds of Azure's time for one command
ATTEMPTS_OF_FAULTS = 8  # then the dead-letter queue keeps the command
ATTEMPTS_TO_FIND = 4  # an event can outrun the workspace's own replication; about 15 seconds in all


def handle(message: Received, fanout: Fanout) -> None:
    """Carry a command out. Idempotent by the rows' keys. Transient only when the queue itself can not be reached."""
    attempt = _attempt(message)
    try:
        with within(LONGEST):
            _share(commands.parse(message.body), message.correlation_id, attempt, fanout)
    except Lost:
        logs.event(log, "overtaken", message_id=message.message_id)  # the same command, twice at once: the other one goes on
    except Permanent as refused:
        logs.event(log, "command rejected", logging.WARNING, message_id=message.message_id, reason=refused.reason)
        fanout.queues.send(Queue.REJECTED, [rejection(message, refused.reason, "commands")])
    except Transient as failure:
        _send_again(message, attempt, failure, fanout)
    except Exception as fault:  # ours: left to the queue it would burn its ten deliveries in milliseconds
        if attempt >= ATTEMPTS_OF_FAULTS:
            raise
        _send_again(message, attempt, Transient(f"unexpected: {fault!r}"), fanout)


def _attempt(message: Received) -> int:
    attempt = message.properties.get(ATTEMPT)
    return attempt if isinstance(attempt, int) else 1


def _send_again(message: Received, attempt: int, failure: Transient, fanout: Fanout) -> None:
    """A delayed copy; the message itself is done with. Abandoned instead it would come back at once, ten times in milliseconds."""
    first_id = str(message.properties.get(FIRST_ID) or message.message_id or key(message.body.hex()))
    delay = backoff.retry_delay(attempt, failure.retry_after)
    copy = Outgoing(
        message.body,
        f"{first_id if len(first_id) <= 100 else key(first_id)}:{attempt}",
        at=fanout.clock.now() + timedelta(seconds=delay),
        correlation_id=message.correlation_id,
        content_type=message.content_type,
        properties={**message.properties, ATTEMPT: attempt + 1, FIRST_ID: first_id},
    )
    logs.event(log, "command postponed", message_id=message.message_id, attempt=attempt, delay=f"{delay:.1f}", why=failure)
    fanout.queues.send(Queue.COMMANDS, [copy])


def _share(command: commands.Share, correlation_id: str | None, attempt: int, fanout: Fanout) -> None:
    workspace, asset = command.source, command.what
    rules = fanout.rules.current()
    tenant = _owner(workspace, rules)
    if not planning.publications_for(asset, workspace, None, rules):
        logs.event(log, "private", workspace=workspace.name, asset=asset, tenant=tenant.id)
        return
    deliveries = _deliveries_there(workspace, asset, rules, fanout)
    if any(delivery.state is DeliveryState.DELIVERED for delivery in deliveries):
        logs.event(log, "echo", workspace=workspace.name, asset=asset, why="Fanout delivered it there")
        return
    found = _find(workspace, asset, attempt, fanout)
    if lie_in_registry(found.uri, rules.provider):
        logs.event(log, "echo", workspace=workspace.name, asset=asset, why="its bytes lie in a registry")
        return
    if any(found.properties.get(DELIVERY_TAG) == str(delivery.address) for delivery in deliveries):
        logs.event(log, "echo", workspace=workspace.name, asset=asset, why="Fanout is delivering it there")
        return
    publications = planning.publications_for(asset, workspace, found.tags, rules)
    if not publications:
        logs.event(log, "private", workspace=workspace.name, asset=asset, tenant=tenant.id, why="its tags")
    _Sharing(tenant, workspace, found, publications, rules.revision, correlation_id).request(fanout)


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
        conflicts = [reason for registry in self._registries() if (reason := self._request(registry, fanout))]
        if conflicts:
            first = conflicts[0]
            raise Permanent(first.code, first.text, first.owner, first.remedy)

    def _registries(self) -> list[str]:
        return sorted({publication.registry for publication in self.publications})

    def _request(self, registry: str, fanout: Fanout) -> Reason | None:
        wanted = self._row(registry, fanout)
        fanout.open_work.add(wanted.address)
        stands = fanout.rows.insert_share(wanted)
        if stands.state is ShareState.FAILED:
            stands = _opened_again(wanted, stands, fanout)
        elif stands.origin != self.workspace:
            text = f"{stands.asset} in registry {registry} belongs to {stands.origin}; it cannot come from {self.workspace} too"
            return Reason("conflict", text, Owner.PUBLISHER, "register it under another name or version")
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
