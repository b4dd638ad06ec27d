"""What the settings of this process name."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.bootstrap import AzureFanout


def connect() -> "AzureFanout":
    """Imported late, so that --help and wrong input need neither settings nor SDKs."""
    from shared.bootstrap import fanout

    return fanout(impatient=True)
