"""What the host says of its timer."""

from datetime import UTC, datetime

import pytest
from azure.functions.timer import TimerRequest

from function_app import next_run

AT_TEN_PAST = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "at"),
    [
        ({"Next": "2026-03-01T12:10:00+00:00"}, AT_TEN_PAST),
        ({"Next": "2026-03-01T13:10:00.0000000+01:00"}, AT_TEN_PAST),
        ({"Next": "2026-03-01T12:10:00"}, AT_TEN_PAST),
        ({"Next": "0001-01-01T00:00:00"}, datetime(1, 1, 1, tzinfo=UTC)),
        ({}, None),
        (None, None),
    ],
)
def test_when_the_timer_runs_next_is_as_the_host_has_it(status: dict[str, str] | None, at: datetime | None) -> None:
    assert next_run(TimerRequest(schedule_status=status)) == at
