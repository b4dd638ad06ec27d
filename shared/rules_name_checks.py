"""What the names of a rule's assets must be: some, and for a publication such as its registry takes."""

import re
from collections.abc import Iterator, Sequence

from shared.assets import Kind
from shared.globs import can_match, plain_globs
from shared.marked_yaml import Path
from shared.rules_findings import Finding
from shared.tenants import AssetPattern, Publication, Tenant

_WILDCARDS = re.compile(r"[*?]")
_IN_REGISTRIES = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}")  # Microsoft.MachineLearningServices/registries, 2025-04-01


def check_patterns(file: str, path: Path, patterns: Sequence[AssetPattern]) -> Iterator[Finding]:
    """`path` is the rule's."""
    for place, pattern in enumerate(patterns):
        if pattern.except_ and not can_match([[pattern.name]], pattern.except_):
            what = f"it excepts every name that {pattern.name!r} stands for, so nothing is left"
            yield Finding(file, (*path, "assets", place, "except"), what, "except less, or remove the whole pattern")


def check_names(file: str, path: Path, publication: Publication, tenant: Tenant) -> Iterator[Finding]:
    kinds = {pattern.kind for pattern in publication.assets}
    if publication.environment and Kind.MODEL not in kinds:
        what = "an environment goes along with models, and this publication lets none out"
        yield Finding(file, (*path, "environment"), what, "remove it, or let a model out")
    if publication.rename:
        here: Path = (*path, "as")
        yield from _illegal(file, here, publication, tenant)
        if "{name}" not in publication.rename:
            yield from _colliding(file, here, publication)


def _illegal(file: str, path: Path, publication: Publication, tenant: Tenant) -> Iterator[Finding]:
    """With a letter for each wildcard: what the wildcards stand for is known only when an asset is shared."""
    examples = (_WILDCARDS.sub("x", name) for pattern in publication.assets for name in plain_globs(pattern.name))
    names = (publication.name_in_registry(tenant.id, example) for example in examples)
    illegal = next((name for name in names if not _IN_REGISTRIES.fullmatch(name)), None)
    if illegal:
        remedy = "registries take letters, digits, '_' and '-', at most 255, beginning with a letter or digit"
        yield Finding(file, path, f"it makes names such as {illegal!r}, which a registry refuses", remedy)


def _colliding(file: str, path: Path, publication: Publication) -> Iterator[Finding]:
    for kind in sorted({pattern.kind for pattern in publication.assets}):
        names = {name for pattern in publication.assets if pattern.kind is kind for name in plain_globs(pattern.name)}
        if len(names) > 1 or any(_WILDCARDS.search(name) for name in names):
            what = f"several assets of kind {kind} would get one and the same name"
            yield Finding(file, path, what, "put {name} into it, or let one name out, without wildcards")
