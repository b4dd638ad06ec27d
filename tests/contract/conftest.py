"""What several of the local Service Bus's tests start with. A module's `QUEUES` are the queues of its broker."""

from collections.abc import Iterator

import pytest

from infra.local.service_bus.testing import Desk, RunningBroker


@pytest.fixture(scope="module")
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    with RunningBroker(tmp_path_factory.mktemp("broker"), request.module.QUEUES) as running:
        yield running


@pytest.fixture(scope="module")
def desk(broker: RunningBroker) -> Iterator[Desk]:
    desk = Desk(broker)
    yield desk
    desk.close()
