"""Steering to test with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from localsteer.llama.model import Model
from localsteer.llama.steering import Steering


def directions(model: Model, seed: int = 0) -> npt.NDArray[np.float32]:
    """float32[n_layer - 1, n_embd], random."""
    shape = (model.n_layer - 1, model.n_embd)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def steering(model: Model, strength: float = 1.0, seed: int = 0) -> Steering:
    """Random directions times ``strength``."""
    return Steering((seed, strength), (np.float32(strength) * directions(model, seed)).ravel())
