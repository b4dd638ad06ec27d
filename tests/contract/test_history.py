"""What operators look back on, over real tables (Azurite): ranges of the indexes, and how many requests they take."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from azure.data.tables import TableServiceClient

from shared.actions import Register
from shared.azure.history import MOST_RANGES, HistoryTables
from shared.azure.ledger import Ledger
from shared.azure.open_work import OpenWorkTable
from shared.azure.tables import create_tables, open_tables
from shared.clock import CorrectedClock
from shared.rows import DeliveryRow, ShareRow, deliveries_of
from shared.states import DeliveryState, ShareState
from tests.contract.table_service import CountingClock
from tests.unit.example_rows import A_DELIVERY, A_SHARE, NOON
from tests.unit.world import credit_card, workspace


@pytest.fixture(scope="module")
def service(connection: str) -> Iterator[TableServiceClient]:
    with open_tables(connection, None, NotImplemented, CorrectedClock()) as service:
        create_tables(service)
        yield service


@pytest.fixture(scope="module")
def ledger(service: TableServiceClient) -> Ledger:
    return Ledger(service)


@pytest.fixture(scope="module")
def history(service: TableServiceClient, ledger: Ledger) -> HistoryTables:
    return HistoryTables(service, ledger)


def delivered(ledger: Ledger, tenant: str, version: int, created_at: datetime = NOON) -> DeliveryRow:
    """A delivery that is open, and found by its tenant."""
    asset, there = credit_card(str(version)), workspace(tenant)
    address = DeliveryRow.address_of(asset, "hub", there, Register().route)
    names = {"partition": address.partition, "row": address.row, "asset": asset, "tenant": tenant, "workspace": there}
    row = replace(A_DELIVERY, **names, created_at=created_at)  # type: ignore[arg-type] # one mapping of several types
    written = ledger.replace(row)
    ledger.index(written)
    return written


def shared(
    ledger: Ledger,
    version: str,
    state: ShareState = ShareState.REQUESTED,
    created_at: datetime = NOON,
    tenant: str = "northwind",
) -> ShareRow:
    address, asset = ShareRow.address_of("hub", credit_card(version)), credit_card(version)
    row = replace(A_SHARE, partition=address.partition, row=address.row, asset=asset, state=state, created_at=created_at)
    return ledger.insert_share(replace(row, origin_tenant=tenant))


def test_a_tenants_deliveries_are_those_since_a_time_open_or_closed_oldest_first(ledger: Ledger, history: HistoryTables) -> None:
    rows = [delivered(ledger, "fabrikam", n, NOON + timedelta(days=n)) for n in range(1, 5)]
    delivered(ledger, "tailwind", 9, NOON + timedelta(days=3))
    ledger.close(replace(rows[2], state=DeliveryState.DELIVERED))

    found = list(history.deliveries_to("fabrikam", NOON + timedelta(days=2)))

    assert [row.asset.version for row in found] == ["2", "3", "4"]
    assert [row.state for row in found] == [DeliveryState.RUNNING, DeliveryState.DELIVERED, DeliveryState.RUNNING]
    assert list(history.deliveries_to("adventure", NOON)) == []


def test_a_delivery_that_came_to_be_another_tenants_is_that_ones_alone(ledger: Ledger, history: HistoryTables) -> None:
    before = delivered(ledger, "of-before", 1)
    ledger.index(ledger.replace(replace(before, tenant="of-now")))

    assert [row.tenant for row in history.deliveries_to("of-now", NOON)] == ["of-now"]
    assert list(history.deliveries_to("of-before", NOON)) == []


def test_a_time_of_another_zone_is_the_same_time(ledger: Ledger, history: HistoryTables) -> None:
    delivered(ledger, "zoned", 1, datetime(2026, 3, 1, 12, tzinfo=UTC))
    berlin = datetime.fromisoformat("2026-03-01T12:59+01:00")

    assert len(list(history.deliveries_to("zoned", berlin))) == 1
    assert len(list(history.deliveries_to("zoned", berlin + timedelta(minutes=2)))) == 0


def test_no_more_is_read_than_is_asked_for(service: TableServiceClient, ledger: Ledger) -> None:
    for version in range(100, 150):
        delivered(ledger, "patient", version)
    counting = CountingLedger(service)

    first = list(islice(HistoryTables(service, counting).deliveries_to("patient", NOON), 3))

    assert len(first) == 3
    assert counting.found <= 16


@pytest.mark.parametrize("tenants", [3, MOST_RANGES + 1])
def test_all_tenants_deliveries_since_a_time_take_few_requests(connection: str, ledger: Ledger, tenants: int) -> None:
    clock, names = CountingClock(), [f"of-{tenants}-{number}" for number in range(tenants)]
    for name in names[:2]:
        delivered(ledger, name, 60, NOON + timedelta(days=60))
    delivered(ledger, names[0], 61, NOON + timedelta(days=59))
    delivered(ledger, f"stranger-to-{tenants}", 60, NOON + timedelta(days=60))
    ledger.close(replace(delivered(ledger, names[2], 62, NOON + timedelta(days=62)), state=DeliveryState.DELIVERED))

    with open_tables(connection, None, NotImplemented, clock) as counted:
        found = list(HistoryTables(counted, Ledger(counted)).deliveries_since(NOON + timedelta(days=60), names))

    assert {(row.tenant, row.asset.version) for row in found} == {(names[0], "60"), (names[1], "60"), (names[2], "62")}
    assert clock.answers <= 3 + 2 * 2  # a range for each tenant or a scan; and for each of two assets, its open and its closed


def test_shares_since_a_time_are_those_asked_for_since(ledger: Ledger, history: HistoryTables) -> None:
    for day in (80, 81, 82):
        shared(ledger, str(day), created_at=NOON + timedelta(days=day))

    assert {row.asset.version for row in history.shares_since(NOON + timedelta(days=81))} == {"81", "82"}


def test_shares_from_a_tenant_are_its_own_whenever(ledger: Ledger, history: HistoryTables) -> None:
    ours = {shared(ledger, str(day), created_at=NOON + timedelta(days=day), tenant="leaving").address for day in (90, 91)}
    shared(ledger, "92", tenant="staying")

    assert {row.address for row in history.shares_from("leaving")} == ours
    assert list(history.shares_from("o'nobody")) == []


def test_open_rows_are_those_under_way(service: TableServiceClient, ledger: Ledger, history: HistoryTables) -> None:
    work = OpenWorkTable(service, ledger)
    going, ended = delivered(ledger, "busy", 51), delivered(ledger, "done", 51)
    under_way, over = shared(ledger, "52"), shared(ledger, "53", ShareState.SHARED)
    for address in (deliveries_of(going.asset), under_way.address, over.address):
        work.add(address)
    ledger.close(replace(ended, state=DeliveryState.DELIVERED))

    assert {row.address for row in history.open_rows()} == {going.address, under_way.address}


class CountingLedger(Ledger):
    """Counts the point reads of deliveries."""

    found = 0

    def find_delivery(self, address):  # type: ignore[no-untyped-def]
        self.found += 1
        return super().find_delivery(address)
