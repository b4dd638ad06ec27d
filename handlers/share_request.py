"""The request for a share: a row for an asset in a registry, owned by the first origin that asks."""

import logging
from dataclasses import dataclass, replace

from handlers.asked import Asked
from handlers.turns import one_at_a_time, require_told, send_wake_up
from shared import logs, provenance
from shared.assets import Asset, WorkspaceAsset, WorkspaceId
from shared.errors import Owner, Permanent, Transient
from shared.ports import Fanout
from shared.rows import COMMANDS_KEPT, PlanRow, ShareRow
from shared.states import ShareState
from shared.tenants import Publication, Tenant

log = logging.getLogger("fanout.share_request")


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
        if stands.state is ShareState.FAILED and not (stands.was_asked_by(self.asked.id) or self._stays_cancelled(stands)):
            require_told(stands, fanout)
            again = replace(wanted, rev=stands.rev + 1, attempts=stands.attempts, etag=stands.etag)
            again = replace(again, fan_out=self._is_for_all(stands))
            stands = self._write(replace(again, commands=(*stands.commands, *wanted.commands)[-COMMANDS_KEPT:]), fanout)
        if stands.state is ShareState.SHARED and self._is_for_all(stands) and not stands.fan_out:
            require_told(stands, fanout)
            stands = self._write(replace(stands, state=ShareState.FANNING_OUT, fan_out=True, rev=stands.rev + 1), fanout)
        stands = self._by_its_tags(stands, fanout)
        self._wake(stands, fanout)
        return stands

    def _wake(self, stands: ShareRow, fanout: Fanout) -> None:
        begins = stands.state in (ShareState.REQUESTED, ShareState.FANNING_OUT) and not stands.claim
        if begins:  # new, or its wake-up was never sent: sent twice it is one
            logs.event(log, "share requested", share_id=stands.address, asset=stands.asset, tenant=self.tenant.id)
            send_wake_up(stands, fanout)

    def bring_tags(self, fanout: Fanout) -> None:
        """To what was shared before, though by the tags that it has now it could not be: nobody else gets it then."""
        stands = self.standing(fanout)
        if stands and stands.state in (ShareState.REQUESTED, ShareState.IMPORTING):
            raise Transient(f"{stands.address} is {stands.state} by other tags: those that it has now follow")
        if stands:
            fanout.open_work.add(stands.address)
            self._wake(self._by_its_tags(stands, fanout), fanout)

    def standing(self, fanout: Fanout) -> ShareRow | None:
        """The asset's own row, where it was asked for before, and not taken back since."""
        stands = self.stands(fanout)
        return stands if stands and self.owns(stands) and not stands.recall else None

    def stands(self, fanout: Fanout) -> ShareRow | None:
        """The row, be it another origin's."""
        stands = fanout.rows.get(ShareRow.address_of(self.registry, self.asset))
        return stands if isinstance(stands, ShareRow) else None

    def _by_its_tags(self, stands: ShareRow, fanout: Fanout) -> ShareRow:
        """The row, put into another fan-out where the asset has other tags than it was shared with. Transient during one."""
        if stands.state in (ShareState.SHARED, ShareState.FANNING_OUT) and (plan := self.retagged(fanout)):
            self._require_shared(stands, fanout)
            return self._fan_out_retagged(stands, plan, fanout)
        return stands

    def _stays_cancelled(self, stands: ShareRow) -> bool:
        """What somebody cancelled does not come back because it is come across again."""
        return self.asked.by_event and bool(stands.cancelled_by) and self.owns(stands)

    def _is_for_all(self, stands: ShareRow) -> bool:
        """What was shared for nobody is for all once somebody asks for that, and not because it is come across again."""
        return stands.fan_out if self.asked.by_event and self.owns(stands) else self.fan_out

    def retagged(self, fanout: Fanout) -> PlanRow | None:
        """The plan as it has to be, where the asset got other tags since it was shared; None where it did not."""
        plan = fanout.rows.plan(self.asset, self.registry)
        if plan is None:
            return None
        tags = {name: value for name, value in self.found.tags.items() if name not in provenance.NAMES}
        tags |= {name: value for name, value in plan.asset.tags.items() if name in provenance.NAMES}
        if tags == plan.asset.tags:
            return None
        return replace(plan, asset=replace(plan.asset, tags=tags), cursor="", page_from="")

    def _require_shared(self, stands: ShareRow, fanout: Fanout) -> None:
        """Transient while a fan-out by other tags is under way, or its wake-up may be unsent."""
        require_told(stands, fanout)
        if stands.state is not ShareState.SHARED:
            send_wake_up(stands, fanout)
            raise Transient(f"{stands.address} is {stands.state} by other tags: those that it has now follow")

    def _fan_out_retagged(self, stands: ShareRow, plan: PlanRow, fanout: Fanout) -> ShareRow:
        """The registry's asset gets the tags, but for those that somebody gave it there, and is planned again.

        The plan is written last: as long as it has the old tags, a command that comes again does all of this again.
        """
        seen = fanout.registries.asset(self.registry, self.asset)
        if seen is not None:
            before = fanout.rows.planned_asset(self.asset, self.registry).tags
            fanout.registries.begin_update(seen, plan.asset.tags, without=before.keys() - plan.asset.tags.keys())
        logs.event(log, "retagged", share_id=stands.address, asset=stands.asset, tenant=self.tenant.id)
        again = replace(stands.unnarrowed(), state=ShareState.FANNING_OUT, rev=stands.rev + 1)
        written = self._write(again, fanout)
        fanout.rows.save_plan(plan)
        return written

    def check(self, fanout: Fanout) -> ShareRow | None:
        """What `make` would refuse, asked before anything is written. The row that stands, be it another origin's."""
        stands = self.stands(fanout)
        if stands:
            self._check(stands, fanout)
        return stands

    def owns(self, row: ShareRow) -> bool:
        """Whether it is this asset's, under whatever name it has in the registry."""
        return (row.origin, row.source) == (self.workspace, self.found.asset)

    def _check(self, stands: ShareRow, fanout: Fanout) -> None:
        if stands.recall:
            text = f"{stands.asset} was recalled from registry {self.registry}: {stands.recall}"
            raise Permanent("recalled", text, Owner.PUBLISHER, "register a new version")
        if self.owns(stands):
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
