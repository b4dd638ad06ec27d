"""The request for a share: a row for an asset in a registry, owned by the first origin that asks."""

import logging
from dataclasses import dataclass, replace

from handlers.asked import Asked
from handlers.turns import one_at_a_time, require_told, send_wake_up
from shared import logs
from shared.assets import Asset, WorkspaceAsset, WorkspaceId
from shared.errors import Owner, Permanent
from shared.ports import Fanout
from shared.rows import COMMANDS_KEPT, PlanRow, ShareRow
from shared.states import ShareState
from shared.tenants import Publication, Tenant

log = logging.getLogger("fanout.share_request")


def stays_within_regions(publication: Publication, fanout: Fanout) -> bool:
    """Whether its registry replicates to no region that the publication forbids."""
    return not forbidden_regions(publication, fanout)


def forbidden_regions(publication: Publication, fanout: Fanout) -> list[str]:
    """Those that the publication's registry replicates to, and the publication does not allow."""
    if not publication.regions:
        return []
    return [region for region in fanout.registries.regions(publication.registry) if region not in publication.regions]


@dataclass(frozen=True, slots=True)
class ShareRequest:
    """An asset that may leave its workspace to one registry, under one name, and by which publications.

    `asked` is the command that asks for it.
    """

    tenant: Tenant
    workspace: WorkspaceId
    found: WorkspaceAsset
    registry: str
    name: str
    publications: tuple[Publication, ...]
    rules_revision: int
    asked: Asked
    fan_out: bool = True

    @property
    def asset(self) -> Asset:
        """As the registry is to name it."""
        return replace(self.found.asset, name=self.name)

    def make(self, fanout: Fanout) -> ShareRow:
        """The row that stands, new or not; it is woken where it has still to begin. Another command opens a failed one again.

        Permanent `conflict` where another origin owns it, `recalled` where the version was taken back. Transient where it
        changes at this moment.
        """
        wanted = self._row(fanout)
        fanout.open_work.add(wanted.address)
        stands = fanout.rows.insert_share(wanted)
        self._check(stands, fanout)
        if stands.state is ShareState.FAILED and not stands.was_asked_by(self.asked.id):
            require_told(stands, fanout)
            again = replace(wanted, rev=stands.rev + 1, attempts=stands.attempts, etag=stands.etag)
            stands = self._write(replace(again, commands=(*stands.commands, *wanted.commands)[-COMMANDS_KEPT:]), fanout)
        if stands.state is ShareState.SHARED and self.fan_out and not stands.fan_out:
            require_told(stands, fanout)
            stands = self._write(replace(stands, state=ShareState.FANNING_OUT, fan_out=True, rev=stands.rev + 1), fanout)
        if stands.state is ShareState.SHARED and (plan := self._retagged(fanout)):
            require_told(stands, fanout)
            stands = self._fan_out_retagged(stands, plan, fanout)
        begins = stands.state in (ShareState.REQUESTED, ShareState.FANNING_OUT) and not stands.claim
        if begins:  # new, or its wake-up was never sent: sent twice it is one
            logs.event(log, "share requested", share_id=stands.address, asset=stands.asset, tenant=self.tenant.id)
            send_wake_up(stands, fanout)
        return stands

    def _retagged(self, fanout: Fanout) -> PlanRow | None:
        """The plan as it has to be, where the asset got other tags since it was shared; None where it did not."""
        plan = fanout.rows.plan(self.asset, self.registry)
        if plan is None or self.found.tags.items() <= plan.asset.tags.items():
            return None
        tags = {**plan.asset.tags, **self.found.tags}
        return replace(plan, asset=replace(plan.asset, tags=tags), cursor="", page_from="")

    def _fan_out_retagged(self, stands: ShareRow, plan: PlanRow, fanout: Fanout) -> ShareRow:
        """The registry's asset gets the tags, and is planned again. A tag that was taken away stays there.

        The plan is written last: as long as it has the old tags, a command that comes again does all of this again.
        """
        seen = fanout.registries.asset(self.registry, self.asset)
        if seen is not None:
            fanout.registries.begin_update(seen, self.found.tags)
        logs.event(log, "retagged", share_id=stands.address, asset=stands.asset, tenant=self.tenant.id)
        again = replace(stands, state=ShareState.FANNING_OUT, rev=stands.rev + 1, only=(), routes=(), again=False)
        written = self._write(again, fanout)
        fanout.rows.save_plan(plan)
        return written

    def check(self, fanout: Fanout) -> None:
        """What `make` would refuse, asked before anything is written."""
        stands = fanout.rows.get(ShareRow.address_of(self.registry, self.asset))
        if isinstance(stands, ShareRow):
            self._check(stands, fanout)

    def _check(self, stands: ShareRow, fanout: Fanout) -> None:
        if stands.recall:
            text = f"{stands.asset} was recalled from registry {self.registry}: {stands.recall}"
            raise Permanent("recalled", text, Owner.PUBLISHER, "register a new version")
        if (stands.origin, stands.source) == (self.workspace, self.found.asset):
            return
        if stands.state is ShareState.FAILED and fanout.registries.asset(self.registry, self.asset) is None:
            return  # the other origin's came to nothing
        owner = f"{stands.source} of {stands.origin}" if stands.origin else "the registry itself"
        text = f"{stands.asset} in registry {self.registry} is {owner}; it cannot be {self.found.asset} of {self.workspace} too"
        raise Permanent("conflict", text, Owner.PUBLISHER, "register it under another name or version")

    def _write(self, row: ShareRow, fanout: Fanout) -> ShareRow:
        with one_at_a_time():
            return fanout.rows.replace(replace(row, next_at=fanout.clock.now()))

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
            correlation_id=self.asked.correlation_id,
            commands=(self.asked.id,) if self.asked.id else (),
        )
