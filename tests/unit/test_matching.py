"""Which assets a rule is about: globs over names, exceptions, tags."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.assets import Kind
from shared.matching import matches, matches_glob, matches_name
from shared.tenants import AssetPattern, TagCondition


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        ("credit-card-default", "credit-card-default"),
        ("credit-card-*", "credit-card-"),
        ("credit-*-default", "credit-card-default"),
        ("*", "bert-case-uncased_fine-tuned"),
        ("card-?", "card-1"),
        ("a.b", "a.b"),
        ("card[1]", "card[1]"),
    ],
)
def test_given_a_glob_when_the_name_fits_then_it_matches(glob: str, name: str) -> None:
    assert matches_glob(glob, name)


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        ("credit-card-*", "Credit-Card-default"),
        ("card-?", "card-"),
        ("card-?", "card-12"),
        ("card", "card-1"),
        ("a.b", "a-b"),
        ("card[1]", "card1"),
        ("card-[!a]", "card-b"),
    ],
)
def test_given_a_glob_when_the_name_differs_by_case_or_length_or_sign_then_it_does_not_match(glob: str, name: str) -> None:
    assert not matches_glob(glob, name)


def test_given_an_exception_when_the_name_fits_it_then_the_pattern_does_not_match() -> None:
    pattern = AssetPattern(Kind.MODEL, "credit-*", except_=("*-draft",))

    assert matches_name(pattern, Kind.MODEL, "credit-card")
    assert not matches_name(pattern, Kind.MODEL, "credit-card-draft")


def test_given_another_kind_when_the_name_fits_then_the_pattern_does_not_match() -> None:
    assert not matches_name(AssetPattern(Kind.MODEL, "*"), Kind.DATA, "credit-card")


@pytest.mark.parametrize(
    ("condition", "tags", "holds"),
    [
        (TagCondition("stage", ("production",)), {"stage": "production"}, True),
        (TagCondition("stage", ("production",)), {"stage": "Production"}, False),
        (TagCondition("stage", ("production",)), {}, False),
        (TagCondition("area", ("eu", "uk")), {"area": "uk", "stage": "test"}, True),
        (TagCondition("area", ("eu", "uk")), {"area": "us"}, False),
        (TagCondition("reviewed"), {"reviewed": ""}, True),
        (TagCondition("reviewed"), {"stage": "production"}, False),
    ],
)
def test_given_a_condition_on_a_tag_when_matched_then_equal_one_of_and_present_decide(
    condition: TagCondition, tags: Mapping[str, str], holds: bool
) -> None:
    assert matches(AssetPattern(Kind.MODEL, "*", tags=(condition,)), Kind.MODEL, "credit-card", tags) is holds


def test_given_two_conditions_when_one_does_not_hold_then_the_pattern_does_not_match() -> None:
    both = (TagCondition("stage", ("production",)), TagCondition("reviewed"))

    assert not matches(AssetPattern(Kind.MODEL, "*", tags=both), Kind.MODEL, "credit-card", {"stage": "production"})


@given(st.text(alphabet="ab-_.[]!", max_size=12))
def test_a_name_without_wildcards_is_a_glob_that_matches_itself(name: str) -> None:
    assert matches_glob(name, name)


@given(st.text(alphabet="ab-", max_size=8), st.text(alphabet="ab-", max_size=8), st.text(alphabet="ab-", max_size=8))
def test_a_star_stands_for_any_text(before: str, between: str, after: str) -> None:
    assert matches_glob(f"{before}*{after}", before + between + after)
