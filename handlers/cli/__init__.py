"""The provider's command line, `fanout`: one module for each group of commands, over the same tables and queues as the app.

What a command needs of the settings and the SDKs is imported when it runs, so that --help needs neither.
"""

from handlers.cli.app import app
from handlers.cli.apply import apply
from handlers.cli.explain import explain
from handlers.cli.export import export
from handlers.cli.history import history
from handlers.cli.publications import publications
from handlers.cli.schema import schema
from handlers.cli.subscriptions import subscriptions
from handlers.cli.tenants import tenants

__all__ = ["app"]

RULES = "The rules"

for about_rules in (apply, explain, export, history):
    app.command(rich_help_panel=RULES)(about_rules)
for name, part in (("tenants", tenants), ("publications", publications), ("subscriptions", subscriptions)):
    app.add_typer(part, name=name, rich_help_panel=RULES)
app.command()(schema)
