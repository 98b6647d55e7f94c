"""Pictures in characters: as wide and high as asked for, whatever goes in, and telling the same as the numbers."""

from __future__ import annotations

import math
import re

import pytest

from localsteer.plots.curve import Curve, SweepPoint, spoken_window
from localsteer.plots.portrait import Portrait
from localsteer.plots.terminal import (
    NEGATIVE_MARK,
    POSITIVE_MARK,
    Draw,
    draw_cost,
    draw_effect,
    draw_norms,
    draw_scatter,
    draw_separation,
    picture,
)
from localsteer.plots.ticks import log_ticks, round_ticks, spoken_tick
from tests.plots.portraits import BARE, BROKEN, CURVE, STRENGTHS, WHOLE, point


def drawn(draw: Draw, width: int = 60, height: int = 12) -> list[str]:
    """Its lines without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", picture(draw, width, height)).split("\n")


def pictures(card: Portrait, curve: Curve) -> list[Draw]:
    return [
        lambda plt, inks: draw_separation(plt, inks, card),
        lambda plt, inks: draw_norms(plt, inks, card),
        lambda plt, inks: draw_scatter(plt, inks, card),
        lambda plt, inks: draw_effect(plt, inks, curve),
        lambda plt, inks: draw_cost(plt, inks, curve, "perplexity_ratio"),
        lambda plt, inks: draw_cost(plt, inks, curve, "kl"),
    ]


LAYERS = Curve(tuple(point(1.0, (layer,)) for layer in range(1, 30)))
WINDOWS = Curve(tuple(point(strength, (layer, layer + 1)) for layer in (1, 3) for strength in STRENGTHS))


@pytest.mark.parametrize("curve", [CURVE, LAYERS, WINDOWS, BROKEN.curve, Curve(())])
@pytest.mark.parametrize("card", [WHOLE, BARE, BROKEN])
@pytest.mark.parametrize("width", [24, 99])
def test_every_picture_is_as_large_as_asked_for(card: Portrait, curve: Curve, width: int) -> None:
    for draw in pictures(card, curve):
        lines = drawn(draw, width, 9)
        assert len(lines) == 9
        assert {len(line) for line in lines} == {width}
        assert not any(ord(letter) < 32 for line in lines for letter in line)


def test_the_poles_lie_where_their_points_are() -> None:
    lines = drawn(lambda plt, inks: draw_scatter(plt, inks, WHOLE))
    negative = [line.index(NEGATIVE_MARK) for line in lines if NEGATIVE_MARK in line]
    positive = [line.index(POSITIVE_MARK) for line in lines if POSITIVE_MARK in line]
    assert len(negative) == len(positive) == 2
    assert max(negative) < 30 < min(positive)


def test_the_layers_that_are_steered_are_marked() -> None:
    lines = drawn(lambda plt, inks: draw_norms(plt, inks, WHOLE))
    assert sum(line.count("●") for line in lines) == len(WHOLE.default_layers)


def test_an_effect_that_grows_goes_up_and_large_costs_are_logarithmic() -> None:
    lines = drawn(lambda plt, inks: draw_effect(plt, inks, Curve(CURVE.points)), 60, 14)
    braille = [max((at for at, letter in enumerate(line) if "⠁" <= letter <= "⣿"), default=-1) for line in lines[:-2]]
    seen = [at for at in braille if at >= 0]
    assert seen == sorted(seen, reverse=True)
    cost = "\n".join(drawn(lambda plt, inks: draw_cost(plt, inks, CURVE, "perplexity_ratio")))
    assert "100┤" in cost
    assert "10┤" in cost


def test_ticks_are_round_numbers_within_the_range() -> None:
    assert round_ticks(-3, 3, 7) == (-3, -2, -1, 0, 1, 2, 3)
    assert round_ticks(0.5, 1.0, 6) == pytest.approx((0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
    assert round_ticks(1, 1, 6) == round_ticks(math.nan, 1, 6) == ()
    assert log_ticks(1, 145, 6) == (1, 10, 100) or log_ticks(1, 145, 7) == (1, 2, 5, 10, 20, 50, 100)
    assert len(log_ticks(1e-9, 1e300, 6)) <= 6
    assert log_ticks(0, 1, 6) == ()
    assert [spoken_tick(tick) for tick in (-1.5, 1e-17, 20)] == ["−1.5", "0", "20"]


def test_a_sweep_is_read_from_its_document_and_gaps_stay_gaps() -> None:
    document = {
        "rows": [
            {"layers": [3], "strength": 1.0, "effect": 0.5, "kl": None, "perplexity_ratio": "much"},
            {"layers": [3], "strength": -1},
            "no row",
        ],
        "random_effect_low": -0.1,
        "random_effect_high": None,
        "safe_low": True,
    }
    curve = Curve.read(document)
    assert (curve.random, curve.safe) == ((-0.1, None), (None, None))
    assert [one.strength for one in curve.windows[(3,)]] == [-1.0, 1.0]
    assert curve.points[0].effect == 0.5
    assert math.isnan(curve.points[0].kl)
    assert math.isnan(curve.points[0].perplexity_ratio)
    assert not curve.by_layer
    assert LAYERS.by_layer
    assert not WINDOWS.by_layer
    assert Curve.read({}).windows == {}
    assert SweepPoint.read({}).layers == ()


def test_windows_are_spoken_as_people_do() -> None:
    assert [spoken_window(layers) for layers in ((3,), (7, 8, 9), (3, 5), ())] == [
        "layer 3",
        "layers 7–9",
        "layers 3, 5",
        "no layer",
    ]
