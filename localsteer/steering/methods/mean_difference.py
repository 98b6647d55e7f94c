"""Mean difference, as in contrastive activation addition (CAA, arXiv 2312.06681)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def mean_difference(positive: npt.NDArray[np.float32], negative: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean over pairs of positive − negative.

    ``positive``, ``negative``: float32[n_pairs, n_embd]. Returns float32[n_embd]; strength 1.0 is one mean difference.
    """
    difference: npt.NDArray[np.float32] = (
        np.subtract(positive, negative, dtype=np.float64).mean(axis=0).astype(np.float32)
    )
    return difference
