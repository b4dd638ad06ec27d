"""What `fanout doctor` found, for people and for programs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from handlers.cli.tables import INDENT, paper, print_below
from handlers.cli.terminal import out
from shared.doctor.findings import Finding, Severity, worst

if TYPE_CHECKING:
    from handlers.doctor import Examined

_STYLES = {Severity.FAULT: "bold red", Severity.WARNING: "yellow", Severity.UNSEEN: "magenta"}
_SOUND = Text("sound", "green")


def document_of(examined: Sequence["Examined"], revision: int) -> dict[str, Any]:
    return {
        "rules_revision": revision,
        "outcome": worst(_all(examined)) or "sound",
        "examined": [{"tenant": each.tenant, "place": each.place, "sound": not each.findings} for each in examined],
        "findings": [asdict(finding) for finding in _all(examined)],
    }


def print_report(examined: Sequence["Examined"]) -> None:
    """Tenant by tenant, after the registries, which are all tenants'."""
    for tenant, group in groupby(examined, key=lambda each: each.tenant):
        out.print(tenant or "registries", style="bold", markup=False)
        for each in group:
            sound = () if each.findings else ("  ", _SOUND)
            paper().print(Text.assemble(INDENT, each.place, *sound), soft_wrap=True)
            for finding in each.findings:
                _print_finding(finding)
    out.print(_sum(examined), markup=False)


def _print_finding(finding: Finding) -> None:
    """The command stands alone on its line, unbroken, to be copied."""
    print_below(Text.assemble((f"{finding.severity}: ", _STYLES[finding.severity]), f"{finding.what} ({finding.code})"))
    print_below(Text(f"{INDENT}{finding.why}", "dim"))
    typer.echo(f"{INDENT * 2}{finding.command}")


def _sum(examined: Sequence["Examined"]) -> str:
    counts = Counter(finding.severity for finding in _all(examined))
    looked_at = f"{_counted(len(examined), 'place')} looked at"
    if not counts:
        return f"All is well: {looked_at}."
    words = {Severity.FAULT: "fault", Severity.WARNING: "warning", Severity.UNSEEN: "thing that could not be looked at"}
    told = ", ".join(_counted(counts[severity], word) for severity, word in words.items() if counts[severity])
    return f"{told}; {looked_at}."


def _counted(number: int, word: str) -> str:
    first, _, rest = word.partition(" ")
    return f"{number} {first}{'' if number == 1 else 's'} {rest}".rstrip()


def _all(examined: Sequence["Examined"]) -> list[Finding]:
    return [finding for each in examined for finding in each.findings]
