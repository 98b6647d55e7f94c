"""All that is shown of one vector, as plain values. What is not known is None or empty, and is not shown."""

from __future__ import annotations

from dataclasses import dataclass

from localsteer.plots.curve import Curve

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class LayerFigures:
    """``norm``: L2 norm of the direction; ``norm_share``: the same as a fraction of the mean norm of the hidden states
    there; ``auc``: how well it tells held-out pairs apart, 0.5 chance.
    """

    layer: int
    norm: float
    norm_share: float | None = None
    auc: float | None = None


@dataclass(frozen=True, slots=True)
class ScatterFigures:
    """Where the prompts lie at ``layer``, the positive pole to the right."""

    layer: int
    positive: tuple[Point, ...]
    negative: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class TokenFigure:
    """``text`` is safe to print; ``score``: what the direction adds to the token's logit, up to a factor."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class TokenFigures:
    """Through the logit lens at ``layer``: highest scores first, and lowest first."""

    layer: int
    promoted: tuple[TokenFigure, ...]
    suppressed: tuple[TokenFigure, ...]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Cosine of the angle to another vector of the same model."""

    name: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Portrait:
    """One vector. ``main_layer``: the layer that speaks for it. ``cosines``: between its own layers, a row and a column
    for each of ``layers``. ``others``: the likest first.
    """

    name: str
    negative_pole: str
    positive_pole: str
    model: str
    method: str
    default_layers: tuple[int, ...]
    main_layer: int
    layers: tuple[LayerFigures, ...]
    strength_low: float | None = None
    strength_high: float | None = None
    cosines: tuple[tuple[float, ...], ...] = ()
    others: tuple[Likeness, ...] = ()
    scatter: ScatterFigures | None = None
    curve: Curve | None = None
    tokens: TokenFigures | None = None

    @property
    def poles(self) -> tuple[str, str]:
        """What the poles are called, negative first; signs where they have no names."""
        return self.negative_pole or "−", self.positive_pole or "+"
