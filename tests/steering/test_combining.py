"""The vector that an expression means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from localsteer.errors import DialError
from localsteer.steering.combining import combine
from localsteer.steering.dials import Dial, buffers
from localsteer.steering.expression_parser import parse_expression
from localsteer.steering.vector import SteeringVector
from tests.steering.vectors import N_EMBD, N_LAYER, make

MOOD = make("mood", 0)
REGISTER = replace(
    make("register", 1), positive_pole="formal", negative_pole="casual", default_layers=(4, 5), recipe_digest="4567"
)
SEA = replace(make("sea", 2, layers=[3, 4]), positive_pole="sea", negative_pole="no sea", default_layers=(3,))
VECTORS = {"mood": MOOD, "register": REGISTER, "sea": SEA}


def combined(text: str) -> SteeringVector:
    expression = parse_expression(text)
    return combine(expression, {name: VECTORS[name] for name in expression.names})


def added(*dials: Dial) -> object:
    reply = buffers(dials, N_LAYER, N_EMBD).reply
    assert reply is not None
    return pytest.approx(reply, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("strength", [1.0, -0.7])
def test_a_sum_adds_what_its_parts_dials_would_add_at_once(strength: float) -> None:
    mixture = combined("1.2*mood - 0.5*(register + sea)")
    assert mixture.default_layers == (3, 4, 5)
    assert buffers([Dial(mixture, strength)], N_LAYER, N_EMBD).reply == added(
        Dial(MOOD, 1.2 * strength), Dial(REGISTER, -0.5 * strength), Dial(SEA, -0.5 * strength)
    )


def test_with_layers_every_part_counts_at_those() -> None:
    mixture = combined("mood + register @layers 5-6")
    assert buffers([Dial(mixture, 1.0)], N_LAYER, N_EMBD).reply == added(
        Dial(MOOD, 1.0, (5, 6)), Dial(REGISTER, 1.0, (5, 6))
    )
    same = combined("mood + register @layers 4-5")
    assert buffers([Dial(same, 1.0)], N_LAYER, N_EMBD).reply == added(
        Dial(MOOD, 1.0, (4, 5)), Dial(REGISTER, 1.0, (4, 5))
    )


def test_what_is_projected_out_is_gone_at_every_layer_that_is_steered() -> None:
    left = combined("(mood + sea) without register")
    for layer in left.default_layers:
        assert abs(float(left.directions[layer] @ REGISTER.directions[layer])) < 1e-4
    assert np.linalg.norm(left.directions[4]) > 0


def test_a_multiple_of_one_vector_keeps_what_was_measured_and_a_mixture_has_nothing() -> None:
    assert (combined("2*mood").strength_low, combined("2*mood").strength_high) == (-0.625, 0.75)
    assert combined("-mood").strength_high == 1.25
    for text in ("mood + register", "mood without register", "2*mood @layers 6"):
        mixture = combined(text)
        assert (mixture.strength_low, mixture.strength_high, mixture.calibration) == (None, None, None)
        assert mixture.recipe_digest == ""


@pytest.mark.parametrize(
    ("text", "negative", "positive"),
    [
        ("2*mood", "sad", "happy"),
        ("-mood", "happy", "sad"),
        ("1.2*mood - 0.5*register", "sad, formal", "happy, casual"),
        ("-(mood - register)", "happy, casual", "sad, formal"),
        ("mood without register", "sad", "happy"),
        ("mood + mood", "sad", "happy"),
    ],
)
def test_the_poles_are_those_of_the_parts_in_the_direction_they_go(text: str, negative: str, positive: str) -> None:
    mixture = combined(text)
    assert (mixture.name, mixture.negative_pole, mixture.positive_pole) == (
        str(parse_expression(text)),
        negative,
        positive,
    )


def test_where_a_part_names_no_poles_the_mixture_has_none() -> None:
    nameless = replace(SEA, positive_pole="", negative_pole="")
    mixture = combine(parse_expression("mood + sea"), {"mood": MOOD, "sea": nameless})
    assert (mixture.negative_pole, mixture.positive_pole) == ("", "")


@pytest.mark.parametrize("text", ["mood - mood", "0*mood", "mood without 3*mood", "2*mood - mood - mood"])
def test_what_comes_to_nothing_is_refused(text: str) -> None:
    with pytest.raises(DialError, match="comes to nothing"):
        combined(text)


def test_a_layer_that_no_part_has_is_refused() -> None:
    with pytest.raises(DialError, match=r"layer 9; there are layers 1 to 7"):
        combined("mood + sea @layers 9")


def test_the_model_is_that_of_the_part_that_names_one() -> None:
    foreign = replace(SEA, model=replace(SEA.model, name="", model_id=""))
    mixture = combine(parse_expression("sea + mood"), {"sea": foreign, "mood": MOOD})
    assert mixture.model == MOOD.model
