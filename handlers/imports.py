"""An import into a registry: what a share's row says from when it is claimed until the registry holds the asset.

A component is made there instead of imported; its row says the same.
"""

import logging
from dataclasses import replace
from datetime import timedelta

from handlers.turns import Turn
from shared import backoff, logs
from shared.rows import ShareRow
from shared.states import ShareState

log = logging.getLogger("fanout.imports")

IMPORT = "import"  # the row's step
IMPORT_TIMEOUT = timedelta(hours=1)  # x-ms-async-operation-timeout of the recorded import


def importing(turn: Turn[ShareRow], row: ShareRow, operation: str | None, outcome: str) -> ShareRow:
    """The row once the import is begun, or may have been. `operation` is its address, None where Azure gave none."""
    logs.event(log, "importing", share_id=row.address, asset=row.asset, operation=operation)
    row = row.tried(turn.now, IMPORT, outcome)
    row = replace(row, state=ShareState.IMPORTING, operation=operation, since=turn.now, looks=0, failures=0)
    return turn.again(row, backoff.first_looks_delay(0, 0))
