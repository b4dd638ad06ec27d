"""Whether an asset is one that a rule is about.

Names are matched by globs, `*` and `?`, with regard to case. Tags are known only once
the asset has been read from its workspace, so the match by name alone is a question of its own.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from shared.assets import Kind
from shared.rules import AssetPattern, TagCondition


def any_matches_name(patterns: Iterable[AssetPattern], kind: Kind, name: str) -> bool:
    return any(matches_name(pattern, kind, name) for pattern in patterns)


def any_matches(patterns: Iterable[AssetPattern], kind: Kind, name: str, tags: Mapping[str, str]) -> bool:
    return any(matches(pattern, kind, name, tags) for pattern in patterns)


def matches(pattern: AssetPattern, kind: Kind, name: str, tags: Mapping[str, str]) -> bool:
    return matches_name(pattern, kind, name) and all(_holds(condition, tags) for condition in pattern.tags)


def matches_name(pattern: AssetPattern, kind: Kind, name: str) -> bool:
    """Whether kind and name fit, whatever the tags are."""
    excepted = pattern.except_ is not None and matches_glob(pattern.except_, name)
    return pattern.kind is kind and matches_glob(pattern.name, name) and not excepted


def matches_glob(glob: str, name: str) -> bool:
    return fnmatchcase(name, glob.replace("[", "[[]"))  # fnmatch would read "[" as the start of a set


def _holds(condition: TagCondition, tags: Mapping[str, str]) -> bool:
    if condition.one_of is None:
        return condition.tag in tags
    return tags.get(condition.tag) in condition.one_of
