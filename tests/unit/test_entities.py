"""Rows as table entities: whatever a row holds, it comes back, and Table Storage takes it."""

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given, settings

from shared.azure.entities import Entity, RowCodec
from shared.errors import Owner, Reason
from shared.rows import DeliveryRow, PlanRow, ShareRow, TargetRow
from tests.unit.example_rows import A_DELIVERY, A_SHARE, NOON
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


def as_entity(row: DeliveryRow) -> Entity:
    return DELIVERIES.to_entity(row, row.partition, f"o|{row.row}")


def test_readable_values_are_columns_of_their_own() -> None:
    """So that whoever reads the table, and a filter on `next_at`, finds them."""
    entity = as_entity(replace(A_DELIVERY, next_at=NOON, rev=4))
    assert (entity["tenant"], entity["state"], entity["next_at"], entity["rev"]) == ("fabrikam", "running", NOON, 4)


def test_what_the_table_keeps_itself_is_no_column() -> None:
    entity = as_entity(replace(A_DELIVERY, etag="7"))
    assert entity.keys() & {"partition", "row", "etag"} == set()
    assert (entity["PartitionKey"], entity["RowKey"]) == (A_DELIVERY.partition, f"o|{A_DELIVERY.row}")


def test_what_is_not_set_is_not_written() -> None:
    assert as_entity(A_DELIVERY).keys() & {"claim_json", "since", "mode", "reason_json"} == set()


def test_times_are_written_in_utc() -> None:
    in_berlin = NOON.astimezone(timezone(timedelta(hours=1)))
    assert as_entity(replace(A_DELIVERY, next_at=in_berlin))["next_at"].utcoffset() == timedelta(0)


def test_a_long_text_is_cut_into_parts_of_at_most_30000_characters_and_put_together_again() -> None:
    text = "ü€😀" * 10_000  # each escaped by JSON: 240,000 characters in all
    row = replace(A_DELIVERY, reason=Reason("refused", text, Owner.PROVIDER, "mend it"))
    parts = {name: value for name, value in as_entity(row).items() if name.startswith("reason_json")}
    assert parts.keys() == {"reason_json", *(f"reason_json_{n}" for n in range(1, len(parts)))}
    assert [len(part) for part in parts.values()][:-1] == [30_000] * (len(parts) - 1)
    assert DELIVERIES.to_row(as_entity(row), **keys_of(row)) == row


def test_the_longest_history_fits() -> None:
    row = A_DELIVERY
    for n in range(100):
        row = row.tried(NOON, f"step {n}", "€" * 1000)
    assert table_storage_takes(as_entity(row))
    assert DELIVERIES.to_row(as_entity(row), **keys_of(row)) == row


def test_a_share_of_a_version_that_knew_no_workspaces_of_a_push_is_pushed_into_all() -> None:
    entity = SHARES.to_entity(replace(A_SHARE, only=("fabrikam",)), A_SHARE.partition, A_SHARE.row)
    del entity["into_json"]
    assert SHARES.to_row(entity, **keys_of(A_SHARE)) == replace(A_SHARE, only=("fabrikam",), into=())


def test_columns_of_others_are_ignored() -> None:
    """`writer` is how a write is known again (shared/azure/owned_writes.py)."""
    entity = as_entity(A_DELIVERY) | {"writer": "4f1c", "Timestamp": NOON}
    assert DELIVERIES.to_row(entity, **keys_of(A_DELIVERY)) == A_DELIVERY
