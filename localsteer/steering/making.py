"""Make a steering vector from the hidden states of a contrast set, with its statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from localsteer.errors import RecipeError, VectorError
from localsteer.steering.contrast import ContrastSet
from localsteer.steering.fit import ModelStamp
from localsteer.steering.layers import auc, choose_layers, held_out
from localsteer.steering.methods import Method, find_method
from localsteer.steering.vector import LayerStatistics, SteeringVector


def make_vector(
    contrast: ContrastSet,
    positive: npt.NDArray[np.float32],
    negative: npt.NDArray[np.float32],
    *,
    layers: Sequence[int],
    residual_norms: npt.NDArray[np.floating],
    model: ModelStamp,
    method: str = "mean-difference",
    default_layers: tuple[int, ...] | None = None,
) -> SteeringVector:
    """A vector with a direction, its norm, the residual norm and the held-out AUC for each of ``layers``.

    ``positive``, ``negative``: float32[n_pairs, n_layers, n_embd], the hidden states of the pairs in the order of
    ``contrast.pairs``; axis 1 in the order of ``layers``. ``residual_norms``: float[n_layers]. ``default_layers`` None
    chooses them (see :func:`localsteer.steering.layers.choose_layers`).

    Raises :class:`RecipeError` for an unknown method and for a set whose poles look the same to the model,
    :class:`VectorError` for hidden states that are not finite.
    """
    expected = (len(contrast.pairs), len(layers), model.n_embd)
    if positive.shape != expected or negative.shape != expected:
        raise ValueError(f"hidden states are {positive.shape} and {negative.shape}, not {expected}")
    if not (np.isfinite(positive).all() and np.isfinite(negative).all()):
        raise VectorError(
            f'{model.name or "The model"} gives NaN or infinity for the prompts of "{contrast.name}", '
            "so no vector can be made from it; try another quantisation."
        )
    directed = find_method(method)
    directions = {}
    statistics = {}
    for row, layer in enumerate(layers):
        direction = directed(positive[:, row], negative[:, row])
        directions[layer] = direction
        statistics[layer] = LayerStatistics(
            norm=float(np.linalg.norm(direction)),
            residual_norm=float(residual_norms[row]),
            auc=separation(positive[:, row], negative[:, row], directed),
        )
    if not any(direction.any() for direction in directions.values()):
        raise RecipeError(
            f'Both poles of "{contrast.name}" look the same to {model.name or "the model"} where they are read; '
            "let them differ before that place."
        )
    return SteeringVector(
        name=contrast.name,
        positive_pole=contrast.positive,
        negative_pole=contrast.negative,
        directions=directions,
        model=model,
        method=method,
        recipe_digest=contrast.digest,
        layers=statistics,
        default_layers=default_layers
        if default_layers is not None
        else choose_layers({layer: measured.auc or 0.0 for layer, measured in statistics.items()}, model.n_layer),
    )


def separation(positive: npt.NDArray[np.float32], negative: npt.NDArray[np.float32], method: Method) -> float:
    """AUC of the projections of held-out pairs on the direction that ``method`` makes from the other pairs.

    ``positive``, ``negative``: float32[n_pairs, n_embd]. Below five pairs nothing is held out, and the AUC is that of
    the pairs themselves.
    """
    tried = held_out(len(positive))
    learnt = ~tried
    if not tried.any():
        tried = learnt
    direction = method(positive[learnt], negative[learnt]).astype(np.float64)
    return auc(positive[tried] @ direction, negative[tried] @ direction)
