"""Globs: what braces stand for, and whether any name can fit, held to the plainest reading of both."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.globs import MOST_PLAIN, can_match, plain_globs
from shared.matching import matches_glob

TEXTS = ["".join(letters) for length in range(7) for letters in product("abx", repeat=length)]

_plain = st.text(alphabet="ab*?", max_size=3)
_choices = st.lists(_plain, min_size=1, max_size=3)
_parts = st.lists(_plain | _choices, max_size=3)


def _written(parts: list[str | list[str]]) -> str:
    return "".join(part if isinstance(part, str) else f"{{{','.join(part)}}}" for part in parts)


def _fits(parts: list[str | list[str]], text: str) -> bool:
    """By one regular expression, in which nothing is expanded."""
    choices = [[part] if isinstance(part, str) else part for part in parts]
    signs = {"*": ".*", "?": "."}
    pattern = "".join(f"(?:{'|'.join(''.join(signs.get(sign, sign) for sign in each) for each in part)})" for part in choices)
    return re.fullmatch(pattern, text, re.DOTALL) is not None


@pytest.mark.parametrize(
    ("glob", "plain"),
    [
        ("card-*", ("card-*",)),
        ("{credit,debit}-card", ("credit-card", "debit-card")),
        ("{a,b}-{1,2}", ("a-1", "a-2", "b-1", "b-2")),
        ("card{,-v?}", ("card", "card-v?")),
        ("{a,a}", ("a",)),
    ],
)
def test_given_braces_when_expanded_then_every_choice_is_a_glob_of_its_own(glob: str, plain: tuple[str, ...]) -> None:
    assert plain_globs(glob) == plain


@pytest.mark.parametrize(
    ("glob", "what"),
    [
        ("{a,b", "a brace without its other half"),
        ("a,b}", "a brace without its other half"),
        ("}a{", "a brace without its other half"),
        ("{a,{b,c}}", "braces within braces"),
        ("{a,b}" * 7, f"stands for 128 patterns, and {MOST_PLAIN} are the most"),
    ],
)
def test_given_braces_that_mean_nothing_when_expanded_then_it_is_said_why(glob: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        plain_globs(glob)


def test_given_many_stars_when_matched_or_compared_then_it_ends() -> None:
    many = "*a" * 40

    assert not matches_glob(many, "a" * 39 + "b" * 200)
    assert can_match([[many], ["*b" * 40 + "*"]])


@given(_parts, st.text(alphabet="abx\n", max_size=6))
def test_a_name_fits_a_glob_where_it_fits_it_read_sign_by_sign(parts: list[str | list[str]], text: str) -> None:
    assert matches_glob(_written(parts), text) == _fits(parts, text)


@settings(max_examples=200, deadline=None)
@given(st.lists(_choices, min_size=1, max_size=2), st.lists(_plain, max_size=2))
def test_globs_have_a_name_in_common_exactly_where_some_text_fits_them_all(all_of: list[list[str]], none_of: list[str]) -> None:
    found = any(
        all(any(matches_glob(glob, text) for glob in group) for group in all_of)
        and not any(matches_glob(glob, text) for glob in none_of)
        for text in TEXTS
    )

    assert can_match(all_of, none_of) == found


def test_given_too_much_to_look_at_when_asked_whether_a_name_can_fit_then_it_is_not_denied() -> None:
    itself = ["*a" + "?" * 40]

    assert can_match([itself], itself)
