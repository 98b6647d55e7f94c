"""From hidden states to a vector: planted directions come back, with statistics measured on held-out pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from localsteer.errors import RecipeError, VectorError
from localsteer.steering.contrast import ContrastPair, ContrastSet
from localsteer.steering.making import make_vector
from localsteer.steering.vector import SteeringVector
from tests.steering.vectors import N_EMBD, N_LAYER, STAMP, cosine, directions

LAYERS = tuple(range(1, N_LAYER))
N_PAIRS = 60
CONTRAST = ContrastSet(
    "mood", "Sad to happy.", "happy", "sad", tuple(ContrastPair(f"{n} yes", f"{n} no") for n in range(N_PAIRS))
)
States = npt.NDArray[np.float32]


def states(strength: dict[int, float], seed: int = 0) -> tuple[States, States]:
    """Both sides: they differ by noise and, at each layer in ``strength``, by that much of its direction."""
    rng = np.random.default_rng(seed)
    sides = rng.normal(size=(2, N_PAIRS, len(LAYERS), N_EMBD)).astype(np.float32)
    for layer, planted in directions(seed=3).items():
        sides[0, :, LAYERS.index(layer)] += strength.get(layer, 0.0) * planted
    return sides[0], sides[1]


def made(positive: States, negative: States, contrast: ContrastSet = CONTRAST) -> SteeringVector:
    return make_vector(contrast, positive, negative, layers=LAYERS, residual_norms=np.arange(1.0, N_LAYER), model=STAMP)


def test_each_layer_gets_its_own_planted_direction_back() -> None:
    vector = made(*states(dict.fromkeys(LAYERS, 5.0)))
    for layer, planted in directions(seed=3).items():
        assert cosine(vector.directions[layer], planted) > 0.99


def test_auc_tells_the_layers_that_separate_the_poles_from_those_that_do_not() -> None:
    vector = made(*states({5: 3.0}))
    assert vector.layers[5].auc == pytest.approx(1.0)
    for layer in (1, 2, 3):
        found = vector.layers[layer].auc
        assert found is not None
        # Held-out pairs: on its own pairs even noise would look separable.
        assert 0.2 < found < 0.8
    assert vector.default_layers == (5,)


def test_the_vector_remembers_where_it_comes_from() -> None:
    vector = made(*states({3: 1.0}))
    assert (vector.name, vector.negative_pole, vector.positive_pole) == ("mood", "sad", "happy")
    assert (vector.method, vector.recipe_digest, vector.model) == ("mean-difference", CONTRAST.digest, STAMP)
    assert [vector.layers[layer].residual_norm for layer in LAYERS] == [float(layer) for layer in LAYERS]
    assert vector.layers[3].norm == pytest.approx(np.linalg.norm(vector.directions[3]))
    assert vector.strength_low is None


def test_layers_given_by_hand_are_kept() -> None:
    positive, negative = states({3: 1.0})
    vector = make_vector(
        CONTRAST,
        positive,
        negative,
        layers=LAYERS,
        residual_norms=np.ones(len(LAYERS)),
        model=STAMP,
        default_layers=(2, 6),
    )
    assert vector.default_layers == (2, 6)


def test_a_single_pair_makes_a_vector_too() -> None:
    single = replace(CONTRAST, pairs=CONTRAST.pairs[:1])
    positive, negative = states({3: 1.0})
    vector = made(positive[:1], negative[:1], single)
    np.testing.assert_allclose(vector.directions[3], positive[0, 2] - negative[0, 2], rtol=1e-5)
    assert vector.layers[3].auc == 1.0


def test_poles_that_look_the_same_to_the_model_are_refused() -> None:
    positive, _ = states({})
    with pytest.raises(RecipeError, match="look the same"):
        made(positive, positive)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_hidden_states_that_are_not_finite_are_refused(bad: float) -> None:
    positive, negative = states({})
    negative[4, 2, 1] = bad
    with pytest.raises(VectorError, match="NaN or infinity"):
        made(positive, negative)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(RecipeError, match="no method"):
        make_vector(
            CONTRAST, *states({}), layers=LAYERS, residual_norms=np.ones(len(LAYERS)), model=STAMP, method="magic"
        )
