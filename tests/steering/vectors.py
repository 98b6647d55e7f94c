"""Vectors that the tests of this room are made with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from localsteer.steering.vector import LayerStatistics, ModelStamp, SteeringVector

N_LAYER, N_EMBD = 8, 16
STAMP = ModelStamp("Tiny Llama", "llama", N_LAYER, N_EMBD, vocabulary="vocabulary-1", model_id="file-1")


def directions(
    seed: int, layers: Sequence[int] = range(1, N_LAYER), n_embd: int = N_EMBD
) -> dict[int, npt.NDArray[np.float32]]:
    """{layer: float32[n_embd]} of random numbers."""
    rng = np.random.default_rng(seed)
    return {layer: rng.normal(size=n_embd).astype(np.float32) for layer in layers}


def make(name: str = "mood", seed: int = 0, layers: Sequence[int] = range(1, N_LAYER)) -> SteeringVector:
    """A whole vector with everything known about it."""
    made = directions(seed, layers)
    return SteeringVector(
        name=name,
        positive_pole="happy",
        negative_pole="sad",
        directions=made,
        model=STAMP,
        method="mean-difference",
        recipe_digest="0123abcd",
        layers={layer: LayerStatistics(0.0, residual_norm=10.5 + layer, auc=0.75) for layer in made},
        default_layers=(layers[len(layers) // 2],),
        strength_low=-1.25,
        strength_high=1.5,
    )


def cosine(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]) -> float:
    """Cosine of the angle between two directions."""
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
