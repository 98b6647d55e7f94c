"""What the pictures of this room's tests show."""

from __future__ import annotations

import math

from localsteer.plots.curve import Curve, SweepPoint
from localsteer.plots.portrait import (
    LayerFigures,
    Likeness,
    Portrait,
    ScatterFigures,
    TokenFigure,
    TokenFigures,
)

STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)


def point(strength: float, layers: tuple[int, ...] = (3,)) -> SweepPoint:
    """A setting of a well-behaved dial."""
    return SweepPoint(
        layers, strength, strength, strength - 0.2, strength + 0.2, 1 + 9 * strength**4, 0.1 * strength**2
    )


CURVE = Curve(tuple(point(strength) for strength in STRENGTHS), (-0.3, 0.2), (-1.5, 1.5))

WHOLE = Portrait(
    name="mood",
    negative_pole="sad",
    positive_pole="happy",
    model="Tiny Llama",
    method="mean-difference",
    default_layers=(2, 3),
    main_layer=3,
    layers=tuple(LayerFigures(layer, 2.0 * layer, 0.1 * layer, 0.5 + 0.1 * layer) for layer in range(1, 6)),
    strength_low=-1.0,
    strength_high=1.25,
    cosines=tuple(tuple(math.exp(-abs(one - other)) for one in range(5)) for other in range(5)),
    others=(Likeness("warmth", 0.7), Likeness("candour", -0.2)),
    scatter=ScatterFigures(3, ((2.0, 1.0), (2.5, -1.0)), ((-2.0, 0.5), (-1.5, -0.5))),
    curve=CURVE,
    tokens=TokenFigures(
        3,
        (TokenFigure("␣happy", 9.0), TokenFigure("$\\frac{", 7.0)),
        (TokenFigure("␣sad", -8.0), TokenFigure("日本", -7.0)),
    ),
)
"""Everything known."""

BARE = Portrait("bare", "", "", "", "", (2,), 2, (LayerFigures(2, 1.0),), cosines=((1.0,),))
"""A file of another tool with one direction, and nothing else known."""

BROKEN = Portrait(
    name="bad\x1b[2J$\n" * 30,
    negative_pole="\x00",
    positive_pole="$x^",
    model="",
    method="",
    default_layers=(1,),
    main_layer=1,
    layers=(LayerFigures(1, math.nan, math.inf, math.nan), LayerFigures(2, math.inf, math.nan, None)),
    strength_low=math.nan,
    strength_high=math.inf,
    cosines=((math.nan, 1.0), (1.0, math.nan)),
    others=(Likeness("", math.nan),),
    scatter=ScatterFigures(1, ((math.nan, 1.0),), ((math.inf, 0.0),)),
    curve=Curve(
        (SweepPoint((1,), 1.0, math.inf, -math.inf, math.nan, math.inf, math.nan), SweepPoint((), math.nan)),
        (math.nan, math.inf),
        (None, 1.0),
    ),
    tokens=TokenFigures(1, (TokenFigure("", math.nan),), ()),
)
"""Numbers that are none, and names that nobody should be called."""
