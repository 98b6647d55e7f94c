"""How far a hidden state leans towards a pole of a vector: its projection, on a scale on which the poles are at ±1.

The heat maps of Contrastive Activation Addition (arXiv 2312.06681) are this projection, token by token.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from localsteer.errors import VectorError
from localsteer.steering.vector import Direction, SteeringVector

Scale: TypeAlias = Literal["poles", "spread"]
Rows: TypeAlias = npt.NDArray[np.float32]

_GAUSSIAN = 1.4826
"""Times the median absolute deviation: the standard deviation of a normal distribution."""


@dataclass(frozen=True, slots=True, eq=False)
class Gauge:
    """Reads hidden states of one layer.

    A reading is ``(state − added) · direction − zero``. ``direction``: float32[n_embd], the vector's, divided so that
    readings come in units of ``scale``. "poles": the zero is where neutral text lies, and +1 is half the direction's
    length further on, where the positive prompts lie if the neutral text lies between both poles. "spread": +1 is two
    standard deviations of neutral text; for another tool's vector, whose length says nothing.
    """

    layer: int
    direction: Direction
    zero: float
    scale: Scale

    def read(self, states: Rows, added: Rows | None = None) -> npt.NDArray[np.float32]:
        """float32[n] of ``states``: float32[n, n_embd]. ``added``: float32[n_embd], what steering put on top of them
        at this very layer and the text itself did not.
        """
        own = states if added is None else states - added
        readings: npt.NDArray[np.float32] = (own @ self.direction - self.zero).astype(np.float32)
        return readings


def make_gauge(vector: SteeringVector, layer: int, neutral: Rows) -> Gauge:
    """A gauge for ``vector`` at ``layer``. ``neutral``: float32[n, n_embd], states of that layer in neutral text.

    Raises VectorError where the vector has no direction there.
    """
    direction = vector.directions.get(layer)
    if direction is None or not direction.any():
        raise VectorError(
            f'The vector "{vector.name}" has no direction at layer {layer}; '
            f"its layers are {min(vector.directions)} to {max(vector.directions)}."
        )
    length = float(np.linalg.norm(direction.astype(np.float64)))
    along = neutral.astype(np.float64) @ (direction / length)
    middle = float(np.median(along))
    unit, scale = length / 2, "poles"
    if not vector.method:
        spread = 2 * _GAUSSIAN * float(np.median(np.abs(along - middle)))
        if spread > 0:
            unit, scale = spread, "spread"
    scaled = (direction / (length * unit)).astype(np.float32)
    return Gauge(layer, scaled, middle / unit, "spread" if scale == "spread" else "poles")


def reading_layer(layers: Iterable[int], n_layer: int) -> int:
    """Where a dial that steers ``layers`` is read: at the first of them, where nothing of its own has been added
    further down yet.

    Layers below a quarter of the depth still read the words (another tool's vector has a direction for them, too), and
    the last one is not computed for every token; they are taken only where there are no others.
    """
    ordered = sorted(layers)
    readable = [layer for layer in ordered if layer < n_layer - 1] or ordered
    return next((layer for layer in readable if layer >= n_layer // 4), readable[-1])
