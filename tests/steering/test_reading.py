"""Readings along a planted direction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from localsteer.errors import VectorError
from localsteer.steering.fit import ModelStamp
from localsteer.steering.reading import make_gauge, reading_layer
from localsteer.steering.vector import SteeringVector

WIDTH = 64
RNG = np.random.default_rng(0)
DIRECTION = RNG.standard_normal(WIDTH).astype(np.float32)
PLACE = RNG.standard_normal(WIDTH).astype(np.float32) * 5
NEUTRAL = PLACE + 0.05 * RNG.standard_normal((201, WIDTH)).astype(np.float32)
VECTOR = SteeringVector("v", "up", "down", {2: DIRECTION}, ModelStamp(n_embd=WIDTH), method="mean-difference")


def test_the_poles_read_as_plus_and_minus_one_whatever_else_is_in_the_state() -> None:
    gauge = make_gauge(VECTOR, 2, NEUTRAL)
    noise = RNG.standard_normal((3, WIDTH)).astype(np.float32)
    noise -= np.outer(noise @ DIRECTION, DIRECTION) / (DIRECTION @ DIRECTION)
    states = PLACE + np.array([[0.5], [-0.5], [0.0]], dtype=np.float32) * DIRECTION + 3 * noise
    assert gauge.read(states) == pytest.approx([1, -1, 0], abs=0.02)
    assert gauge.scale == "poles"


def test_what_was_added_is_taken_away_first() -> None:
    gauge = make_gauge(VECTOR, 2, NEUTRAL)
    assert gauge.read(NEUTRAL + 2 * DIRECTION, 2 * DIRECTION) == pytest.approx(gauge.read(NEUTRAL), abs=1e-4)


def test_a_few_strange_tokens_do_not_move_the_zero() -> None:
    strange = np.concatenate([NEUTRAL, PLACE + 1000 * DIRECTION[None, :].repeat(20, 0)])
    assert make_gauge(VECTOR, 2, strange).zero == pytest.approx(make_gauge(VECTOR, 2, NEUTRAL).zero, abs=0.02)


def test_a_vector_whose_length_says_nothing_is_read_in_spreads_of_neutral_text() -> None:
    foreign = replace(VECTOR, method="", directions={2: DIRECTION * 1000})
    gauge = make_gauge(foreign, 2, NEUTRAL)
    assert gauge.scale == "spread"
    assert gauge.read(NEUTRAL).std() == pytest.approx(0.5, abs=0.08)


def test_a_layer_without_a_direction_is_refused() -> None:
    with pytest.raises(VectorError, match="no direction at layer 3"):
        make_gauge(VECTOR, 3, NEUTRAL)


@pytest.mark.parametrize(
    ("layers", "n_layer", "chosen"),
    [
        ((3,), 8, 3),
        ((7, 8, 9), 16, 7),
        (range(1, 32), 32, 8),  # another tool's vector, with a direction everywhere
        ((1, 2), 32, 2),
        ((7,), 8, 7),
        ((6, 7), 8, 6),
    ],
)
def test_a_dial_is_read_where_its_layers_begin(layers: tuple[int, ...], n_layer: int, chosen: int) -> None:
    assert reading_layer(layers, n_layer) == chosen
