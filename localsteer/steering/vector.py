"""The steering vector: one direction for each layer, with all that is known about where it comes from."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from localsteer.errors import VectorError
from localsteer.steering.calibration import Calibration
from localsteer.steering.fit import ModelStamp, check_fits
from localsteer.steering.scatter import Scatter

__all__ = ["Direction", "LayerStatistics", "ModelStamp", "SteeringVector"]

Direction: TypeAlias = npt.NDArray[np.float32]
Front: TypeAlias = npt.NDArray[np.float32]
"""float32[n_positions, n_embd]: a direction of its own for each position at the front of a prompt (ActAdd)."""


@dataclass(frozen=True, slots=True)
class LayerStatistics:
    """What was measured at one layer.

    ``norm``: L2 norm of the direction. ``residual_norm``: mean L2 norm of the hidden states read there, None where
    unknown. ``auc``: how well the direction tells held-out pairs apart (0.5 chance, 1.0 always), None where nobody
    measured it.
    """

    norm: float
    residual_norm: float | None = None
    auc: float | None = None


@dataclass(frozen=True, eq=False)
class SteeringVector:
    """``{layer: direction}`` for one model family and size. Never changes; ``+ − *`` make new vectors.

    ``directions``: {layer: float32[n_embd]}, layer ≥ 1 (the output of that 0-based block), ordered by layer, read-only.
    ``layers`` holds the statistics of each, the norm at least. Empty names of poles mean that the file does not say.
    ``strength_low`` and
    ``strength_high`` are the recommended strengths towards either pole, ``calibration`` what each strength costs; None
    where they were not measured. ``front``:
    for scope ``prompt-start``, at each layer a direction for each position; empty where the vector was not made so, and
    then ``directions`` are its mean over positions. ``scatter``: where its prompts lie at its main layer, None where
    nobody noted it. Raises :class:`VectorError` where a direction is not finite, too
    long or too short, or stands at layer 0.
    """

    name: str
    positive_pole: str
    negative_pole: str
    directions: Mapping[int, Direction]
    model: ModelStamp
    method: str = ""
    recipe_digest: str = ""
    layers: Mapping[int, LayerStatistics] = field(default_factory=dict)
    default_layers: tuple[int, ...] = ()
    strength_low: float | None = None
    strength_high: float | None = None
    front: Mapping[int, Front] = field(default_factory=dict)
    calibration: Calibration | None = None
    scatter: Scatter | None = None

    def __post_init__(self) -> None:
        directions = _checked(self.name, self.directions, self.model.n_embd)
        layers = {
            layer: replace(self.layers.get(layer, LayerStatistics(0.0)), norm=_norm(direction))
            for layer, direction in directions.items()
        }
        chosen = tuple(sorted(set(self.default_layers))) or tuple(directions)
        missing = [layer for layer in chosen if layer not in directions]
        if missing:
            raise VectorError(
                f'The vector "{self.name}" has no direction for its default layer {missing[0]}; make it again.'
            )
        for strength in (self.strength_low, self.strength_high):
            if strength is not None and not math.isfinite(strength):
                raise VectorError(
                    f'A recommended strength of the vector "{self.name}" is not a finite number; make it again.'
                )
        object.__setattr__(self, "front", MappingProxyType(_checked_front(self.name, self.front, directions)))
        object.__setattr__(self, "directions", MappingProxyType(directions))
        object.__setattr__(self, "layers", MappingProxyType(layers))
        object.__setattr__(self, "default_layers", chosen)

    @property
    def n_positions(self) -> int:
        """How many positions at the front of a prompt it has directions for; 0 where it has none."""
        return max((len(rows) for rows in self.front.values()), default=0)

    @property
    def n_embd(self) -> int:
        """How wide each direction is."""
        return next(iter(self.directions.values())).size

    @property
    def main_layer(self) -> int:
        """The middle one of the layers that it steers by default: the one that speaks for it in figures."""
        return self.default_layers[len(self.default_layers) // 2]

    def check_fits(self, model: ModelStamp) -> str | None:
        """See :func:`localsteer.steering.fit.check_fits`."""
        return check_fits(self.name, self.model, tuple(self.directions), model)

    def with_strengths(self, low: float, high: float) -> SteeringVector:
        """The same vector with recommended strengths towards the negative (``low``) and positive pole (``high``)."""
        return replace(self, strength_low=low, strength_high=high)

    def with_default_layers(self, layers: tuple[int, ...]) -> SteeringVector:
        """The same vector, steering other layers by default; what was measured at the others is not known of these."""
        return replace(self, default_layers=layers, strength_low=None, strength_high=None, calibration=None)

    def with_calibration(self, calibration: Calibration) -> SteeringVector:
        """The same vector with its safe range."""
        return replace(self, calibration=calibration)

    def renamed(self, name: str) -> SteeringVector:
        """The same vector under another name."""
        # Everything else has been looked at, and this is done for every dial whenever one is turned.
        renamed = copy.copy(self)
        object.__setattr__(renamed, "name", name)
        return renamed

    def __add__(self, other: SteeringVector) -> SteeringVector:
        """Both directions added, layer by layer; a layer that one of them lacks counts as zero there."""
        return self._combined(other, 1.0, "+")

    def __sub__(self, other: SteeringVector) -> SteeringVector:
        """The other's directions taken away, layer by layer."""
        return self._combined(other, -1.0, "-")

    def __mul__(self, factor: float) -> SteeringVector:
        """Every direction times ``factor``; the recommended strengths move along and add the same as before."""
        if not math.isfinite(factor):
            raise VectorError(
                f'The vector "{self.name}" can be multiplied with a finite number only, not with {factor}.'
            )
        if factor < 0:
            return -(self * -factor)
        strengths = [
            None if factor == 0 or strength is None else strength / factor
            for strength in (self.strength_low, self.strength_high)
        ]
        strengths = [strength if strength is not None and math.isfinite(strength) else None for strength in strengths]
        return replace(
            self,
            directions={layer: _scaled(direction, factor) for layer, direction in self.directions.items()},
            front={layer: _scaled(rows, factor) for layer, rows in self.front.items()},
            strength_low=strengths[0],
            strength_high=strengths[1],
            calibration=None if self.calibration is None else self.calibration.scaled(factor),
        )

    __rmul__ = __mul__

    def __neg__(self) -> SteeringVector:
        """The same dial turned round: opposite directions, poles and strengths exchanged."""
        return replace(
            self,
            positive_pole=self.negative_pole,
            negative_pole=self.positive_pole,
            directions={layer: -direction for layer, direction in self.directions.items()},
            front={layer: -rows for layer, rows in self.front.items()},
            scatter=None if self.scatter is None else self.scatter.turned_round(),
            strength_low=None if self.strength_high is None else -self.strength_high,
            strength_high=None if self.strength_low is None else -self.strength_low,
            calibration=None if self.calibration is None else self.calibration.turned_round(),
        )

    def without(self, other: SteeringVector) -> SteeringVector:
        """The same vector with the ``other``'s direction projected out of it, layer by layer: what is left is at right
        angles to it. Layers that the other lacks stay as they are. Raises :class:`VectorError` for another width.
        """
        self._check_width(other)
        directions = {
            layer: direction if other.directions.get(layer) is None else _rejected(direction, other.directions[layer])
            for layer, direction in self.directions.items()
        }
        # What was measured was measured of another vector.
        return replace(
            self,
            name=f"{self.name} without {other.name}",
            directions=directions,
            layers={layer: replace(measured, auc=None) for layer, measured in self.layers.items()},
            front={},
            strength_low=None,
            strength_high=None,
            calibration=None,
            scatter=None,
        )

    def normalised(self, fraction: float) -> SteeringVector:
        """The same directions, each ``fraction`` of its layer's residual norm long, so that one strength means the same
        at every layer and for every vector. Raises :class:`VectorError` where a residual norm is not known.
        """
        factors = {}
        for layer, measured in self.layers.items():
            if not measured.residual_norm:
                raise VectorError(
                    f'The vector "{self.name}" does not say how long hidden states are at layer {layer}; make it again.'
                )
            factors[layer] = fraction * measured.residual_norm / measured.norm if measured.norm else 1.0
        return replace(
            self,
            directions={layer: _scaled(direction, factors[layer]) for layer, direction in self.directions.items()},
            front={layer: _scaled(rows, factors[layer]) for layer, rows in self.front.items()},
            strength_low=None,
            strength_high=None,
            calibration=None,
        )

    def _check_width(self, other: SteeringVector) -> None:
        if self.n_embd != other.n_embd:
            raise VectorError(
                f'The vectors "{self.name}" ({self.n_embd} wide) and "{other.name}" ({other.n_embd} wide) '
                "were made for models of different size and cannot be mixed."
            )

    def _combined(self, other: SteeringVector, sign: float, symbol: str) -> SteeringVector:
        self._check_width(other)
        directions: dict[int, Direction] = {}
        statistics: dict[int, LayerStatistics] = {}
        zero = np.zeros(self.n_embd, dtype=np.float32)
        for layer in sorted({*self.directions, *other.directions}):
            one, two = self.directions.get(layer, zero), other.directions.get(layer, zero)
            with np.errstate(over="ignore"):
                directions[layer] = one + np.float32(sign) * two
            measured = self.layers.get(layer) or other.layers[layer]
            statistics[layer] = LayerStatistics(norm=0.0, residual_norm=measured.residual_norm)
        return SteeringVector(
            name=f"{self.name} {symbol} {other.name}",
            positive_pole="",
            negative_pole="",
            directions=directions,
            model=self.model,
            method=self.method if self.method == other.method else "",
            layers=statistics,
            default_layers=tuple({*self.default_layers, *other.default_layers}),
        )


def _checked(name: str, directions: Mapping[int, Direction], n_embd: int) -> dict[int, Direction]:
    if not directions or n_embd < 1:
        raise VectorError(f'The vector "{name}" holds no directions; make it again.')
    checked: dict[int, Direction] = {}
    for layer in sorted(directions):
        if layer < 1:
            raise VectorError(
                f'The vector "{name}" has a direction for layer {layer}, '
                "which llama.cpp cannot steer; the first is layer 1."
            )
        direction = np.array(directions[layer], dtype=np.float32)
        if direction.ndim != 1 or direction.size != n_embd:
            shape = " × ".join(map(str, direction.shape)) or "0"
            raise VectorError(f'The direction of layer {layer} in the vector "{name}" is {shape} wide, not {n_embd}.')
        if not np.isfinite(direction).all():
            raise VectorError(
                f'The direction of layer {layer} in the vector "{name}" holds NaN or infinity; make it again.'
            )
        direction.setflags(write=False)
        checked[layer] = direction
    return checked


def _checked_front(name: str, front: Mapping[int, Front], directions: Mapping[int, Direction]) -> dict[int, Front]:
    checked: dict[int, Front] = {}
    for layer in sorted(front):
        rows = np.array(front[layer], dtype=np.float32)
        if layer not in directions or rows.ndim != 2 or rows.shape[1] != directions[layer].size:
            raise VectorError(f'The front of the vector "{name}" does not fit its directions at layer {layer}.')
        if not np.isfinite(rows).all():
            raise VectorError(
                f'The front of the vector "{name}" holds NaN or infinity at layer {layer}; make it again.'
            )
        rows.setflags(write=False)
        checked[layer] = rows
    return checked


def _rejected(direction: Direction, other: Direction) -> Direction:
    """``direction`` without its part along ``other``."""
    one, two = direction.astype(np.float64), other.astype(np.float64)
    length = float(two @ two)
    found: Direction = (one - (one @ two) / length * two if length else one).astype(np.float32)
    return found


def _norm(direction: Direction) -> float:
    return float(np.linalg.norm(direction.astype(np.float64)))


def _scaled(direction: Direction, factor: float) -> Direction:
    with np.errstate(over="ignore"):
        scaled: Direction = (direction.astype(np.float64) * factor).astype(np.float32)
    return scaled
