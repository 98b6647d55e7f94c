"""Principal component of pair-centred activations, as in representation engineering (arXiv 2310.01405)."""

from __future__ import annotations

import numpy as np

from localsteer.steering.methods.pairs import Floats, States, differences


def principal_component(positive: States, negative: States) -> States:
    """The direction in which the two sides of the pairs lie apart most.

    ``positive``, ``negative``: float32[n_pairs, n_embd]. Each pair is centred on its own midpoint, so that what the
    prompts are about drops out and the mean difference stays (centring the *differences* on their mean would throw
    it away). The sign, which a component has none of, is that of most of the differences, so that a few wild pairs
    cannot turn the dial round. Returns float32[n_embd], as long as the mean difference is along it.
    """
    apart = differences(positive, negative)
    if not apart.any():
        return np.zeros(apart.shape[1], dtype=np.float32)
    _, _, axes = np.linalg.svd(apart, full_matrices=False)
    axis: Floats = axes[0]
    along = apart @ axis
    votes = np.sign(along).sum()
    sign = np.sign(votes) if votes else np.sign(along.sum()) or 1.0
    found: States = (sign * axis * abs(float(along.mean()))).astype(np.float32)
    return found
