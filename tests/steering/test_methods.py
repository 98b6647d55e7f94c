"""A method finds a direction that was planted in noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsteer.errors import RecipeError
from localsteer.steering.methods import METHODS, find_method
from tests.steering.vectors import cosine

Planted = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]


def planted(seed: int, n_pairs: int = 100, n_embd: int = 64, noise: float = 0.3) -> Planted:
    """A direction, and positive and negative hidden states that differ by it and by noise around a shared content."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=n_embd).astype(np.float32)
    content = 3 * rng.normal(size=(n_pairs, n_embd)) + 10
    sides = [content + sign * direction / 2 + noise * rng.normal(size=content.shape) for sign in (1, -1)]
    return direction, sides[0].astype(np.float32), sides[1].astype(np.float32)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_finds_the_planted_direction(name: str) -> None:
    for seed in range(5):
        direction, positive, negative = planted(seed)
        assert cosine(find_method(name)(positive, negative), direction) > 0.99


@pytest.mark.parametrize("name", METHODS)
def test_strength_one_is_the_mean_difference_between_the_poles(name: str) -> None:
    direction, positive, negative = planted(seed=9, noise=0.05)
    found = find_method(name)(positive, negative)
    assert found.dtype == np.float32
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(direction), rel=0.02)


@pytest.mark.parametrize("name", METHODS)
@given(seed=st.integers(0, 1000))
def test_exchanging_the_poles_turns_the_direction_round(name: str, seed: int) -> None:
    _, positive, negative = planted(seed, n_pairs=12, n_embd=8)
    method = find_method(name)
    np.testing.assert_allclose(method(negative, positive), -method(positive, negative), atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
@given(seed=st.integers(0, 1000), shift=st.floats(-100, 100))
def test_what_both_poles_share_does_not_count(name: str, seed: int, shift: float) -> None:
    _, positive, negative = planted(seed, n_pairs=12, n_embd=8)
    method = find_method(name)
    moved = np.float32(shift)
    np.testing.assert_allclose(method(positive + moved, negative + moved), method(positive, negative), atol=1e-3)


@pytest.mark.parametrize("corruption", ["exchanged", "far away", "another direction"])
def test_a_fifth_of_wrong_pairs_does_not_spoil_the_robust_mean(corruption: str) -> None:
    for seed in range(5):
        direction, positive, negative = planted(seed, n_pairs=200)
        rng = np.random.default_rng(seed + 100)
        wild = rng.normal(size=(positive.shape[1],)).astype(np.float32)
        wrong = rng.permutation(len(positive))[: len(positive) // 5]
        if corruption == "exchanged":
            positive[wrong], negative[wrong] = negative[wrong], positive[wrong]
        elif corruption == "far away":
            positive[wrong] += 100 * rng.normal(size=(len(wrong), positive.shape[1])).astype(np.float32)
        else:
            positive[wrong] += 30 * wild
        assert cosine(find_method("robust-mean")(positive, negative), direction) > 0.99
        if corruption != "exchanged":
            assert cosine(find_method("mean-difference")(positive, negative), direction) < 0.9


def test_a_probe_turns_away_from_noise_that_has_a_direction() -> None:
    rng = np.random.default_rng(33)
    direction, positive, negative = planted(3, n_pairs=400)
    loud = rng.normal(size=direction.shape).astype(np.float32)
    loud -= direction * (loud @ direction) / (direction @ direction)
    positive += 1.5 * rng.normal(size=(len(positive), 1)).astype(np.float32) * loud
    found = {name: find_method(name)(positive, negative) for name in ("mean-difference", "probe")}
    leaning = {name: abs(cosine(vector, loud)) for name, vector in found.items()}
    assert leaning["probe"] < 0.5 * leaning["mean-difference"]


def test_pairs_without_any_difference_have_no_direction() -> None:
    same = np.ones((6, 8), dtype=np.float32)
    for name in METHODS:
        assert not find_method(name)(same, same).any()


def test_most_pairs_decide_on_the_sign_of_a_component() -> None:
    direction, positive, negative = planted(1, n_pairs=9)
    positive[:2], negative[:2] = negative[:2] - 6 * direction, positive[:2] + 6 * direction
    assert cosine(find_method("pca")(positive, negative), direction) > 0.99


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RecipeError, match='no method "magic"; methods are mean-difference'):
        find_method("magic")
