"""`fanout retry`, `cancel`, `approve` and `reject`: what is asked for about one delivery or share."""

from typing import Annotated

import typer

from handlers.cli.arguments import address_in
from handlers.cli.documents import AsJson
from handlers.cli.sending import LONGEST_WAIT, CorrelationId, Timeout, Wait, ask, login_name, way
from shared.rows import RowKind

RowId = Annotated[str, typer.Argument(metavar="DELIVERY|SHARE", help="Its id: delivery/…/… or share/…/…")]
DeliveryText = Annotated[str, typer.Argument(metavar="DELIVERY", help="Its id: delivery/…/…")]
By = Annotated[str, typer.Option("--by", help="Who decides, for the record; the login name where it is left out.")]


def retry(
    row: RowId,
    correlation_id: CorrelationId = None,
    wait: Wait = False,
    timeout: Timeout = LONGEST_WAIT,
    as_json: AsJson = False,
) -> None:
    """Open a delivery or a share that failed again.

    \b
    fanout deliveries --failed
    fanout retry delivery/4k…/x2… --wait
    """
    address = address_in(row, RowKind.DELIVERY, RowKind.SHARE)
    chosen = way(correlation_id, wait=wait, timeout=timeout, as_json=as_json)
    ask({"type": "retry", address.kind.value: str(address)}, chosen)


def cancel(
    row: RowId,
    by: By = "",
    correlation_id: CorrelationId = None,
    wait: Wait = False,
    timeout: Timeout = LONGEST_WAIT,
    as_json: AsJson = False,
) -> None:
    """End a delivery or a share that is under way. What was begun in the tenant's workspace and serves nobody is removed.

    With --wait the exit code is 4 where it came too late.

    \b
    fanout deliveries --open
    fanout cancel delivery/4k…/x2… --wait
    """
    address = address_in(row, RowKind.DELIVERY, RowKind.SHARE)
    chosen = way(correlation_id, wait=wait, timeout=timeout, as_json=as_json)
    ask({"type": "cancel", address.kind.value: str(address), "by": by or login_name()}, chosen)


def approve(
    delivery: DeliveryText,
    by: By = "",
    correlation_id: CorrelationId = None,
    wait: Wait = False,
    timeout: Timeout = LONGEST_WAIT,
    as_json: AsJson = False,
) -> None:
    """Let a delivery go on that awaits approval.

    \b
    fanout deliveries --state awaiting_approval
    fanout approve delivery/4k…/x2… --by jo@fabrikam --wait
    """
    _decide("approve", delivery, by, correlation_id, wait=wait, timeout=timeout, as_json=as_json)


def reject(
    delivery: DeliveryText,
    by: By = "",
    correlation_id: CorrelationId = None,
    wait: Wait = False,
    timeout: Timeout = LONGEST_WAIT,
    as_json: AsJson = False,
) -> None:
    """End a delivery that awaits approval.

    \b
    fanout reject delivery/4k…/x2… --by jo@fabrikam
    """
    _decide("reject", delivery, by, correlation_id, wait=wait, timeout=timeout, as_json=as_json)


def _decide(verdict: str, delivery: str, by: str, correlation_id: str | None, *, wait: bool, timeout: str, as_json: bool) -> None:
    address = address_in(delivery, RowKind.DELIVERY)
    chosen = way(correlation_id, wait=wait, timeout=timeout, as_json=as_json)
    ask({"type": verdict, "delivery": str(address), "by": by or login_name()}, chosen)
