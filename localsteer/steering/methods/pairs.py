"""What the methods share: differences of pairs, and the length that makes strength 1.0 the mean difference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
States = npt.NDArray[np.float32]


def differences(positive: States, negative: States) -> Floats:
    """positive − negative, float64[n_pairs, n_embd]: twice what is left of each when its pair's midpoint is taken."""
    return np.subtract(positive, negative, dtype=np.float64)


def as_long_as_the_mean(axis: Floats, means: Floats) -> States:
    """``axis`` (any length and sign, float64[n_embd]) pointed along the mean difference ``means`` and as long as
    what the mean difference has along it, so that strength 1.0 moves one pole's mean onto the other's.

    Zeros where either is zero.
    """
    size = float(np.linalg.norm(axis))
    if size == 0.0:
        return np.zeros(len(axis), dtype=np.float32)
    unit = axis / size
    found: States = (unit * float(unit @ means)).astype(np.float32)
    return found


def small_basis(rows: Floats) -> Floats:
    """Orthonormal rows float64[rank, n_embd] that span ``rows``: few pairs in a wide model need few dimensions."""
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    kept: Floats = basis[sizes > sizes[0] * 1e-9] if sizes.size and sizes[0] > 0 else basis[:0]
    return kept
