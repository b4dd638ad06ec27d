"""An explanation as people read it, and as `--json` prints it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from handlers.cli.documents import time_text
from handlers.cli.tables import bare_table, one_line, paper, place_text, print_indented, print_with_below, route_text, state_text
from handlers.explained import Known
from shared.assets import Asset
from shared.explain import Answer, Explanation, Word, today
from shared.planning import Decision
from shared.provenance import NAMES
from shared.rows import DeliveryRow
from shared.rules import Rules

_STYLES = {Answer.YES: "green", Answer.WAITS: "yellow", Answer.NO: "red"}


@dataclass(frozen=True, slots=True)
class Explained:
    known: Known
    answers: Sequence[Explanation]
    before: Sequence[DeliveryRow]
    rules: Rules

    @property
    def publisher(self) -> str | None:
        origin = self.known.shared.origin
        tenant = self.rules.tenant_of(origin) if origin else None
        return tenant.id if tenant else None

    def today(self, row: DeliveryRow) -> Word:
        return today(row, self.known.shared, self.rules, self.known.recall)


# ---- for people


def print_explained(explained: Explained) -> None:
    console = paper()
    for line in _heading(explained):
        print_indented(Text(), Text(line))
    console.print(_answers(explained.answers))
    if explained.before:
        console.print("What was decided before:")
        _print_before(explained)
    if explained.known.share is not None:
        revision = explained.rules.revision
        console.print(f"A yes is kept with the rules that made it. A no is not: each no above is today's, by revision {revision}.")


def _heading(explained: Explained) -> list[str]:
    known = explained.known
    shared = known.shared
    tags = ", ".join(f"{name}={value}" for name, value in sorted(shared.tags.items()) if name not in NAMES) or "none"
    lines = [
        f"{_name(shared.asset)} in registry {shared.registry}, {_origin(explained)}",
        f"Known from: {known.source}",
        f"Tags: {tags} ({known.tags_from})",
    ]
    recall = [f"It was recalled, and nobody gets it any more: {known.recall}"] if known.recall else []
    return [*lines, *recall, *known.notes, f"By the rules in force, revision {explained.rules.revision}:"]


def _origin(explained: Explained) -> str:
    shared = explained.known.shared
    if shared.origin is None:
        return "made there"
    named = f", {shared.source.name} there" if shared.source and shared.source.name != shared.asset.name else ""
    return f"from workspace {shared.origin.name} of {explained.publisher or 'no tenant'}{named}"


def _name(asset: Asset) -> str:
    return str(asset) if asset.version else f"{asset.kind} {asset.name}, any version"


def _answers(answers: Sequence[Explanation]) -> Table:
    table = _table("Tenant", "Answer", "Where", "Why")
    for each in answers:
        for decision in each.decisions:
            where = f"{decision.workspace.name} {route_text(decision)}"
            table.add_row(each.tenant, _answer(each.answer_to(decision)), where, each.why(decision))
        if not each.decisions:
            table.add_row(each.tenant, _answer(each.answer), "", each.reason)
    return table


def _print_before(explained: Explained) -> None:
    table = bare_table("Tenant", "State", "Where", "Planned", cut=("Where",))
    for row in explained.before:
        table.add_row(row.tenant, state_text(row), one_line(place_text(row)), f"{row.created_at:%Y-%m-%d}")
    print_with_below(table, ((Text(_decided_by(row)), _today(explained.today(row))) for row in explained.before))


def _today(word: Word) -> Text:
    answer = Answer.YES if word.yes else Answer.NO
    return Text.assemble("today ", (answer.value, _STYLES[answer]), f": {word.text}")


def _decided_by(row: DeliveryRow) -> str:
    publication = f"publication {row.publication}" if row.publication else "no publication"
    subscription = f"subscription {row.subscription}" if row.subscription else "its own pull"
    return f"revision {row.rules_revision}: {publication}, {subscription}"


def _answer(answer: Answer) -> Text:
    return Text(answer.value, _STYLES[answer])


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("Tenant", "State", "Planned"))
    return table


# ---- for programs


def document_of(explained: Explained) -> dict[str, Any]:
    known = explained.known
    shared = known.shared
    return {
        "asset": {**shared.asset.document, "version": shared.asset.version or None},
        "name_at_origin": shared.named_at_origin.name,
        "registry": shared.registry,
        "workspace": str(shared.origin) if shared.origin else None,
        "publisher": explained.publisher,
        "tags": dict(shared.tags),
        "known_from": {"asset": known.source, "tags": known.tags_from},
        "share": str(known.share.address) if known.share else None,
        "recall": known.recall,
        "notes": list(known.notes),
        "tenants": [_answer_document(each) for each in explained.answers],
        "decided_before": [_before_document(row, explained.today(row)) for row in explained.before],
    }


def _answer_document(explanation: Explanation) -> dict[str, Any]:
    return {
        "tenant": explanation.tenant,
        "answer": explanation.answer.value,
        "reason": explanation.reason,
        "publisher": _word(explanation.publisher),
        "subscriber": _word(explanation.subscriber),
        "decisions": [_decision(decision, explanation) for decision in explanation.decisions],
    }


def _word(word: Word) -> dict[str, Any]:
    return {"yes": word.yes, "text": str(word), "rules": list(word.rules)}


def _decision(decision: Decision, explanation: Explanation) -> dict[str, Any]:
    return {
        "answer": explanation.answer_to(decision).value,
        "subscription": decision.subscription,
        "publication": decision.publication,
        "workspace": str(decision.workspace),
        "route": decision.action.route,
        "reason": explanation.why(decision),
    }


def _before_document(row: DeliveryRow, now: Word) -> dict[str, Any]:
    return {
        "id": str(row.address),
        "tenant": row.tenant,
        "workspace": str(row.workspace),
        "route": row.action.route,
        "state": row.state.value,
        "created_at": time_text(row.created_at),
        "publication": row.publication or None,
        "subscription": row.subscription or None,
        "rules_revision": row.rules_revision,
        "today": {"yes": now.yes, "text": now.text},
    }
