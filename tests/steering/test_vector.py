"""Vectors: what is refused, and arithmetic that reads like mathematics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsteer.errors import VectorError
from localsteer.steering.vector import LayerStatistics, SteeringVector
from tests.steering.vectors import N_EMBD, STAMP, directions, make

factors = st.floats(-100, 100).filter(lambda factor: factor == 0 or abs(factor) > 1e-3)


def assert_same_directions(one: SteeringVector, other: SteeringVector) -> None:
    assert list(one.directions) == list(other.directions)
    for layer, direction in one.directions.items():
        np.testing.assert_allclose(direction, other.directions[layer], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_directions_that_are_not_finite_are_refused(bad: float) -> None:
    spoilt = directions(0)
    spoilt[3][5] = bad
    with pytest.raises(VectorError, match=r"layer 3 .* NaN or infinity"):
        replace(make(), directions=spoilt)


@pytest.mark.parametrize("layer", [0, -1])
def test_a_direction_before_layer_one_is_refused(layer: int) -> None:
    with pytest.raises(VectorError, match=r"llama\.cpp cannot steer"):
        replace(make(), directions=directions(0, layers=[layer, 1]), default_layers=())


def test_a_vector_without_directions_is_refused() -> None:
    with pytest.raises(VectorError, match="holds no directions"):
        replace(make(), directions={}, default_layers=())


def test_a_direction_of_another_width_is_refused() -> None:
    with pytest.raises(VectorError, match=f"layer 2 .* 8 wide, not {N_EMBD}"):
        replace(make(), directions={**directions(0), 2: np.zeros(8, dtype=np.float32)})


def test_a_default_layer_without_a_direction_is_refused() -> None:
    with pytest.raises(VectorError, match="no direction for its default layer 9"):
        replace(make(), default_layers=(3, 9))


def test_a_recommended_strength_that_is_not_finite_is_refused() -> None:
    with pytest.raises(VectorError, match="not a finite number"):
        make().with_strengths(float("-inf"), 1.0)


def test_a_vector_does_not_change_with_the_arrays_it_was_made_from_nor_can_it_be_changed() -> None:
    source = directions(0)
    vector = replace(make(), directions=source)
    before = vector.directions[1].copy()
    source[1][:] = 7
    np.testing.assert_array_equal(vector.directions[1], before)
    with pytest.raises(ValueError, match="read-only"):
        vector.directions[1][0] = 1.0


def test_without_default_layers_all_are_default() -> None:
    assert replace(make(), default_layers=()).default_layers == tuple(range(1, 8))


def test_norms_are_those_of_the_directions_whatever_is_claimed() -> None:
    vector = replace(make(), layers={3: LayerStatistics(norm=99.0, residual_norm=4.0, auc=0.5)})
    assert vector.layers[3].norm == pytest.approx(np.linalg.norm(vector.directions[3]))
    assert vector.layers[3].residual_norm == 4.0
    assert vector.layers[4].auc is None


@given(st.integers(0, 99), st.integers(0, 99))
def test_addition_is_commutative_and_subtraction_undoes_it(one: int, other: int) -> None:
    a, b = make("a", one), make("b", other)
    assert_same_directions(a + b, b + a)
    assert_same_directions(a + b - b, a)


@given(st.integers(0, 99), factors, factors)
def test_multiplication_distributes_over_addition(seed: int, s: float, t: float) -> None:
    a, b = make("a", seed), make("b", seed + 1)
    assert_same_directions(s * (a + b), s * a + s * b)
    assert_same_directions((s * a) * t, a * (s * t))


def test_a_layer_that_one_vector_lacks_counts_as_zero() -> None:
    a, b = make("a", 0, layers=(1, 2)), make("b", 1, layers=(2, 3))
    both = a + 0.5 * b
    assert list(both.directions) == [1, 2, 3]
    np.testing.assert_array_equal(both.directions[1], a.directions[1])
    np.testing.assert_allclose(both.directions[2], a.directions[2] + 0.5 * b.directions[2], rtol=1e-6)
    np.testing.assert_allclose(both.directions[3], 0.5 * b.directions[3], rtol=1e-6)


def test_a_mixture_claims_nothing_that_was_measured_on_its_parts() -> None:
    both = make("a", 0) + make("b", 1)
    assert both.name == "a + b"
    assert (both.positive_pole, both.negative_pole, both.recipe_digest) == ("", "", "")
    assert (both.strength_low, both.strength_high) == (None, None)
    assert all(measured.auc is None for measured in both.layers.values())


@given(factors.filter(lambda factor: factor != 0))
def test_recommended_strengths_move_with_a_factor_so_that_they_add_the_same(factor: float) -> None:
    vector = make()
    scaled = vector * factor
    towards_happy = scaled.strength_high if factor > 0 else scaled.strength_low
    assert towards_happy is not None
    np.testing.assert_allclose(
        towards_happy * scaled.directions[3], np.float32(1.5) * vector.directions[3], rtol=1e-4, atol=1e-5
    )


def test_a_negated_vector_is_the_same_dial_turned_round() -> None:
    turned = -make()
    assert (turned.negative_pole, turned.positive_pole) == ("happy", "sad")
    assert (turned.strength_low, turned.strength_high) == (-1.5, 1.25)
    assert_same_directions(-turned, make())


def test_nothing_times_a_vector_has_no_recommended_strengths() -> None:
    nothing = 0 * make()
    assert not any(direction.any() for direction in nothing.directions.values())
    assert (nothing.strength_low, nothing.strength_high) == (None, None)


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), 1e38])
def test_a_factor_that_leads_out_of_the_numbers_is_refused(factor: float) -> None:
    with pytest.raises(VectorError):
        make() * factor * 100


def test_vectors_of_different_width_cannot_be_mixed() -> None:
    narrow = SteeringVector("narrow", "", "", directions(0, n_embd=8), replace(STAMP, n_embd=8))
    with pytest.raises(VectorError, match="different size"):
        make() + narrow


def test_what_is_left_of_a_vector_without_another_is_at_right_angles_to_it() -> None:
    one, other = make(seed=1), make("register", seed=2, layers=[2, 3])
    left = one.without(other)
    for layer in (2, 3):
        assert abs(float(left.directions[layer] @ other.directions[layer])) < 1e-4
        assert np.linalg.norm(left.directions[layer]) <= np.linalg.norm(one.directions[layer])
    np.testing.assert_array_equal(left.directions[5], one.directions[5])
    assert left.strength_high is None
    assert all(measured.auc is None for measured in left.layers.values())
    # Once out, there is nothing more to take away; and what is taken away is a multiple of the other.
    assert_same_directions(left.without(other), left)
    taken = one.directions[2] - left.directions[2]
    cosine = taken @ other.directions[2] / np.linalg.norm(taken) / np.linalg.norm(other.directions[2])
    assert abs(cosine) == pytest.approx(1.0, abs=1e-5)


def test_a_normalised_vector_is_the_same_fraction_of_the_residual_norm_at_every_layer() -> None:
    vector = make().normalised(0.5)
    for layer, direction in vector.directions.items():
        assert np.linalg.norm(direction) == pytest.approx(0.5 * (10.5 + layer), rel=1e-5)
        assert direction @ make().directions[layer] > 0
    bare = replace(make(), layers={})
    with pytest.raises(VectorError, match="how long hidden states are"):
        bare.normalised(0.5)
