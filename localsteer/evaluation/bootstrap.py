"""Confidence intervals of means, by resampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean and the ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float


def bootstrap_mean(values: Sequence[float], seed: int = 0) -> Mean:
    """The mean of ``values`` with its percentile bootstrap interval (Efron 1979); the interval of one value is empty.

    Raises ValueError where there are none.
    """
    if not len(values):
        raise ValueError("there is no mean of nothing")
    data = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(data), size=(_RESAMPLES, len(data)))
    means = data[drawn].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Mean(float(data.mean()), float(low), float(high))
