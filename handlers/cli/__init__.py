"""The provider's command line, `fanout`: one module for each group of commands, over the same tables and queues as the app.

What a command needs of the settings and the SDKs is imported when it runs, so that --help needs neither.
"""

from handlers.cli.app import app
from handlers.cli.apply import apply
from handlers.cli.asset_commands import pull, push, recall, share
from handlers.cli.deliveries import deliveries, show
from handlers.cli.rejected import rejected
from handlers.cli.row_commands import approve, cancel, reject, retry
from handlers.cli.schema import schema
from handlers.cli.status import status
from handlers.cli.watch import watch

__all__ = ["app"]

ASKING, LOOKING = "Ask for something", "See what is"

app.command()(apply)
app.command()(schema)
app.command(rich_help_panel=ASKING)(share)
app.command(rich_help_panel=ASKING)(push)
app.command(rich_help_panel=ASKING)(pull)
app.command(rich_help_panel=ASKING)(recall)
app.command(rich_help_panel=ASKING)(retry)
app.command(rich_help_panel=ASKING)(cancel)
app.command(rich_help_panel=ASKING)(approve)
app.command(rich_help_panel=ASKING)(reject)
app.command(rich_help_panel=LOOKING)(status)
app.command(rich_help_panel=LOOKING)(deliveries)
app.command(rich_help_panel=LOOKING)(show)
app.command(rich_help_panel=LOOKING)(watch)
app.add_typer(rejected, name="rejected", rich_help_panel=LOOKING)
