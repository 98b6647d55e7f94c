"""Of Textual's own caches: what they keep in memory."""

from __future__ import annotations

import gc
import tracemalloc
from fractions import Fraction

from textual.css.scalar import Scalar
from textual.geometry import Region, Size, Spacing

from localsteer.tui.remembering import claim_rectangles

ANSWERS = 8_000
"""Of each kind; more than Textual would remember of any."""
MOST = 3_000_000
"""Bytes. As Textual has it, it is more than nine million."""


def far_down(place: int) -> tuple[object, ...]:
    """What is worked out of the rectangles in a conversation that has become so long."""
    region, other = Region(2, 1_000 + place, 96, 7), Region(0, 1_003 + place, 100, 24)
    half = Scalar.parse("50%").resolve(Size(100, 1_000 + place), Size(100, 30), Fraction(1))
    moved = region.translate((0, -place)), region.grow((1, 2, 3, 4)), region.shrink(Spacing(1, 2, 3, 4))
    met = region.intersection(other), region.union(other), region.overlaps(other), region.contains_region(other)
    return half, moved, met, region.__contains__((5, place))


def test_rectangles_that_no_screen_has_any_more_are_forgotten() -> None:
    claim_rectangles()
    gc.collect()
    tracemalloc.start()
    try:
        for place in range(ANSWERS):
            far_down(place)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < MOST, f"{kept} bytes"
