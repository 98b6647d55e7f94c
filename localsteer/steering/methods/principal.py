"""Principal directions of hidden states without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Principal:
    """``directions``: float32[n_components, n_embd], unit rows, by falling variance, each turned so that the longer
    tail of its scores is the positive one. ``scores``: float32[n_texts, n_components]. ``shares`` of the variance:
    float64[n_components].
    """

    directions: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float64]


def principal_directions(states: npt.NDArray[np.float32], n_components: int) -> Principal:
    """The ``n_components`` directions along which ``states`` float32[n_texts, n_embd] vary most, their mean taken away;
    fewer where there are not as many. Raises ValueError for fewer than two texts.
    """
    if len(states) < 2:
        raise ValueError("there is no variance in fewer than two texts")
    centred = states.astype(np.float64) - states.mean(axis=0, dtype=np.float64)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    count = min(n_components, int((sizes > 1e-6 * max(sizes[0], 1e-30)).sum()))
    scores = left[:, :count] * sizes[:count]
    signs = np.where((scores**3).sum(axis=0) < 0, -1.0, 1.0)
    return Principal(
        directions=(signs[:, None] * right[:count]).astype(np.float32),
        scores=(signs * scores).astype(np.float32),
        shares=sizes[:count] ** 2 / max(float((sizes**2).sum()), 1e-30),
    )
