"""A sample of many is as large as it may be, of what it was given, and fair."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from handlers.sampling import Sample

given_in_parts = st.lists(st.lists(st.integers(), max_size=9), max_size=9)


@given(parts=given_in_parts, most=st.integers(0, 20))
def test_it_keeps_as_many_as_it_may_of_what_it_was_given(parts: list[list[int]], most: int) -> None:
    sample, everything = Sample[int](most), Counter[int]()
    for part in parts:
        sample.add(part)
        everything.update(part)

    taken = sample.take()

    assert len(taken) == min(most, everything.total())
    assert not Counter(taken) - everything
    assert sample.take() == []


def test_what_comes_late_is_as_likely_as_what_comes_early() -> None:
    chosen = Counter[int]()
    for _ in range(10_000):
        sample = Sample[int](2)
        for number in range(10):
            sample.add([number])
        chosen.update(sample.take())

    assert all(1_700 < chosen[number] < 2_300 for number in range(10))  # 2,000 each; seven standard deviations
