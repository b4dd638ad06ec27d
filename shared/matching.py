"""Whether an asset is one that a rule is about.

Names are matched by globs (see `shared.globs`), with regard to case. Tags are known only once
the asset has been read from its workspace, so the match by name alone is a question of its own.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate
from functools import lru_cache

from shared.assets import Kind
from shared.globs import KEPT, plain_globs
from shared.tenants import AssetPattern, TagCondition


def any_matches_name(patterns: Iterable[AssetPattern], kind: Kind, name: str) -> bool:
    return any(matches_name(pattern, kind, name) for pattern in patterns)


def any_matches(patterns: Iterable[AssetPattern], kind: Kind, name: str, tags: Mapping[str, str]) -> bool:
    return any(matches(pattern, kind, name, tags) for pattern in patterns)


def matches(pattern: AssetPattern, kind: Kind, name: str, tags: Mapping[str, str]) -> bool:
    return matches_name(pattern, kind, name) and all(_holds(condition, tags) for condition in pattern.tags)


def matches_name(pattern: AssetPattern, kind: Kind, name: str) -> bool:
    """Whether kind and name fit, whatever the tags are."""
    return (
        pattern.kind is kind
        and matches_glob(pattern.name, name)
        and not any(matches_glob(excepted, name) for excepted in pattern.except_)
    )


def matches_glob(glob: str, name: str) -> bool:
    return _compiled(glob).match(name) is not None


@lru_cache(KEPT)
def _compiled(glob: str) -> re.Pattern[str]:
    plain = (part.replace("[", "[[]") for part in plain_globs(glob))  # fnmatch would read "[" as the start of a set
    return re.compile("|".join(map(translate, plain)))


def _holds(condition: TagCondition, tags: Mapping[str, str]) -> bool:
    if condition.one_of is None:
        return condition.tag in tags
    return tags.get(condition.tag) in condition.one_of
