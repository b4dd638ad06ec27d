"""The ledger's port, held by the real tables (Azurite) and by the fake that the unit tests run on."""

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.core.pipeline import PipelineResponse
from azure.data.tables import TableServiceClient

from shared.actions import Register
from shared.assets import RegistryAsset
from shared.azure.ledger import Ledger
from shared.azure.open_work import OpenWorkTable
from shared.azure.tables import open_tables, table_errors
from shared.clock import CorrectedClock
from shared.errors import Lost, Owner, Permanent, Reason, Transient, Unreadable
from shared.ports import Rows
from shared.rows import Address, Claim, DeliveryRow, PlanRow, RowKind, ShareRow, TargetRow
from shared.states import DeliveryState, ShareState
from tests.fakes import FakeRows
from tests.unit.world import CARDS, PUBLISHER, credit_card, workspace

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
MODEL = RegistryAsset(credit_card(), "hub", "https://store/x", "mlflow_model", tags={"long": "x" * 40_000})


@pytest.fixture(params=["fake", "tables"])
def rows(request: pytest.FixtureRequest) -> Rows:
    return FakeRows() if request.param == "fake" else Ledger(request.getfixturevalue("tables"))


def share(version: str = "1") -> ShareRow:
    address = ShareRow.address_of("hub", credit_card(version))
    return ShareRow(
        partition=address.partition,
        row=address.row,
        created_at=NOW,
        next_at=NOW,
        registry="hub",
        asset=credit_card(version),
        origin=PUBLISHER,
        origin_tenant="northwind",
        rank="2026",
        publications=("all",),
        rules_revision=1,
    )


def delivery(n: int = 1) -> DeliveryRow:
    there = workspace(f"w{n}")
    address = DeliveryRow.address_of(credit_card(), "hub", there, Register().route)
    return DeliveryRow(
        partition=address.partition,
        row=address.row,
        created_at=NOW,
        next_at=NOW,
        registry="hub",
        asset=credit_card(),
        tenant=f"t{n}",
        workspace=there,
        action=Register() if n % 2 else CARDS,
        publication="all",
        subscription="all",
        rules_revision=1,
        origin_tenant="northwind",
        origin=PUBLISHER,
        rank="2026",
    )


def plan() -> PlanRow:
    return PlanRow(asset=MODEL, share=share().address, origin=PUBLISHER, origin_tenant="northwind")


def test_the_first_insert_of_a_share_owns_it(rows: Rows) -> None:
    first = rows.insert_share(share())
    second = rows.insert_share(replace(share(), origin=workspace("other")))
    assert first == second == share()
    assert first.etag == second.etag


def test_a_share_comes_back_as_it_was_written(rows: Rows) -> None:
    there = rows.insert_share(share())
    claim = Claim(7, NOW + timedelta(minutes=1))
    reason = Reason("conflict", "text", Owner.PUBLISHER, "remedy")
    changed = replace(there, rev=2, state=ShareState.IMPORTING, claim=claim, reason=reason, since=NOW).tried(NOW, "import", "ok")
    written = rows.replace(changed)
    assert rows.get(changed.address) == written == changed


def test_the_shares_of_a_name_are_those_of_all_its_versions(rows: Rows) -> None:
    other = ShareRow.address_of("other-hub", credit_card())
    versions = {rows.insert_share(share(version)).address for version in "12"}
    rows.insert_share(replace(share(), partition=other.partition, row=other.row))
    assert {row.address for row in rows.shares_in(share().partition)} == versions


def test_a_write_over_anothers_write_is_lost(rows: Rows) -> None:
    there = rows.insert_share(share())
    rows.replace(replace(there, rev=2))
    with pytest.raises(Lost):
        rows.replace(replace(there, rev=2, state=ShareState.FAILED))


def test_a_page_is_written_whole_and_leaves_what_stands_alone(rows: Rows) -> None:
    deliveries = sorted((delivery(n) for n in range(1, 100)), key=lambda each: each.row)
    first = rows.save_page(replace(plan(), cursor=deliveries[49].row), deliveries[:50])
    begun = rows.replace(replace(next(iter(rows.open_deliveries(credit_card().key))), rev=5))
    again = rows.save_page(replace(first, page_from="", cursor=deliveries[98].row), deliveries)
    assert rows.plan(credit_card(), "hub") == again
    assert [row.row for row in rows.open_deliveries(credit_card().key)] == [row.row for row in deliveries]
    assert rows.get(begun.address) == begun
    between = rows.open_deliveries(credit_card().key, deliveries[3].row, deliveries[5].row)
    assert [row.row for row in between] == [deliveries[4].row, deliveries[5].row]


def test_of_two_pages_at_once_one_comes_first_and_the_other_writes_nothing(rows: Rows) -> None:
    there = rows.save_page(replace(plan(), cursor="a"), [])
    rows.save_page(replace(there, cursor="b"), [])
    with pytest.raises(Transient):
        rows.save_page(replace(there, cursor="c"), [delivery()])
    assert list(rows.open_deliveries(credit_card().key)) == []


def test_a_closed_delivery_is_open_no_more_and_stays_in_the_ledger(rows: Rows) -> None:
    rows.save_page(replace(plan(), cursor="z"), [delivery()])
    (there,) = rows.open_deliveries(credit_card().key)
    assert rows.find_delivery(there.address) == there
    closed = replace(there, rev=2, state=DeliveryState.DELIVERED)
    rows.close(closed)
    assert rows.get(there.address) is None
    assert rows.find_delivery(there.address) == closed
    assert rows.find_delivery(delivery(2).address) is None
    with pytest.raises(Lost):
        rows.close(replace(there, rev=2, state=DeliveryState.FAILED))


def closed(rows: Rows, n: int = 1) -> DeliveryRow:
    """A delivery that failed."""
    rows.save_page(replace(rows.plan(credit_card(), "hub") or plan(), cursor="z"), [delivery(n)])
    there = next(row for row in rows.open_deliveries(credit_card().key) if row.tenant == f"t{n}")
    rows.close(replace(there, rev=2, state=DeliveryState.FAILED))
    found = rows.find_delivery(there.address)
    assert found
    return found


def test_a_closed_delivery_that_is_opened_again_is_closed_no_more(rows: Rows) -> None:
    there = closed(rows)
    again = rows.reopen(replace(there, rev=3, state=DeliveryState.PLANNED))
    assert rows.get(there.address) == again
    assert list(rows.closed_deliveries(credit_card().key)) == []
    with pytest.raises(Lost):
        rows.reopen(replace(there, rev=3, state=DeliveryState.PLANNED))


def test_closed_deliveries_are_listed_in_order_between_two_targets(rows: Rows) -> None:
    targets = sorted(closed(rows, n).row for n in (1, 2, 3))
    assert [row.row for row in rows.closed_deliveries(credit_card().key)] == targets
    assert [row.row for row in rows.closed_deliveries(credit_card().key, targets[0], targets[1])] == [targets[1]]


def test_all_that_is_delivered_is_listed_with_its_plan_however_many_and_from_several_registries(rows: Rows) -> None:
    deliveries = sorted((delivery(n) for n in range(1, 6)), key=lambda each: each.row)
    other = DeliveryRow.address_of(credit_card(), "other-hub", workspace("w1"), Register().route)
    first = rows.save_plan(plan())
    second = rows.save_plan(replace(plan(), asset=replace(MODEL, registry="other-hub")))
    rows.save_page(first, deliveries)
    rows.save_page(second, [replace(delivery(), row=other.row, registry="other-hub")])
    for each in list(rows.open_deliveries(credit_card().key))[1:]:
        rows.close(replace(each, state=DeliveryState.DELIVERED))

    found = {(plan.asset.registry, row.row): plan.asset.asset for plan, some in rows.delivered() for row in some}

    closed = {(each.registry, each.row) for each in rows.closed_deliveries(credit_card().key)}
    assert set(found) == closed
    assert len(closed) == 5
    assert {registry for registry, _ in closed} == {"hub", "other-hub"}
    assert set(found.values()) == {credit_card()}


def test_a_delivery_is_added_to_a_plan_once(rows: Rows) -> None:
    there = rows.save_plan(plan())
    (first,) = rows.insert_deliveries(there, [delivery()])
    again = rows.insert_deliveries(rows.plan(credit_card(), "hub") or there, [replace(delivery(), tenant="other"), delivery(2)])
    assert again == [first, delivery(2)] == [delivery(), delivery(2)]
    assert rows.find_delivery(delivery().address) == first


def test_no_delivery_is_added_to_a_plan_that_was_changed_meanwhile(rows: Rows) -> None:
    seen = rows.save_plan(plan())
    rows.save_plan(replace(seen, recall="it leaks"))
    with pytest.raises(Transient):
        rows.insert_deliveries(seen, [delivery(), delivery(2)])
    assert rows.find_delivery(delivery().address) is None


def test_a_plan_tells_the_environment_that_went_along(rows: Rows) -> None:
    rows.save_plan(replace(plan(), environment="azureml://registries/hub/environments/e/versions/1"))
    assert rows.planned_environment(credit_card(), "hub") == "azureml://registries/hub/environments/e/versions/1"


def test_an_endpoint_has_one_target(rows: Rows) -> None:
    wanted = TargetRow(tenant="t", workspace=workspace("w1"), endpoint="cards", desired=delivery().address, rank="1")
    there = rows.save_target(wanted)
    assert rows.target("t", workspace("W1"), "CARDS") == there
    rows.save_target(replace(there, rank="2"))
    with pytest.raises(Transient):
        rows.save_target(replace(there, rank="3"))
    with pytest.raises(Transient):
        rows.save_target(wanted)


class LoseAnswers:
    """The network breaks once after a write of this method reached the service. A hook: a service's policies reach no table."""

    def __init__(self, method: str) -> None:
        self.method: str | None = method

    def __call__(self, response: PipelineResponse) -> None:  # type: ignore[type-arg]
        request = response.http_request
        if request.method == self.method and "$batch" not in request.url:
            self.method = None
            raise ServiceResponseError("the connection broke")


@pytest.mark.parametrize("retries", [0, 2])
def test_a_write_whose_answer_was_lost_stands(connection: str, tables: TableServiceClient, retries: int) -> None:
    there = Ledger(tables).insert_share(share())
    lose = LoseAnswers("PUT")
    with TableServiceClient.from_connection_string(
        connection, raw_response_hook=lose, retry_total=retries, retry_backoff_factor=0
    ) as broken:
        written = Ledger(broken).replace(replace(there, rev=2))
    assert lose.method is None
    assert Ledger(tables).get(there.address) == written
    assert written.etag == Ledger(tables).insert_share(share()).etag


def test_an_insert_whose_answer_was_lost_stands(connection: str, tables: TableServiceClient) -> None:
    lose = LoseAnswers("POST")
    with TableServiceClient.from_connection_string(connection, raw_response_hook=lose, retry_total=0) as broken:
        assert Ledger(broken).insert_share(share()) == share()
    assert lose.method is None


class AnHourAhead(BaseHTTPRequestHandler):
    """Tables that hold nothing, by a clock an hour ahead of this machine's."""

    def do_GET(self) -> None:
        body = json.dumps({"odata.error": {"code": "ResourceNotFound", "message": {"value": "nothing"}}}).encode()
        self.send_response_only(404)
        self.send_header("Date", self.date_time_string(time.time() + 3600))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_the_clock_follows_the_tables() -> None:
    clock = CorrectedClock()
    with HTTPServer(("127.0.0.1", 0), AnHourAhead) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/acct"
        connection = f"DefaultEndpointsProtocol=http;AccountName=acct;AccountKey=a2V5;TableEndpoint={address};"
        with open_tables(connection, None, NotImplemented, clock) as service:
            assert Ledger(service).get(share().address) is None
        server.shutdown()
    assert abs((clock.now() - datetime.now(UTC)) - timedelta(hours=1)) < timedelta(minutes=1)


def test_a_row_of_another_version_hides_no_other_and_is_kept(tables: TableServiceClient) -> None:
    ledger = Ledger(tables)
    work = OpenWorkTable(tables, ledger)
    for version in "12":
        work.add(share(version).address)
        ledger.insert_share(share(version))
    strange = {"PartitionKey": share().partition, "RowKey": share().row, "state": "embargoed"}
    tables.get_table_client("shares").update_entity(strange)
    with pytest.raises(Unreadable, match="embargoed"):
        ledger.get(share().address)
    work.add(Address(RowKind.DELIVERY, credit_card().key, ""))
    strange = {"PartitionKey": credit_card().key, "RowKey": f"o|{delivery().row}", "state": "embargoed"}
    tables.get_table_client("deliveries").create_entity(strange)
    assert [row.address for row in work.open_rows(NOW)] == [share("2").address]
    assert len(list(tables.get_table_client("open").list_entities())) == 3


@pytest.mark.parametrize(("status", "code"), [(413, "RequestBodyTooLarge"), (400, "EntityTooLarge")])
def test_a_row_that_is_too_large_is_a_permanent_failure(status: int, code: str) -> None:
    refusal = HttpResponseError(message=f"The entity is larger than the maximum allowed size. ErrorCode:{code}")
    refusal.status_code = status
    with pytest.raises(Permanent) as found, table_errors("write a row"):
        raise refusal
    assert found.value.reason.code == "row_too_large"


def test_a_share_whose_outcome_is_not_out_is_open_work(tables: TableServiceClient) -> None:
    ledger = Ledger(tables)
    work = OpenWorkTable(tables, ledger)
    work.add(share().address)
    there = ledger.insert_share(replace(share(), state=ShareState.SHARED, untold=True))
    assert list(work.open_rows(NOW)) == [there]
    ledger.replace(replace(there, untold=False))
    assert list(work.open_rows(NOW)) == []


def test_open_work_is_found_and_forgotten_when_done(tables: TableServiceClient) -> None:
    ledger = Ledger(tables)
    work = OpenWorkTable(tables, ledger)
    work.add(share().address)
    work.add(Address(RowKind.DELIVERY, credit_card().key, ""))
    late = ledger.insert_share(share())
    held = replace(delivery(), state=DeliveryState.HELD, next_at=NOW + timedelta(days=900))
    ledger.save_page(replace(plan(), cursor="z"), [held])
    assert {row.address for row in work.open_rows(NOW)} == {late.address, held.address}
    ledger.replace(replace(late, state=ShareState.FAILED))
    much_later = datetime.now(UTC) + timedelta(days=1)
    assert [row.address for row in work.open_rows(much_later)] == [held.address]
    entries = list(tables.get_table_client("open").list_entities())
    assert [entry["kind"] for entry in entries] == [RowKind.DELIVERY]
