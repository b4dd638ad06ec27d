"""Patterns of names: `*` stands for any text, `?` for one character, `{a,b}` for either of the two, all with regard to case.

Two questions beside "does this name fit": which patterns without braces does one stand for, and can any name fit at all.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from math import prod

MOST_PLAIN = 100  # `{a,b}{c,d}…` doubles with each brace
MOST_STATES = 2_000  # looked at before the question is given up; globs as people write them take a few dozen
KEPT = 100_000  # globs whose meaning is kept: a few hundred bytes each

_BRACES = re.compile(r"\{([^{}]*)\}")
_ANOTHER = ""  # a character that stands in none of the globs

type Places = frozenset[tuple[str, int]]
"""How far a text has got in each of some globs without braces: the glob, and the position in it."""


@lru_cache(KEPT)
def plain_globs(glob: str) -> tuple[str, ...]:
    """Those without braces that it stands for. ValueError, which says why, where its braces mean nothing."""
    parts = _BRACES.split(glob)
    outside = "".join(parts[::2])
    if "{" in outside or "}" in outside:
        nested = glob.count("{") == glob.count("}") > 1
        raise ValueError(f"{glob!r} has " + ("braces within braces" if nested else "a brace without its other half"))
    choices = [part.split(",") if place % 2 else [part] for place, part in enumerate(parts)]
    number = prod(map(len, choices))
    if number > MOST_PLAIN:
        raise ValueError(f"{glob!r} stands for {number} patterns, and {MOST_PLAIN} are the most")
    return tuple(dict.fromkeys(map("".join, product(*choices))))


def has_wildcard(plain: str) -> bool:
    return "*" in plain or "?" in plain


def can_match(all_of: Sequence[Iterable[str]], none_of: Iterable[str] = ()) -> bool:
    """Whether some text fits a glob of each group, and none of the others. No only where that is certain.

    Walks through all texts at once: two that have got equally far in every glob are one.
    """
    first = (*map(_begun, all_of), _begun(none_of))
    seen, ahead = {first}, [first]
    while ahead and len(seen) < MOST_STATES:
        *wanted, unwanted = reached = ahead.pop()
        if all(map(_is_through, wanted)) and not _is_through(unwanted):
            return True
        for character in _next_characters(reached):
            following = tuple(_after(places, character) for places in reached)
            if all(following[:-1]) and following not in seen:
                seen.add(following)
                ahead.append(following)
    return bool(ahead)


def _begun(globs: Iterable[str]) -> Places:
    return _past_stars((plain, 0) for glob in globs for plain in plain_globs(glob))


def _after(places: Places, character: str) -> Places:
    further = []
    for glob, position in places:
        expected = glob[position : position + 1]
        if expected == "*":
            further.append((glob, position))
        elif expected and expected in ("?", character):
            further.append((glob, position + 1))
    return _past_stars(further)


def _past_stars(places: Iterable[tuple[str, int]]) -> Places:
    """These, and those behind stars that stand for nothing."""
    found = set()
    for glob, position in places:
        found.add((glob, position))
        while glob[position : position + 1] == "*":
            position += 1
            found.add((glob, position))
    return frozenset(found)


def _next_characters(reached: Iterable[Places]) -> set[str]:
    expected = {glob[position : position + 1] for places in reached for glob, position in places}
    return expected - {"*", "?"} | {_ANOTHER}


def _is_through(places: Places) -> bool:
    return any(position == len(glob) for glob, position in places)
