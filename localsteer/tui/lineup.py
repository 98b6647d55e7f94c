"""Which settings a message is answered under side by side: values and plain arithmetic, no widgets."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from localsteer.engine.protocol import MOST_SIDES, DialSetting
from localsteer.errors import DialError
from localsteer.tui.plain import plain
from localsteer.tui.rack import Dial, Rack
from localsteer.tui.strengths import signed

_STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)
_UNKNOWN_END = 2.0


@dataclass(frozen=True, slots=True)
class Side:
    """One of the settings. ``lean``: its strength where it is one of a strip, which decides its colour."""

    title: str
    rack: Rack
    lean: float = 0.0

    @property
    def dials(self) -> tuple[DialSetting, ...]:
        """What the engine needs."""
        return self.rack.settings()


@dataclass(frozen=True, slots=True)
class Lineup:
    """The settings in their order, at most :data:`MOST_SIDES`, all made from ``rack``.

    ``base``: the place of the one that stands for the model as it is. ``strip``: the dial that they differ in and its
    strengths, None for steered and unsteered.
    """

    rack: Rack
    sides: tuple[Side, ...]
    base: int
    strip: tuple[int, tuple[float, ...]] | None = None

    @property
    def shown(self) -> tuple[int, ...]:
        """The dials to show with each side, by their place: those that do something on one of them, a strip's first."""
        racks = [side.rack for side in self.sides]
        acting = [
            place
            for place in range(len(racks[0].dials))
            if any(rack.effective(rack.dials[place]) != 0 for rack in racks)
        ]
        first = [] if self.strip is None else [self.strip[0]]
        return (*first, *(place for place in acting if place not in first))

    def full(self, place: int) -> float:
        """The end of this dial's bars, the same on all sides."""
        return max(side.rack.dials[place].full for side in self.sides)


def steered_and_not(rack: Rack) -> Lineup:
    """The dials as they are, and the model as it is."""
    return Lineup(rack, (Side("steered", rack), Side("unsteered", rack.zero_all())), base=1)


def strip(rack: Rack, place: int, strengths: Sequence[float]) -> Lineup:
    """The dial at ``place`` at each of ``strengths``, the others as they are."""
    dial = rack.dials[place]
    # Where another one plays solo this dial would do nothing on any side.
    free = rack if rack.solo in (None, dial.name) else replace(rack, solo=None)
    sides = tuple(
        Side(f"{plain(dial.name)} {signed(strength)}", free.set_strength(place, strength), strength)
        for strength in strengths
    )
    nearest = min(range(len(sides)), key=lambda side: abs(strengths[side]))
    return Lineup(rack, sides, nearest, (place, tuple(strengths)))


def usual_strip(rack: Rack, place: int) -> Lineup:
    """The strip of this dial at its :func:`usual_strengths`."""
    return strip(rack, place, usual_strengths(rack.dials[place]))


def first_lineup(rack: Rack) -> Lineup:
    """What there is to compare: steered and unsteered where a dial is turned, else a strip of the picked one.

    Raises DialError where there is no dial.
    """
    if rack.current is None:
        raise DialError("There is no dial yet to compare with and without.")
    return steered_and_not(rack) if rack.settings() else usual_strip(rack, rack.picked)


def usual_strengths(dial: Dial) -> tuple[float, ...]:
    """−2, −1, 0, +1, +2; where it is known how far the dial goes, these ends, their halves, and 0.

    How far it goes is what was measured as safe on its own layers, else what its vector recommends.
    """
    measured = dial.safe if dial.own_layers is None else None
    low, high = measured or (dial.low, dial.high)
    ends = (low or -(high or _UNKNOWN_END), high or -(low or -_UNKNOWN_END))
    return tuple(dict.fromkeys(_rounded(step * abs(ends[step > 0])) for step in _STEPS))


def _rounded(strength: float) -> float:
    """Two digits that count: a strip is for the eye."""
    if strength == 0:
        return 0.0
    return round(strength, 2) if abs(strength) >= 0.1 else float(f"{strength:.2g}")


def read_strengths(text: str) -> tuple[float, ...]:
    """Such as ``-1 0 +0.5``, with spaces, commas or semicolons between them; doubles count once.

    Raises DialError for what is no number, and for fewer than two or too many of them.
    """
    strengths = []
    for word in re.split(r"[\s,;]+", text.strip()):
        try:
            strength = float(word.replace("−", "-"))
        except ValueError:
            strength = math.nan
        if not math.isfinite(strength):
            raise DialError(f'"{plain(word)}" is no strength; write numbers with spaces between them, such as -1 0 1.')
        strengths.append(strength or 0.0)
    distinct = tuple(dict.fromkeys(strengths))
    if not 2 <= len(distinct) <= MOST_SIDES:
        raise DialError(f"Write 2 to {MOST_SIDES} different strengths, such as -1 0 1.")
    return distinct


def written_strengths(strengths: Sequence[float]) -> str:
    """For :func:`read_strengths` and for the eye."""
    return "  ".join(signed(strength) for strength in strengths)
