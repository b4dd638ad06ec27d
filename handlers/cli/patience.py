"""What may never answer is waited for no longer than people wait."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread

from shared.errors import Transient

SECONDS = 15.0  # with the start of a process, less than 20


def answered[T](who: str, work: Callable[[], T], seconds: float = SECONDS) -> T:
    """What `work` comes to. Transient where it takes longer, as with a Service Bus that takes a connection and says nothing: the
    SDK would wait for ever. What is given up goes on in its thread, for which the process does not stay."""
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as failure:  # noqa: BLE001 - it is raised where it is waited for
            outcome.set_exception(failure)

    Thread(target=run, daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError as silence:
        raise Transient(f"{who} took longer than {seconds:.0f} seconds to answer") from silence
