"""Differences position by position, as in activation addition (ActAdd, arXiv 2308.10248)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def position_difference(
    positive: npt.NDArray[np.float32], negative: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """positive − negative at each position of one pair of prompts that are equally long.

    ``positive``, ``negative``: float32[n_positions, n_embd]; returns the same. Strength 1.0 is the paper's
    coefficient 1.
    """
    difference: npt.NDArray[np.float32] = np.subtract(positive, negative, dtype=np.float64).astype(np.float32)
    return difference
