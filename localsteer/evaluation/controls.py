"""Controls: what vectors do that mean nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def random_directions(directions: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float32]:
    """Random directions with the norms of ``directions`` at each layer: float32[n_layer - 1, n_embd], zero where those
    are zero.
    """
    noise = np.random.default_rng(seed).standard_normal(directions.shape)
    sizes = np.linalg.norm(directions.astype(np.float64), axis=1, keepdims=True)
    found: npt.NDArray[np.float32] = (noise / np.linalg.norm(noise, axis=1, keepdims=True) * sizes).astype(np.float32)
    return found
