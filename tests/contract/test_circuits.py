"""The rows of open circuits, held by the real tables (Azurite) and by the fake that the unit tests run on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest
from azure.data.tables import TableServiceClient

from shared.assets import WorkspaceId
from shared.azure.circuits import PARTITION, CircuitTable
from shared.budgets import Budget
from shared.circuits import Circuit, CircuitRows, Circuits
from shared.clock import CorrectedClock
from shared.errors import Lost, Permanent, Transient, Unavailable, Waiting
from shared.fairness import Bulkhead, WorkspaceFairness, heard
from tests.fake_fairness import FakeCircuitRows

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SICK = WorkspaceId("11111111-1111-1111-1111-111111111111", "rg-tenants", "Sick")


@pytest.fixture(params=["fake", "tables"])
def rows(request: pytest.FixtureRequest) -> CircuitRows:
    return FakeCircuitRows() if request.param == "fake" else CircuitTable(request.getfixturevalue("tables"))


def a_circuit(workspace: WorkspaceId = SICK) -> Circuit:
    return Circuit.opened(workspace, NOW)


def test_the_open_circuits_come_back_as_they_were_saved(rows: CircuitRows) -> None:
    other = a_circuit(replace(SICK, name="other"))
    saved = [rows.save(a_circuit()), rows.save(other)]
    found = sorted(rows.all(), key=lambda each: each.workspace.name)
    assert found == saved
    assert [each.etag for each in found] == [each.etag for each in saved]


def test_of_two_that_open_a_circuit_one_does(rows: CircuitRows) -> None:
    first = rows.save(a_circuit())
    with pytest.raises(Lost):
        rows.save(a_circuit(replace(SICK, name="SICK")))
    assert list(rows.all()) == [first]


def test_of_two_that_would_probe_one_does(rows: CircuitRows) -> None:
    opened = rows.save(a_circuit())
    probed = rows.save(opened.probed(NOW))
    with pytest.raises(Lost):
        rows.save(opened.probed(NOW + timedelta(seconds=1)))
    assert list(rows.all()) == [probed]


def test_a_circuit_is_removed_by_who_saw_it_last(rows: CircuitRows) -> None:
    opened = rows.save(a_circuit())
    probed = rows.save(opened.probed(NOW))
    with pytest.raises(Lost):
        rows.remove(opened)
    rows.remove(probed)
    rows.remove(probed)
    assert list(rows.all()) == []


def test_what_is_gone_is_not_probed(rows: CircuitRows) -> None:
    opened = rows.save(a_circuit())
    rows.remove(opened)
    with pytest.raises(Lost):
        rows.save(opened.probed(NOW))


def test_a_row_of_another_version_hides_no_other(tables: TableServiceClient) -> None:
    rows = CircuitTable(tables)
    tables.get_table_client("targets").create_entity({"PartitionKey": PARTITION, "RowKey": "a", "wait": "long"})
    saved = rows.save(a_circuit())
    assert list(rows.all()) == [saved]


def fairness(service: TableServiceClient) -> WorkspaceFairness:
    return WorkspaceFairness(Bulkhead(4), Circuits(CircuitTable(service), CorrectedClock().now), Budget())


def test_a_thousand_deliveries_cost_one_read(connection: str, tables: TableServiceClient) -> None:
    requests: list[PipelineRequest[HttpRequest]] = []
    with TableServiceClient.from_connection_string(connection, raw_request_hook=requests.append) as service:
        process = fairness(service)
        for n in range(1000):
            with process.admitted(replace(SICK, name=f"w{n}")):
                heard()
    assert [each.http_request.method for each in requests] == ["GET"]


def test_a_circuit_that_one_process_opens_holds_in_another(tables: TableServiceClient) -> None:
    here, there = fairness(tables), fairness(tables)
    for _ in range(3):
        with pytest.raises(Unavailable), here.admitted(SICK):
            raise Unavailable("no answer")
    with pytest.raises(Waiting), there.admitted(SICK):
        pass


def test_without_tables_everybody_is_let_through() -> None:
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:9/a;"
    with TableServiceClient.from_connection_string(nowhere, retry_total=0) as service:
        with pytest.raises((Transient, Permanent)):
            list(CircuitTable(service).all())
        process = fairness(service)
        for _ in range(5):
            with pytest.raises(Unavailable), process.admitted(SICK):
                raise Unavailable("no answer")
