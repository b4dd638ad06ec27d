"""`fanout status`: the matrix of assets and tenants."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from handlers.cli.arguments import any_version_in, since_in
from handlers.cli.documents import AsJson, print_json
from handlers.cli.holdings import Holding, cell_text, holding, in_several_workspaces, standing
from handlers.cli.sending import connect
from handlers.cli.tables import age_text, bare_table, paper, state_text
from handlers.cli.terminal import out, reaching
from shared.assets import Asset, Kind
from shared.clock import local_now
from shared.rows import ShareRow, WorkRow

if TYPE_CHECKING:
    from shared.bootstrap import AzureFanout

DAYS = 90


def status(
    asset: Annotated[str, typer.Argument(metavar="[ASSET]", help="kind:name, or kind:name:version.")] = "",
    tenant: Annotated[str | None, typer.Option("--tenant", help="Of this tenant alone.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Without ASSET: planned since; 90d where left out.")] = None,
    versions: Annotated[int, typer.Option("--versions", min=1, help="With kind:name: how many versions, the newest.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show who has which version, by which route, and since when; what is under way or failed is marked.

    Without ASSET: what was delivered, or is under way, against tenants, each with the newest version there. With it: each
    of its versions, each tenant, and what was shared and nobody got.

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
            all_versions = fanout.rows.shares_in(ShareRow.address_of(registry, Asset(kind, name, "")).partition)
            shares = sorted(all_versions, key=lambda share: share.rank, reverse=True)[:most]
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
    """One asset's versions. Their registry is named where there are several."""
    registries = len({each.registry for each in holdings}) > 1
    table = bare_table("Version", *(["Registry"] if registries else []), "Tenant", "Workspace", "How", "State", "Since")
    before: tuple[str, str] | None = None
    for each in holdings:
        place = (each.version, each.registry)
        named = place if registries else place[:1]
        first = [""] * len(named) if place == before else named
        workspace = each.workspace.name if each.workspace else ""
        table.add_row(*first, each.tenant, workspace, each.route, state_text(each.row), age_text(each.since, now))
        before = place
    return table


def _print_matrix(holdings: Sequence[Holding], now: datetime) -> None:
    """As many tenants side by side as the terminal is wide; the others below."""
    console = paper()
    cells: dict[tuple[str, str], list[Text]] = {}
    several = in_several_workspaces(holdings)
    for each in holdings:
        text = cell_text(each, now, with_workspace=each.tenant in several)
        style = "" if each.has_it else state_text(each.row).style
        cells.setdefault((f"{each.kind}:{each.name}", each.tenant), []).append(Text(text, style))
    assets = list(dict.fromkeys(asset for asset, _ in cells))
    widths: dict[str, int] = {}
    for (_, tenant), lines in sorted(cells.items(), key=lambda cell: cell[0][1]):
        widths[tenant] = max(widths.get(tenant, len(tenant)), *map(len, lines))
    for number, some in enumerate(_side_by_side(widths, console.width - max(map(len, assets)))):
        table = bare_table("Asset", *some)
        for asset in assets:
            row = [Text("\n").join(cells.get((asset, who), [])) for who in some]
            if any(row):
                table.add_row(asset, *row)
        if number:
            console.print()
        console.print(table)


def _side_by_side(widths: Mapping[str, int], room: int) -> Iterator[list[str]]:
    """Columns by their widths, each with a gap of two before it, as many as there is room for; one at least."""
    line: list[str] = []
    left = room
    for name, width in widths.items():
        if line and left < width + 2:
            yield line
            line, left = [], room
        line.append(name)
        left -= width + 2
    yield line
