"""How a text was cut, in short and in full."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from localsteer.llama.cuts import cuts_of, positions_of, split

batches = st.lists(
    st.integers(1, 12).flatmap(lambda length: st.tuples(st.integers(1, length), st.just(length), st.integers(1, 3))),
    min_size=1,
    max_size=8,
).map(tuple)


@given(batches)
def test_the_short_form_says_all(cuts: tuple[tuple[int, int, int], ...]) -> None:
    positions = positions_of(cuts)
    assert positions_of(cuts_of(positions)) == positions
    assert len(positions) == sum(kept * times for kept, _, times in cuts)


@given(batches)
def test_texts_one_after_the_other_are_told_apart(cuts: tuple[tuple[int, int, int], ...]) -> None:
    assert split((*cuts, *cuts, *cuts), len(positions_of(cuts))) == [cuts] * 3


def test_batches_that_are_alike_are_counted() -> None:
    assert cuts_of([(0, 3), (0, 3), (0, 3), (3, 1), (4, 1), (5, 2)]) == ((3, 3, 1), (1, 1, 2), (1, 2, 1))
