"""The row of an asset that Fanout did not bring into its registry, so that it can be pulled and recalled like all others."""

from handlers.in_registry import Place
from shared.assets import rank_of
from shared.errors import Owner, Permanent
from shared.ports import Fanout
from shared.rows import ShareRow
from shared.states import ShareState


def share_row(place: Place, correlation_id: str | None, fanout: Fanout, *, origin_matters: bool) -> ShareRow:
    """The row that stands, new or not. Permanent `origin_unknown` where it was imported by hand and that matters."""
    if place.share:
        return place.share
    there = fanout.registries.asset(place.registry, place.asset)
    if there is None:
        raise Permanent("not_in_registry", f"no {place.asset} is in {place.registry}", Owner.PROVIDER, "correct the command")
    if there.origin and origin_matters:
        text = f"{place.asset} came to registry {place.registry} from {there.origin}, and not by Fanout"
        remedy = "share it by a command: the import is recognised, and its publications then say who may have it"
        raise Permanent("origin_unknown", text, Owner.PROVIDER, remedy)
    address, now = ShareRow.address_of(place.registry, place.asset), fanout.clock.now()
    row = ShareRow(
        partition=address.partition,
        row=address.row,
        state=ShareState.SHARED,
        created_at=now,
        next_at=now,
        registry=place.registry,
        asset=place.asset,
        origin=None,
        origin_tenant=None,
        rank=rank_of(there.created_at or now, place.asset.version),
        publications=(),
        rules_revision=0,
        fan_out=False,
        correlation_id=correlation_id,
    )
    return fanout.rows.insert_share(row)
