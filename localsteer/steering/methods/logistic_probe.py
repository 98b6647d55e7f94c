"""The direction of a regularised logistic probe, a linear classifier of the two poles."""

from __future__ import annotations

import numpy as np

from localsteer.steering.methods.pairs import Floats, States, as_long_as_the_mean, differences, small_basis

_RIDGE = 0.01
"""Weight of the penalty beside the mean loss, in units of the differences' mean squared length."""
_STEPS = 50
_CLOSE = 1e-10


def logistic_probe(positive: States, negative: States) -> States:
    """The weights of a logistic regression that tells the two sides of a pair apart.

    ``positive``, ``negative``: float32[n_pairs, n_embd], each pair centred on its own midpoint, so no intercept is
    needed. The ridge penalty keeps it from clinging to single pairs where there are fewer pairs than dimensions. Where
    a pole's noise has a direction the probe turns away from it, which the mean difference cannot. Solved by Newton's
    method in the few dimensions that the pairs span. Returns float32[n_embd], as long as the mean difference is along
    it.
    """
    apart = differences(positive, negative)
    basis = small_basis(apart)
    if not len(basis):
        return np.zeros(apart.shape[1], dtype=np.float32)
    rows = apart @ basis.T
    rows /= np.sqrt((rows**2).sum(axis=1).mean())
    return as_long_as_the_mean(_weights(rows) @ basis, apart.mean(axis=0))


def _weights(rows: Floats) -> Floats:
    """argmin over w of mean log(1 + exp(−row · w)) + ridge/2 · |w|², by Newton's method; float64[rank]."""
    n_rows, rank = rows.shape
    weights = np.zeros(rank)
    for _ in range(_STEPS):
        doubt = 1 / (1 + np.exp(np.clip(rows @ weights, -500, 500)))
        slope = -(doubt @ rows) / n_rows + _RIDGE * weights
        curve = (rows.T * (doubt * (1 - doubt))) @ rows / n_rows + _RIDGE * np.eye(rank)
        step = np.linalg.solve(curve, slope)
        weights -= step
        if step @ step <= _CLOSE * (weights @ weights):
            break
    return weights
