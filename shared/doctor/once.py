"""What many places have in common is looked up once, by the first that needs it, while the others wait."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, cast

from shared.errors import Transient


class Once:
    """Keeps what was found, and that it could not be; what failed in passing is tried again by the next who asks."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[Hashable, Future[Any]] = {}

    def get[T](self, key: Hashable, look: Callable[[], T]) -> T:
        with self._lock:
            is_first = key not in self._found
            future = self._found.setdefault(key, Future())
        if is_first:
            self._look(key, look, future)
        return cast(T, future.result())

    def _look(self, key: Hashable, look: Callable[[], object], future: Future[Any]) -> None:
        try:
            future.set_result(look())
        except BaseException as error:  # noqa: BLE001 - it is raised to all who wait
            if isinstance(error, Transient):
                with self._lock:
                    del self._found[key]
            future.set_exception(error)
