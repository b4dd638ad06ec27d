"""Tables as all of Fanout uses them: clients that correct the clock, and errors as verdicts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.data.tables import TableServiceClient

from shared.azure.arm import CONNECT_SECONDS, READ_SECONDS
from shared.clock import CorrectedClock, local_now
from shared.errors import Owner, Permanent, Transient
from shared.secrets import without_secrets

TABLES = ("tenants", "shares", "deliveries", "bytenant", "targets", "open", "reconcile")
_SENT = "fanout_sent_at"


class ObserveDate:
    """Shows each answer's Date to the clock. Two hooks, and no policy: the SDK gives those of a service to none of its tables."""

    def __init__(self, clock: CorrectedClock) -> None:
        self._clock = clock

    def sent(self, request: PipelineRequest[Any]) -> None:
        request.context[_SENT] = local_now()

    def answered(self, response: PipelineResponse[Any, Any]) -> None:
        date = response.http_response.headers.get("Date")
        sent: datetime | None = response.context.get(_SENT)
        if date and sent:
            self._clock.observe(parsedate_to_datetime(date), sent, local_now())


def open_tables(
    connection_string: str | None,
    address: str | None,
    credential: Callable[[], TokenCredential],
    clock: CorrectedClock,
    *,
    impatient: bool = False,
) -> TableServiceClient:
    """An impatient one asks only once what does not answer: 15 seconds. Permanent `bad_setting` for what names no tables."""
    observe = ObserveDate(clock)
    options: dict[str, Any] = {
        "raw_request_hook": observe.sent,
        "raw_response_hook": observe.answered,
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retry_total": 2,
        "retry_backoff_factor": 0.2,
    }
    if impatient:
        options |= {"retry_connect": 0, "retry_read": 0}
    try:
        if connection_string:
            return TableServiceClient.from_connection_string(connection_string, **options)
        return TableServiceClient(endpoint=address or "", credential=credential(), **options)
    except ValueError as wrong:  # its text holds nothing of the string
        remedy = (
            "set Tables to a storage connection string, as the storage account shows it, or Tables__tableServiceUri to https://…"
        )
        raise Permanent("bad_setting", f"setting Tables: {wrong}", Owner.PROVIDER, remedy) from wrong


def create_tables(service: TableServiceClient) -> None:
    for name in TABLES:
        service.create_table_if_not_exists(name)


@contextmanager
def table_errors(doing: str) -> Iterator[None]:
    """What goes wrong with the tables is transient, but for what the provider must mend. Lost writes are the caller's."""
    try:
        yield
    except HttpResponseError as error:
        text = without_secrets(f"{doing}: {error}")
        if error.status_code in (401, 403):
            remedy = "assign Storage Table Data Contributor on the storage account to the app's identity"
            raise Permanent("tables_forbidden", text, Owner.PROVIDER, remedy) from error
        if error.status_code == 413 or "TooLarge" in str(error):
            remedy = "register the asset with shorter tags, properties and description"
            raise Permanent("row_too_large", text, Owner.PUBLISHER, remedy) from error
        raise Transient(text) from error
    except AzureError as error:
        raise Transient(without_secrets(f"{doing}: {error}")) from error
