"""`fanout publications`: what tenants let out, and to whom."""

from handlers.cli.rules_prints import pattern_text
from handlers.cli.tenants_rules import Sort, commands_about
from shared.rules_document import Document
from shared.rules_pauses import with_publication_state


def _cells(publication: Document) -> tuple[str, ...]:
    assets = "; ".join(map(pattern_text, publication["assets"]))
    return publication["registry"], publication.get("as", ""), ", ".join(publication["to"]), assets


publications = commands_about(
    Sort(
        singular="publication",
        plural="publications",
        columns=("Registry", "As", "To", "Assets"),
        cells=_cells,
        effect="nothing more leaves by it, and what is under way is held",
        with_state=with_publication_state,
    )
)
