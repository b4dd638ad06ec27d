"""Waiting where Azure asks for it: for whoever looks at much at once, and has nothing better to do meanwhile."""

import time
from collections.abc import Callable, Mapping

from azure.core.rest import HttpResponse

from shared.azure.arm import Caller
from shared.deadline import remaining
from shared.errors import Throttled

MOST_TIMES = 6
USUAL_SECONDS = 5.0  # where Azure names no time


class PatientCaller:
    """Asks again after 429, for as long as `shared.deadline` allows."""

    def __init__(self, caller: Caller, sleep: Callable[[float], None] = time.sleep) -> None:
        self._caller = caller
        self._sleep = sleep

    def call(
        self, method: str, url: str, *, params: Mapping[str, str] | None = None, body: object = None, doing: str
    ) -> HttpResponse:
        for _ in range(MOST_TIMES - 1):
            try:
                return self._caller.call(method, url, params=params, body=body, doing=doing)
            except Throttled as throttled:
                wait, left = throttled.retry_after or USUAL_SECONDS, remaining()
                if left is not None and wait > left:
                    raise
                self._sleep(wait)
        return self._caller.call(method, url, params=params, body=body, doing=doing)
