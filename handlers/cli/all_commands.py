"""The commands of `fanout`, and under which heading --help lists them."""

from handlers.cli.app import app
from handlers.cli.apply import apply
from handlers.cli.asset_commands import pull, push, recall, share
from handlers.cli.backfill import backfill
from handlers.cli.deliveries import deliveries, show
from handlers.cli.doctor import doctor
from handlers.cli.explain import explain
from handlers.cli.export import export
from handlers.cli.help_texts import teach
from handlers.cli.history import history
from handlers.cli.offboard import offboard
from handlers.cli.onboard import onboard
from handlers.cli.publications import publications
from handlers.cli.reconcile import reconcile
from handlers.cli.rejected import rejected
from handlers.cli.row_commands import approve, cancel, reject, retry
from handlers.cli.schema import schema
from handlers.cli.settings import settings
from handlers.cli.status import status
from handlers.cli.subscriptions import subscriptions
from handlers.cli.tenants import tenants
from handlers.cli.watch import watch

__all__ = ["app"]

RULES, ASKING, LOOKING, COMING = "The rules", "Ask for something", "See what is", "Tenants that come, and that go"

for about_rules in (apply, explain, export, history):
    app.command(rich_help_panel=RULES)(about_rules)
for name, part in (("tenants", tenants), ("publications", publications), ("subscriptions", subscriptions)):
    app.add_typer(part, name=name, rich_help_panel=RULES)
for asking in (share, push, pull, backfill, recall, retry, cancel, approve, reject, reconcile):
    app.command(rich_help_panel=ASKING)(asking)
for looking in (status, deliveries, show, watch, doctor, settings):
    app.command(rich_help_panel=LOOKING)(looking)
for about_tenants in (onboard, offboard):
    app.command(rich_help_panel=COMING)(about_tenants)
app.add_typer(rejected, name="rejected", rich_help_panel=LOOKING)
app.command(rich_help_panel=ASKING)(schema)
teach(app)
