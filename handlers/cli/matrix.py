"""Who has what, as `fanout status` prints it: one asset's versions, or the matrix of assets and tenants."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.text import Text

from handlers.cli.holdings import Holding, cell_text, in_several_workspaces
from handlers.cli.tables import GAP, age_text, bare_table, paper, state_text


def print_versions(holdings: Sequence[Holding], now: datetime) -> None:
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
    paper().print(table)


def print_matrix(holdings: Sequence[Holding], now: datetime) -> None:
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
    """Columns by their widths, each with a gap before it, as many as there is room for; one at least."""
    line: list[str] = []
    left = room
    for name, width in widths.items():
        if line and left < width + GAP:
            yield line
            line, left = [], room
        line.append(name)
        left -= width + GAP
    yield line
