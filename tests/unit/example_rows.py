"""A share and a delivery with values that are easy to read, for tests that change one of them with `replace`."""

from datetime import UTC, datetime, timedelta

from shared.actions import Register
from shared.rows import DeliveryRow, ShareRow
from shared.states import DeliveryState
from tests.unit.world import PUBLISHER, credit_card, workspace

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHARE_AT = ShareRow.address_of("hub", credit_card())

A_SHARE = ShareRow(
    partition=SHARE_AT.partition,
    row=SHARE_AT.row,
    created_at=NOON,
    next_at=NOON + timedelta(minutes=2),
    registry="hub",
    asset=credit_card(),
    origin=PUBLISHER,
    origin_tenant="northwind",
    rank="2026-03-01T12:00:00.000000 000000000001",
    publications=("all",),
    rules_revision=1,
)
A_DELIVERY = DeliveryRow(
    partition=credit_card().key,
    row=DeliveryRow.address_of(credit_card(), "hub", workspace("fabrikam"), Register().route).row,
    created_at=NOON,
    next_at=NOON,
    state=DeliveryState.RUNNING,
    registry="hub",
    asset=credit_card(),
    tenant="fabrikam",
    workspace=workspace("fabrikam"),
    action=Register(),
    publication="all",
    subscription="all",
    rules_revision=1,
    origin_tenant="northwind",
    origin=PUBLISHER,
    rank="2026-03-01T12:00:00.000000 000000000001",
)
