"""The provider's command line, `fanout`: one module for each group of commands, over the same tables and queues as the app.

What a command needs of the settings and the SDKs is imported when it runs, so that --help needs neither.
"""

from handlers.cli.app import app
from handlers.cli.apply import apply
from handlers.cli.backfill import backfill
from handlers.cli.reconcile import reconcile
from handlers.cli.schema import schema

__all__ = ["app"]

app.command()(apply)
app.command()(backfill)
app.command()(reconcile)
app.command()(schema)
