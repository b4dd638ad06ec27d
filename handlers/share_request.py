"""The request for a share: a row for an asset in a registry, owned by the first origin that asks."""

import logging
from dataclasses import dataclass, replace

from handlers.turns import send_wake_up
from shared import logs
from shared.assets import Asset, WorkspaceAsset, WorkspaceId
from shared.errors import Owner, Permanent
from shared.ports import Fanout
from shared.rows import ShareRow
from shared.rules import Publication, Tenant
from shared.states import ShareState

log = logging.getLogger("fanout.share_request")


@dataclass(frozen=True, slots=True)
class ShareRequest:
    """An asset that may leave its workspace to one registry, under one name, and by which publications.

    `command` is the id of the one that asks for it.
    """

    tenant: Tenant
    workspace: WorkspaceId
    found: WorkspaceAsset
    registry: str
    name: str
    publications: tuple[Publication, ...]
    rules_revision: int
    correlation_id: str | None
    command: str | None = None
    fan_out: bool = True

    @property
    def asset(self) -> Asset:
        """As the registry is to name it."""
        return replace(self.found.asset, name=self.name)

    def make(self, fanout: Fanout) -> ShareRow:
        """The row that stands, new or not; it is woken where it has still to begin. Another command opens a failed one again.

        Permanent `conflict` where another origin owns it, `recalled` where the version was taken back.
        """
        wanted = self._row(fanout)
        fanout.open_work.add(wanted.address)
        stands = fanout.rows.insert_share(wanted)
        if stands.state is ShareState.FAILED and (stands.command != self.command or not self.command):
            stands = fanout.rows.replace(replace(wanted, rev=stands.rev + 1, attempts=stands.attempts, etag=stands.etag))
        self._check(stands)
        if stands.state is ShareState.SHARED and self.fan_out and not stands.fan_out:
            stands = self._fanned_out_after_all(stands, fanout)
        begins = stands.state in (ShareState.REQUESTED, ShareState.FANNING_OUT) and not stands.claim
        if begins:  # new, or its wake-up was never sent: sent twice it is one
            logs.event(log, "share requested", share_id=stands.address, asset=stands.asset, tenant=self.tenant.id)
            send_wake_up(stands, fanout)
        return stands

    def _check(self, stands: ShareRow) -> None:
        if stands.state in (ShareState.RECALLING, ShareState.RECALLED):
            text = f"{stands.asset} was recalled from registry {self.registry}: {stands.recall}"
            raise Permanent("recalled", text, Owner.PUBLISHER, "register a new version")
        if (stands.origin, stands.source) != (self.workspace, self.found.asset):
            owner = f"{stands.source} of {stands.origin}" if stands.origin else "the registry itself"
            text = f"{stands.asset} in registry {self.registry} is {owner}; it cannot be {self.found.asset} of {self.workspace} too"
            raise Permanent("conflict", text, Owner.PUBLISHER, "register it under another name or version")

    def _fanned_out_after_all(self, stands: ShareRow, fanout: Fanout) -> ShareRow:
        again = replace(stands, state=ShareState.FANNING_OUT, fan_out=True, rev=stands.rev + 1, next_at=fanout.clock.now())
        return fanout.rows.replace(again)

    def _row(self, fanout: Fanout) -> ShareRow:
        asset, now = self.asset, fanout.clock.now()
        address = ShareRow.address_of(self.registry, asset)
        source = self.found.asset
        return ShareRow(
            partition=address.partition,
            row=address.row,
            created_at=now,
            next_at=now,
            registry=self.registry,
            asset=asset,
            renamed_from=source.name if source.name != asset.name else None,
            origin=self.workspace,
            origin_tenant=self.tenant.id,
            rank=self.found.rank,
            publications=tuple(publication.name for publication in self.publications),
            rules_revision=self.rules_revision,
            fan_out=self.fan_out,
            correlation_id=self.correlation_id,
            command=self.command,
        )
