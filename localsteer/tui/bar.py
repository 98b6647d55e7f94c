"""The bar of a dial, from −full to +full, drawn to an eighth of a character.

Pure: a bar is a row of cells, each a character with the *names* of its two colours; the widget knows the colours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

Ink: TypeAlias = Literal["track", "mark", "zero", "negative", "positive", "careful", "broken"]

_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Cell:
    """One character of a bar: ``front`` paints the character, ``back`` what is behind it."""

    character: str
    front: Ink
    back: Ink


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a dial goes to one side, as distances from zero, each None where nobody measured it: to what is
    ``recommended``, to where the model is ``safe``, and to where it still holds with ``careful`` use.
    """

    recommended: float | None = None
    safe: float | None = None
    careful: float | None = None


UNKNOWN = Reach()


def bar(value: float, *, full: float, low: Reach = UNKNOWN, high: Reach = UNKNOWN, width: int) -> tuple[Cell, ...]:
    """The cells of a bar for ``value`` between −``full`` and +``full``.

    ``low`` and ``high``: its two sides. What is recommended is marked on the track; what is filled past the safe and
    the careful reach is painted so. ``width`` is rounded down to an odd number of at least 3, so that zero has a cell
    of its own.
    """
    half = max(1, (width - 1) // 2)
    left = _half(max(0.0, -value), full=full, reach=low, cells=half, ink="negative")
    right = _half(max(0.0, value), full=full, reach=high, cells=half, ink="positive")
    return (*(_mirrored(cell) for cell in reversed(left)), Cell("│", "zero", "track"), *right)


def value_at(column: int, *, full: float, width: int) -> float:
    """The value that a click on ``column`` of a bar of ``width`` means; outside it, the nearest end."""
    half = max(1, (width - 1) // 2)
    return max(-1.0, min(1.0, (column - half) / half)) * full


def _half(value: float, *, full: float, reach: Reach, cells: int, ink: Ink) -> list[Cell]:
    """The cells right of zero, from the middle outwards."""
    eighths = round(min(1.0, value / full) * cells * 8)
    if value > 0 and eighths == 0:
        eighths = 1
    marked, safe, careful = (
        _last_cell(end, full, cells) for end in (reach.recommended, reach.safe or reach.recommended, reach.careful)
    )
    drawn: list[Cell] = []
    for index in range(cells):
        filled = min(8, max(0, eighths - index * 8))
        colour: Ink = ink
        if careful is not None and index > careful:
            colour = "broken"
        elif safe is not None and index > safe:
            colour = "careful"
        if filled == 0:
            drawn.append(Cell("▕" if index == marked else " ", "mark", "track"))
        else:
            drawn.append(Cell(_EIGHTHS[filled], colour, "track"))
    return drawn


def _last_cell(end: float | None, full: float, cells: int) -> int | None:
    """The last cell within ``end``; None where it is unknown or past the bar."""
    if end is None or not 0 < end < full:
        return None
    return min(cells - 1, math.ceil(end / full * cells) - 1)


def _mirrored(cell: Cell) -> Cell:
    """The same cell left of zero. Unicode has no right-hand eighths: the left ones, with the colours swapped."""
    if cell.character == "▕":
        return Cell("▏", cell.front, cell.back)
    if cell.character in " █":
        return cell
    return Cell(_EIGHTHS[8 - _EIGHTHS.index(cell.character)], cell.back, cell.front)
