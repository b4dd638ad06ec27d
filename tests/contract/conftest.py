"""What several tests start with: tables that are empty, or the local Service Bus with a module's `QUEUES`."""

from collections.abc import Iterator

import pytest
from azure.data.tables import TableServiceClient

from infra.local.service_bus.testing import Desk, RunningBroker
from shared.azure.tables import create_tables, open_tables
from shared.clock import CorrectedClock
from tests.contract.table_service import table_service


@pytest.fixture(scope="module")
def connection() -> Iterator[str]:
    with table_service() as connection:
        yield connection


@pytest.fixture
def tables(connection: str) -> Iterator[TableServiceClient]:
    with open_tables(connection, None, NotImplemented, CorrectedClock()) as service:
        for table in list(service.list_tables()):
            service.delete_table(table.name)
        create_tables(service)
        yield service


@pytest.fixture(scope="module")
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    with RunningBroker(tmp_path_factory.mktemp("broker"), request.module.QUEUES) as running:
        yield running


@pytest.fixture(scope="module")
def desk(broker: RunningBroker) -> Iterator[Desk]:
    desk = Desk(broker)
    yield desk
    desk.close()
