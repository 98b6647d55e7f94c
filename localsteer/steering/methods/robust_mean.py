"""A mean that a few wrong pairs cannot spoil: hobbyists' contrast sets are small and dirty."""

from __future__ import annotations

import numpy as np

from localsteer.steering.methods.pairs import Floats, States, differences

_STEPS = 200
_CLOSE = 1e-9
_SPREADS = 3.0
_SPREAD_OF_NORMAL = 1.4826
"""The median absolute deviation of normal noise times this is its standard deviation."""


def robust_mean(positive: States, negative: States) -> States:
    """The mean of the differences that lie near their geometric median; the others are left out.

    ``positive``, ``negative``: float32[n_pairs, n_embd]; returns float32[n_embd]. A difference is left out that lies
    farther from the geometric median than the median distance by three standard deviations (estimated from the median
    absolute deviation). As precise as the
    mean where no pair is wrong, and not led astray by wrong ones that all err in one direction, as a median in each
    dimension is.
    """
    apart = differences(positive, negative)
    distances = np.linalg.norm(apart - geometric_median(apart), axis=1)
    middle = np.median(distances)
    spread = _SPREAD_OF_NORMAL * np.median(np.abs(distances - middle))
    kept = distances <= middle + _SPREADS * spread + _CLOSE * middle
    found: States = apart[kept].mean(axis=0).astype(np.float32)
    return found


def geometric_median(rows: Floats) -> Floats:
    """The point whose distances to the rows of float64[n, n_embd] have the smallest sum; Weiszfeld's iteration."""
    point: Floats = np.median(rows, axis=0)
    for _ in range(_STEPS):
        distances = np.linalg.norm(rows - point, axis=1)
        near = 1 / np.maximum(distances, 1e-12 * (1 + np.linalg.norm(point)))
        moved = (near @ rows) / near.sum()
        step = float(np.linalg.norm(moved - point))
        point = moved
        if step <= _CLOSE * (1 + float(np.linalg.norm(point))):
            break
    return point
