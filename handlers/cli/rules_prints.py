"""Rules and their changes as the commands about them print them: tables and YAML for people."""

from collections.abc import Iterable, Sequence

import typer
from rich.table import Table
from rich.text import Text

from handlers.cli.tables import paper
from shared.rules import Publication, Subscription
from shared.rules_document import Document
from shared.rules_export import yaml_text


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, "yellow" if cell == "paused" else "") for cell in row))
    paper().print(table)


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
