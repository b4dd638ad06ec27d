"""Rules and their changes as the commands about them print them: tables and YAML for people."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from handlers.cli.tables import GAP, INDENT, bare_table, paper, print_line
from shared.rules_document import Document
from shared.rules_export import yaml_text
from shared.tenants import Publication, Subscription


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """As wide as the terminal. Columns that find no place stand below each row, the last first; no word is broken."""
    console, rows = paper(), list(rows)
    beside = _fitting(columns, rows, console.width)
    table = bare_table(*columns[:beside])
    for row in rows:
        table.add_row(*(Text(cell, "yellow" if cell == "paused" else "") for cell in row[:beside]))
    if beside == len(columns):
        console.print(table)
        return
    head, *lines = console.render_lines(table, pad=False)
    print_line(console, head)
    for row, line in zip(rows, lines, strict=True):
        print_line(console, line)
        for name, cell in zip(columns[beside:], row[beside:], strict=True):
            _print_below(console, name, cell)


def _fitting(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> int:
    """How many of the columns, from the first, stand side by side; one at least."""
    cells = zip(columns, *rows, strict=True)
    widths = [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in cells]
    return max(1, sum(end <= width for end in accumulate(widths, lambda end, each: end + GAP + each)))


def _print_below(console: Console, name: str, cell: str) -> None:
    for paragraph in cell.splitlines():
        lines = Text(f"{name.lower()}: {paragraph}").wrap(console, console.width - 2 * len(INDENT), overflow="ellipsis")
        for number, line in enumerate(lines):
            console.print(Text(INDENT * (2 if number else 1)) + line, soft_wrap=True)


def print_yaml(document: Document) -> None:
    """As it would stand in a file."""
    typer.echo(yaml_text(document), nl=False)


def count_text(rules: Sequence[Publication | Subscription]) -> str:
    paused = sum(not rule.active for rule in rules)
    return f"{len(rules)} ({paused} paused)" if paused else str(len(rules))


def pattern_text(pattern: Document) -> str:
    """One of a rule's `assets`: `model credit-card-* except *-draft, stage=production`."""
    excepted = pattern.get("except", [])
    names = excepted if isinstance(excepted, str) else ", ".join(excepted)
    without = f" except {names}" if names else ""
    tags = "".join(f", {tag}={_accepted(accepted)}" for tag, accepted in pattern.get("tags", {}).items())
    return f"{pattern['kind']} {pattern['name']}{without}{tags}"


def _accepted(accepted: str | list[str]) -> str:
    return accepted if isinstance(accepted, str) else "|".join(accepted)


def fields_text(written: str | Document) -> str:
    """A release or an action in few words: `immediately`, `approval: provider`."""
    if isinstance(written, str):
        return written
    return ", ".join(f"{field}: {value}" for field, value in written.items())
