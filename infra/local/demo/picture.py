"""The outcome as the article's picture would tell it."""

from itertools import groupby

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from infra.local.demo.holdings import Held
from infra.local.demo.journeys import JOURNEYS, REGISTRY, Journey, expected
from infra.local.demo.watch import Watch


def show(watch: Watch, console: Console) -> None:
    console.print(_routes(watch))
    console.print()
    console.print(_holders())


def _routes(watch: Watch) -> Tree:
    tree = Tree("[bold]Who shared what, and which way it went[/]")
    for journey in JOURNEYS:
        _add(tree, journey, watch)
    return tree


def _add(tree: Tree, journey: Journey, watch: Watch) -> None:
    registered, shared = watch.seen(journey.registered), watch.seen(journey.share)
    share = tree.add(
        f"[bold]{escape(journey.model)}[/]  {journey.origin} ─ share ─▶ {REGISTRY}  [dim]{shared - registered:.1f} s[/]"
    )
    for fact in journey.pushes:
        share.add(f"push ─▶ {_arrival(fact)}  [dim]{watch.seen(fact) - shared:.1f} s later[/]")
    for fact in journey.pulls:
        share.add(f"pull ─▶ {_arrival(fact)}, by hand")
    if not (journey.pushes or journey.pulls):
        share.add("nobody subscribed to it, so nobody gets it")


def _arrival(fact: Held) -> str:
    return escape(f"{fact.place}: {fact.thing if fact.thing.startswith('endpoint') else 'registered'}")


def _holders() -> Table:
    """After the check, what is expected is what is there."""
    table = Table(title="Who has what, as fresh MLClients see it", title_justify="left", title_style="bold", box=box.SIMPLE)
    table.add_column("where", no_wrap=True)
    table.add_column("what")
    table.add_column("how it came", overflow="fold")
    for place, facts in groupby(sorted(expected()), key=lambda fact: fact.place):
        for row, fact in enumerate(facts):
            table.add_row("" if row else place, fact.thing, fact.how)
        table.add_section()
    return table
