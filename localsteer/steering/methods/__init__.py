"""Methods: plain functions from two arrays of hidden states to one direction, one file each, looked up by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from localsteer.errors import RecipeError
from localsteer.steering.methods.logistic_probe import logistic_probe
from localsteer.steering.methods.mean_difference import mean_difference
from localsteer.steering.methods.pca import principal_component
from localsteer.steering.methods.robust_mean import robust_mean

Method: TypeAlias = Callable[[npt.NDArray[np.float32], npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""``(positive: float32[n_pairs, n_embd], negative: float32[n_pairs, n_embd]) → direction: float32[n_embd]``.

Row i of both is pair i. The direction points from the negative pole to the positive one, and its length is such that
strength 1.0 means the mean difference between the poles.
"""

METHODS: Mapping[str, Method] = {
    "mean-difference": mean_difference,
    "pca": principal_component,
    "probe": logistic_probe,
    "robust-mean": robust_mean,
}


ACTADD = "actadd"
"""The method that makes a direction for each position of one pair of texts: no :data:`Method`, it needs no pairs."""


def find_method(name: str) -> Method:
    """The method called ``name``. Raises :class:`RecipeError` for an unknown one."""
    try:
        return METHODS[name]
    except KeyError:
        raise RecipeError(f'There is no method "{name}"; methods are {", ".join((*METHODS, ACTADD))}.') from None
