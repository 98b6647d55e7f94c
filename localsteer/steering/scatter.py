"""Where the prompts of a contrast set lie at one layer, seen in the plane that tells their poles apart."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from localsteer.errors import VectorError
from localsteer.steering.methods.pairs import Floats, States, differences

MOST_PAIRS = 200
"""More points than this make a picture no clearer, and a vector file should stay small."""

Points = npt.NDArray[np.float32]
"""float32[n_pairs, 2]."""


@dataclass(frozen=True, eq=False)
class Scatter:
    """One point for each prompt: row n of ``positive`` and of ``negative`` are the two sides of one pair.

    ``layer`` is where the hidden states were read; coordinates are in their units. The positive pole lies to the
    right. Raises VectorError where the two sides are not equally many finite points.
    """

    layer: int
    positive: Points = field(repr=False)
    negative: Points = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("positive", "negative"):
            points = np.array(getattr(self, name), dtype=np.float32)
            if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
                raise VectorError("The scatter of a vector's prompts is damaged; make the vector again.")
            points.setflags(write=False)
            object.__setattr__(self, name, points)
        if len(self.positive) != len(self.negative):
            raise VectorError("The scatter of a vector's prompts is damaged; make the vector again.")

    def turned_round(self) -> Scatter:
        """As the vector with the poles exchanged sees it."""
        mirror = np.array([-1, 1], dtype=np.float32)
        return Scatter(self.layer, self.negative * mirror, self.positive * mirror)


def scatter_of(positive: States, negative: States, direction: States, layer: int) -> Scatter:
    """The prompts in the plane of the first two principal components of the pair-centred activations.

    ``positive``, ``negative``: float32[n_pairs, n_embd]; ``direction``: float32[n_embd], which gives the first axis its
    sign. Each pair is centred on its own midpoint to find the axes, so that they show what tells the poles apart rather
    than what the prompts are about; the points themselves are centred on the mean of all prompts, so that the picture
    shows how far the pairs lie from each other, too. Of more than :data:`MOST_PAIRS` pairs, that many are taken at even
    distances. With one pair, or where all pairs differ the same way, the second coordinate is 0.
    """
    taken = np.unique(np.linspace(0, len(positive) - 1, min(len(positive), MOST_PAIRS)).round().astype(int))
    sides = np.stack([positive[taken], negative[taken]]).astype(np.float64)
    apart = differences(positive[taken], negative[taken])
    axes = _main_axes(apart)
    if axes[0] @ direction.astype(np.float64) < 0:
        axes[0] *= -1
    # A component has no sign of its own; without one, the same prompts could give a mirrored picture elsewhere.
    if axes[1].any() and axes[1][np.abs(axes[1]).argmax()] < 0:
        axes[1] *= -1
    points = (sides - sides.mean(axis=(0, 1))) @ axes.T
    return Scatter(layer, points[0].astype(np.float32), points[1].astype(np.float32))


def _main_axes(apart: Floats) -> Floats:
    """The first two principal directions of ``apart``, float64[2, n_embd]; zeros where there is none.

    By the small matrix of the rows' products with each other, for most models are much wider than pairs are many; the
    whole decomposition took as long as reading a hundred prompts.
    """
    axes = np.zeros((2, apart.shape[1]))
    squares, mixtures = np.linalg.eigh(apart @ apart.T)
    largest = float(squares[-1])
    for axis in range(min(2, len(squares))):
        square = float(squares[-1 - axis])
        # A singular value below a millionth of the first is rounding.
        if square > largest * 1e-12:
            direction = mixtures[:, -1 - axis] @ apart
            axes[axis] = direction / np.linalg.norm(direction)
    return axes
