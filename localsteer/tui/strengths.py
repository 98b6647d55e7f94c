"""Strengths in words: one number, and what a reply was written with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from localsteer.engine.protocol import DialMark
from localsteer.errors import DialError

ARROW = " → "
LARGEST = 1000.0
"""No strength of use comes near it, and the panel has room for nothing longer."""

_MOST_VALUES = 4
_COMMA_AND_MINUS = str.maketrans(",−", ".-")


@dataclass(frozen=True, slots=True)
class Course:
    """How one dial went through a reply: the strengths in their order, neighbours never equal."""

    name: str
    values: tuple[float, ...]

    @property
    def stations(self) -> tuple[float | None, ...]:
        """The values to show; a long course keeps its ends, None stands for what was between them."""
        if len(self.values) <= _MOST_VALUES:
            return self.values
        return (self.values[0], None, *self.values[-2:])

    @property
    def words(self) -> str:
        """Such as ``+1.2 → −0.5``."""
        return ARROW.join("…" if value is None else signed(value) for value in self.stations)


def signed(value: float, places: int | None = None) -> str:
    """``+1.2``, ``−0.5``, ``0``, with a real minus sign; two decimals without trailing zeros, or exactly ``places``.

    What only a file can have said, beyond :data:`LARGEST`, is ``+1e+30``: its digits would fill the screen.
    """
    text = f"{abs(value):.{2 if places is None else places}f}" if abs(value) < LARGEST else f"{abs(value):.3g}"
    if places is None and "." in text and "e" not in text:
        text = text.rstrip("0").rstrip(".")
    if float(text) == 0:
        return text
    return ("−" if value < 0 else "+") + text


def typed_strength(text: str) -> float:
    """What a person typed as a strength; a comma does for the point. Raises DialError."""
    try:
        strength = float(text.strip().translate(_COMMA_AND_MINUS))
    except ValueError:
        strength = math.nan
    if not abs(strength) < LARGEST:
        shown = text.strip() if len(text.strip()) <= 12 else f"{text.strip()[:11]}…"
        what = f'"{shown}" is no strength' if shown else "There is no number"
        raise DialError(f"{what}; type one between −{LARGEST:.0f} and {LARGEST:.0f}, such as 0.5 or -1.")
    return round(strength, 6)


def courses(marks: Sequence[DialMark]) -> tuple[Course, ...]:
    """What ``marks`` say of each dial that was ever away from zero, in the order in which the dials first appear.

    A mark that no token was written under (the next one starts at the same token) does not count.
    """
    starts_after = [*(mark.start for mark in marks[1:]), None]
    in_force = [mark for mark, after in zip(marks, starts_after, strict=False) if after is None or after > mark.start]
    names = dict.fromkeys(dial.name for mark in in_force for dial in mark.dials)
    found = []
    for name in names:
        values: list[float] = []
        for mark in in_force:
            value = next((dial.strength for dial in mark.dials if dial.name == name), 0.0)
            if not values or values[-1] != value:
                values.append(value)
        if any(values):
            found.append(Course(name, tuple(values)))
    return tuple(found)
