"""`fanout status`: the matrix of assets and tenants."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from handlers.cli import completion
from handlers.cli.arguments import any_version_in, since_in
from handlers.cli.connection import connect
from handlers.cli.deliveries import planned
from handlers.cli.documents import AsJson, print_json
from handlers.cli.holdings import holding, nobody_has, standing
from handlers.cli.matrix import print_matrix, print_versions
from handlers.cli.terminal import err, out, reaching
from shared.assets import Asset, Kind
from shared.clock import local_now
from shared.rows import ShareRow, WorkRow

if TYPE_CHECKING:
    from shared.bootstrap import AzureFanout

DAYS = 90
MOST_NAMED = 20


def status(
    asset: Annotated[str, typer.Argument(metavar="[ASSET]", help="kind:name, or kind:name:version.")] = "",
    tenant: Annotated[str | None, completion.tenant("--tenant", "Of this tenant alone.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Without ASSET: planned since; 90d where left out.")] = None,
    versions: Annotated[int, typer.Option("--versions", min=1, help="With kind:name: how many versions, the newest.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show who has which version, by which route, and since when; what is under way or failed is marked.

    Without ASSET: what was shared or delivered, or is under way, against tenants, each with the newest version there; and
    what is in a registry and nobody has. With it: each of its versions, and each tenant.

    With ASSET or --tenant only their rows are read. Else it takes a request for each tenant, above 200 of them one for each
    thousand of their deliveries, and two for each asset that was delivered: as --since limits them.

    \b
    fanout status
    fanout status model:credit-card
    fanout status model:credit-card:3 --tenant fabrikam --json
    """
    wanted = any_version_in(asset) if asset else None
    begin = since_in(since, local_now()) if since else local_now() - timedelta(days=DAYS)
    with reaching("the tables"):
        fanout = connect()
        with err.status("Reading …"):
            rows = list(_of_asset(fanout, *wanted, versions)) if wanted else _of_tenants(fanout, tenant, begin)
    found = [holding(row) for row in rows] if wanted else standing(rows)
    holdings = [each for each in found if tenant in (None, each.tenant)]
    if as_json:
        print_json([each.document for each in holdings])
    elif not holdings:
        out.print("Nobody has any." if asset else f"Nothing since {begin:%Y-%m-%d}: --since looks further back.")
    elif wanted:
        print_versions(holdings, fanout.clock.now())
    else:
        print_matrix(holdings, fanout.clock.now())
        if not tenant and (left := nobody_has(holdings)):
            more = f" and {len(left) - MOST_NAMED} more" if len(left) > MOST_NAMED else ""
            out.print(f"In a registry, and nobody has it: {', '.join(left[:MOST_NAMED])}{more}.", markup=False)


def _of_asset(fanout: "AzureFanout", kind: Kind, name: str, version: str | None, most: int) -> Iterator[WorkRow]:
    """The share of each version, newest first, and its deliveries."""
    for registry in [each.name for each in fanout.rules.current().provider.registries]:
        if version is not None:
            share = fanout.rows.get(ShareRow.address_of(registry, Asset(kind, name, version)))
            shares = [share] if isinstance(share, ShareRow) else []
        else:
            all_versions = fanout.rows.shares_in(ShareRow.address_of(registry, Asset(kind, name, "")).partition)
            shares = sorted(all_versions, key=lambda share: share.rank, reverse=True)[:most]
        for share in shares:
            yield share
            deliveries = chain(fanout.rows.open_deliveries(share.asset.key), fanout.rows.closed_deliveries(share.asset.key))
            there = {each.address: each for each in deliveries if each.registry == registry}  # one may close in between
            yield from sorted(there.values(), key=lambda each: (each.tenant, each.action.route))


def _of_tenants(fanout: "AzureFanout", tenant: str | None, since: datetime) -> list[WorkRow]:
    """What was shared or planned since then, what is open, and the shares that all of it came from."""
    history = fanout.history
    found = chain(history.shares_since(since), planned(fanout, tenant, since), history.open_rows())
    rows: dict[object, WorkRow] = {row.address: row for row in found}
    for share in {row.share for row in rows.values() if not isinstance(row, ShareRow)} - rows.keys():
        if its_share := fanout.rows.get(share):
            rows[share] = its_share
    return list(rows.values())
