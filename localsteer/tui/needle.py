"""The needle on a dial's bar: how far the text itself leans, on a scale of its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence

NEEDLE = "┃"
FULL = 1.5
"""The reading at the end of the bar; ±1 is like a pole."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HALF = 4

Drawn = tuple[str, str, str]
"""A character of the bar, the colour that paints it and the one behind it."""


def with_needle(cells: Sequence[Drawn], reading: float | None, ink: str) -> list[Drawn]:
    """``cells`` with the needle at ``reading`` over one of them; None for no needle. The bar shows on either side."""
    drawn = list(cells)
    if reading is None:
        return drawn
    half = (len(drawn) - 1) / 2
    at = round(half + max(-1.0, min(1.0, reading / FULL)) * half)
    character, front, back = drawn[at]
    mostly_front = character in _EIGHTHS and _EIGHTHS.index(character) >= _HALF
    drawn[at] = (NEEDLE, ink, front if mostly_front else back)
    return drawn
