"""`fanout status`: the matrix of assets and tenants."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched, chain
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from handlers.cli.arguments import any_version_in, since_in
from handlers.cli.documents import print_json
from handlers.cli.holdings import Holding, cell_text, holding, standing
from handlers.cli.sending import AsJson, connect
from handlers.cli.tables import age_text, bare_table, paper, state_text
from handlers.cli.terminal import out, reaching
from shared.assets import Asset, Kind
from shared.clock import local_now
from shared.rows import ShareRow, WorkRow

if TYPE_CHECKING:
    from shared.bootstrap import AzureFanout

DAYS = 90
WIDEST_CELL = 26  # columns


def status(
    asset: Annotated[str, typer.Argument(metavar="[ASSET]", help="kind:name, or kind:name:version.")] = "",
    tenant: Annotated[str | None, typer.Option("--tenant", help="Of this tenant alone.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Without ASSET: shared or delivered since; 90d.")] = None,
    versions: Annotated[int, typer.Option("--versions", min=1, help="With kind:name: how many versions, the newest.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show who has which version, by which route, and since when; what is under way or failed is marked.

    Without ASSET: assets against tenants, each with the newest version there. With it: each of its versions, each tenant.

    \b
    fanout status
    fanout status model:credit-card
    fanout status model:credit-card:3 --tenant fabrikam --json
    """
    wanted = any_version_in(asset) if asset else None
    begin = since_in(since, local_now()) if since else local_now() - timedelta(days=DAYS)
    with reaching("the tables"):
        fanout = connect()
        rows = _of_asset(fanout, *wanted, versions) if wanted else _of_tenants(fanout, tenant, begin)
        found = [holding(row) for row in rows] if wanted else standing(rows)
    holdings = [each for each in found if tenant in (None, each.tenant)]
    if as_json:
        print_json([each.document for each in holdings])
    elif not holdings:
        out.print("Nobody has any." if asset else f"Nothing since {begin:%Y-%m-%d}: --since looks further back.")
    elif wanted:
        paper().print(_list(holdings, fanout.clock.now()))
    else:
        _print_matrix(holdings, fanout.clock.now())


def _of_asset(fanout: "AzureFanout", kind: Kind, name: str, version: str | None, most: int) -> Iterator[WorkRow]:
    """The share of each version, newest first, and its deliveries."""
    for registry in [each.name for each in fanout.rules.current().provider.registries]:
        if version is not None:
            share = fanout.rows.get(ShareRow.address_of(registry, Asset(kind, name, version)))
            shares = [share] if isinstance(share, ShareRow) else []
        else:
            shares = sorted(fanout.history.versions(registry, kind, name), key=lambda share: share.rank, reverse=True)[:most]
        for share in shares:
            yield share
            deliveries = chain(fanout.rows.open_deliveries(share.asset.key), fanout.rows.closed_deliveries(share.asset.key))
            there = {each.address: each for each in deliveries if each.registry == registry}  # one may close in between
            yield from sorted(there.values(), key=lambda each: (each.tenant, each.action.route))


def _of_tenants(fanout: "AzureFanout", tenant: str | None, since: datetime) -> list[WorkRow]:
    """What is open, and each tenant's deliveries by its index, with the shares that they came from."""
    rows: dict[object, WorkRow] = {}
    for each in [tenant] if tenant else sorted(fanout.rules.current().tenants):
        rows |= {row.address: row for row in fanout.history.deliveries_to(each, since)}
    rows |= {row.address: row for row in fanout.history.open_rows()}
    for share in {row.share for row in rows.values() if not isinstance(row, ShareRow)} - rows.keys():
        if found := fanout.rows.get(share):
            rows[share] = found
    return list(rows.values())


def _list(holdings: Sequence[Holding], now: datetime) -> Table:
    table = bare_table("Asset", "Tenant", "How", "State", "Since", "Workspace")
    before = ""
    for each in holdings:
        asset = f"{each.kind}:{each.name}:{each.version}"
        workspace = each.document["workspace"] or ""
        table.add_row(
            "" if asset == before else asset,
            each.tenant,
            each.route,
            state_text(each.row),
            age_text(each.since, now),
            workspace.rpartition("/")[2],
        )
        before = asset
    return table


def _print_matrix(holdings: Sequence[Holding], now: datetime) -> None:
    """As many tenants side by side as the terminal is wide; the others below."""
    console = paper()
    assets = list(dict.fromkeys((each.kind, each.name) for each in holdings))
    tenants = sorted({each.tenant for each in holdings})
    widest = min(max(len(f"{kind}:{name}") for kind, name in assets), console.width // 3)
    side_by_side = max(1, (console.width - widest) // (WIDEST_CELL + 1))
    for some in batched(tenants, side_by_side, strict=False):
        table = bare_table("Asset", *some)
        for kind, name in assets:
            of_asset = [each for each in holdings if (each.kind, each.name) == (kind, name)]
            cells = [_cell([each for each in of_asset if each.tenant == who], now) for who in some]
            if any(cells):
                table.add_row(f"{kind}:{name}", *cells)
        console.print(table)
        if some[-1] != tenants[-1]:
            console.print()


def _cell(holdings: Sequence[Holding], now: datetime) -> Text:
    lines = []
    for each in holdings:
        style = "" if each.has_it else str(state_text(each.row).style)
        lines.append(Text(cell_text(each, now), style))
    return Text("\n").join(lines)
