"""AUC as it is defined, and the choice of layers that follows from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsteer.steering.layers import auc, choose_layers, held_out

scores = st.lists(st.integers(-5, 5), min_size=1, max_size=20).map(lambda values: np.array(values, dtype=np.float32))


@given(scores, scores)
def test_auc_is_the_share_of_pairs_in_which_the_positive_score_is_higher_ties_counting_half(
    positive: np.ndarray, negative: np.ndarray
) -> None:
    wins = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positive for n in negative]
    assert auc(positive, negative) == pytest.approx(np.mean(wins))


@given(scores, scores)
def test_auc_of_exchanged_poles_is_the_rest_to_one(positive: np.ndarray, negative: np.ndarray) -> None:
    assert auc(positive, negative) + auc(negative, positive) == pytest.approx(1.0)


def test_auc_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError):
        auc(np.array([], dtype=np.float32), np.array([1.0], dtype=np.float32))


@pytest.mark.parametrize(("n_pairs", "expected"), [(0, 0), (4, 0), (5, 1), (120, 24)])
def test_every_fifth_pair_is_held_out(n_pairs: int, expected: int) -> None:
    assert held_out(n_pairs).sum() == expected
    assert held_out(n_pairs).shape == (n_pairs,)


@pytest.mark.parametrize(
    ("n_layer", "expected"), [(2, (1,)), (4, (1,)), (8, (3,)), (16, (7, 8)), (32, (14, 15, 16, 17)), (24, (10, 11, 12))]
)
def test_where_every_layer_tells_the_poles_apart_the_middle_is_chosen(n_layer: int, expected: tuple[int, ...]) -> None:
    assert choose_layers(dict.fromkeys(range(1, n_layer), 1.0), n_layer) == expected


def test_a_clearly_better_layer_wins_over_the_middle_and_a_slightly_better_one_does_not() -> None:
    flat = dict.fromkeys(range(1, 8), 0.8)
    assert choose_layers({**flat, 5: 0.95}, 8) == (5,)
    assert choose_layers({**flat, 5: 0.81}, 8) == (3,)


def test_layers_without_a_direction_are_never_chosen() -> None:
    assert choose_layers({5: 0.6, 2: 0.6}, 8) == (2,)
    assert choose_layers({7: 0.9}, 8) == (7,)
    assert choose_layers({7: 0.9, 15: 0.9}, 16) == (7,)


@given(n_layer=st.integers(2, 80), data=st.data())
def test_the_choice_is_one_window_of_neighbours_within_the_model(n_layer: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.floats(0, 1), min_size=n_layer - 1, max_size=n_layer - 1))
    chosen = choose_layers(dict(enumerate(values, start=1)), n_layer)
    assert chosen == tuple(range(chosen[0], chosen[0] + len(chosen)))
    assert chosen[0] >= 1
    assert chosen[-1] <= n_layer - 1
    assert len(chosen) == max(1, round(n_layer / 8))
