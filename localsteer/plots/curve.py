"""What a sweep measured, as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Band = tuple[float | None, float | None]
"""From, to; None where it is not known."""


_LARGEST = 1e30  # nothing that was measured is larger, and pictures cannot be


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One setting: ``layers`` steered at ``strength``. ``effect`` in nats per token with its 95 % interval,
    ``perplexity_ratio`` and ``kl`` (nats per token) as in a sweep. What is not known is NaN.
    """

    layers: tuple[int, ...]
    strength: float
    effect: float = math.nan
    effect_low: float = math.nan
    effect_high: float = math.nan
    perplexity_ratio: float = math.nan
    kl: float = math.nan

    @classmethod
    def read(cls, row: Mapping[str, object]) -> SweepPoint:
        """From a row of ``sweep --json``, or ``asdict`` of one. What is missing or no number becomes NaN."""
        layers = row.get("layers")
        return cls(
            tuple(layer for layer in layers if isinstance(layer, int)) if isinstance(layers, Sequence) else (),
            *(
                _number(row.get(key))
                for key in ("strength", "effect", "effect_low", "effect_high", "perplexity_ratio", "kl")
            ),
        )


@dataclass(frozen=True, slots=True)
class Curve:
    """A whole sweep: its points, the effects of random vectors of the same norms, and the safe range of strengths."""

    points: tuple[SweepPoint, ...]
    random: Band = (None, None)
    safe: Band = (None, None)

    @classmethod
    def read(cls, document: Mapping[str, object]) -> Curve:
        """From the document of ``sweep --json``, whole or not."""
        rows = document.get("rows")
        points = [SweepPoint.read(row) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
        return cls(
            tuple(points),
            (_known(document.get("random_effect_low")), _known(document.get("random_effect_high"))),
            (_known(document.get("safe_low")), _known(document.get("safe_high"))),
        )

    @property
    def windows(self) -> dict[tuple[int, ...], list[SweepPoint]]:
        """The points of each window of layers, by strength; those without a finite strength are left out."""
        found: dict[tuple[int, ...], list[SweepPoint]] = {}
        for point in self.points:
            if math.isfinite(point.strength):
                found.setdefault(point.layers, []).append(point)
        return {layers: sorted(points, key=lambda point: point.strength) for layers, points in found.items()}

    @property
    def by_layer(self) -> bool:
        """True where several windows were steered at one strength: then the layers are what was swept."""
        windows = self.windows
        return len(windows) > 1 and len({point.strength for points in windows.values() for point in points}) == 1


def spoken_window(layers: Sequence[int]) -> str:
    """``layer 3``, ``layers 7–9``, ``layers 3, 5``."""
    if not layers:
        return "no layer"
    if len(layers) == 1:
        return f"layer {layers[0]}"
    if layers[-1] - layers[0] == len(layers) - 1 and list(layers) == list(range(layers[0], layers[-1] + 1)):
        return f"layers {layers[0]}–{layers[-1]}"
    return f"layers {', '.join(map(str, layers))}"


def _number(value: object) -> float:
    known = _known(value)
    return math.nan if known is None else known


def _known(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or _LARGEST < abs(value) < math.inf:
        return None
    return float(value)
