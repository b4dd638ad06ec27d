"""Rows as table entities: whatever a row holds, it comes back, and Table Storage takes it."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings

from shared.azure.entities import Entity, RowCodec
from shared.errors import Owner, Reason
from shared.rows import Attempt, DeliveryRow, PlanRow, ShareRow, TargetRow
from tests.unit.random_rows import deliveries, plans, shares, targets

SHARES, DELIVERIES = RowCodec(ShareRow), RowCodec(DeliveryRow)
PLANS, TARGETS = RowCodec(PlanRow), RowCodec(TargetRow)
PROPERTY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")  # a C# identifier

few = settings(max_examples=60, deadline=None)


def table_storage_takes(entity: Entity) -> bool:
    """Its types, 32-bit integers, 64 KB of UTF-16 a string, 252 properties of our own, 1 MB in all."""
    values = list(entity.values())
    texts = [value for value in values if isinstance(value, str)]
    return (
        all(isinstance(value, str | bool | int | datetime) for value in values)
        and all(-(2**31) <= value < 2**31 for value in values if isinstance(value, int))
        and all(PROPERTY_NAME.fullmatch(name) for name in entity)
        and all(len(text) <= 30_000 for text in texts)
        and len(entity) <= 252 + 2
        and sum(2 * len(text) for text in texts) < 1_000_000
    )


def keys_of(row: ShareRow | DeliveryRow) -> dict[str, str]:
    return {"partition": row.partition, "row": row.row}


@given(row=shares)
@few
def test_a_share_comes_back_as_it_was(row: ShareRow) -> None:
    entity = SHARES.to_entity(row, row.partition, row.row)
    assert SHARES.to_row(entity, **keys_of(row)) == row
    assert table_storage_takes(entity)


@given(row=deliveries)
@few
def test_a_delivery_comes_back_as_it_was(row: DeliveryRow) -> None:
    entity = DELIVERIES.to_entity(row, row.partition, f"o|{row.row}")
    assert DELIVERIES.to_row(entity, **keys_of(row)) == row
    assert table_storage_takes(entity)


@given(row=plans)
@few
def test_a_plan_comes_back_as_it_was(row: PlanRow) -> None:
    entity = PLANS.to_entity(row, row.asset.asset.key, PlanRow.row_key(row.asset.registry))
    assert PLANS.to_row(entity) == row
    assert table_storage_takes(entity)


@given(row=targets)
@few
def test_an_endpoints_target_comes_back_as_it_was(row: TargetRow) -> None:
    entity = TARGETS.to_entity(row, "tenant", TargetRow.row_key(row.workspace, row.endpoint))
    assert TARGETS.to_row(entity) == row
    assert table_storage_takes(entity)


def example_of(row_type: Any) -> Any:
    """A delivery whose values are easy to read."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return row_type(now)


def a_delivery() -> DeliveryRow:
    from tests.unit.test_states import delivery

    return delivery("running")
