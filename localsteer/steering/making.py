"""Make a steering vector from the hidden states of a contrast set, with its statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from localsteer.errors import RecipeError, VectorError
from localsteer.steering.contrast import ContrastSet
from localsteer.steering.fit import ModelStamp
from localsteer.steering.layers import auc, choose_layers, held_out
from localsteer.steering.methods import ACTADD, Method, find_method
from localsteer.steering.methods.position_difference import position_difference
from localsteer.steering.scatter import scatter_of
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
    ``contrast.pairs``, some of which may be left out; axis 1 in the order of ``layers``. ``residual_norms``:
    float[n_layers]. ``default_layers`` None chooses them (see :func:`localsteer.steering.layers.choose_layers`).

    Raises :class:`RecipeError` for an unknown method and for a set whose poles look the same to the model,
    :class:`VectorError` for hidden states that are not finite.
    """
    expected = (len(contrast.pairs), len(layers), model.n_embd)
    if positive.shape != negative.shape or positive.shape[1:] != expected[1:] or not 1 <= len(positive) <= expected[0]:
        raise ValueError(f"hidden states are {positive.shape} and {negative.shape}, not {expected}")
    _check_finite(contrast, positive, negative, model)
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
    vector = SteeringVector(
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
    row = list(layers).index(vector.main_layer)
    scatter = scatter_of(positive[:, row], negative[:, row], vector.directions[vector.main_layer], vector.main_layer)
    return replace(vector, scatter=scatter)


def make_front_vector(
    contrast: ContrastSet,
    positive: npt.NDArray[np.float32],
    negative: npt.NDArray[np.float32],
    *,
    layers: Sequence[int],
    residual_norms: npt.NDArray[np.floating],
    model: ModelStamp,
    default_layers: tuple[int, ...] | None = None,
) -> SteeringVector:
    """A vector with a direction for each position of one pair of texts (ActAdd), for scope ``prompt-start``.

    ``positive``, ``negative``: float32[n_positions, n_layers, n_embd], axis 1 in the order of ``layers``. Its ordinary
    directions are the means over positions. ``default_layers`` None takes one layer, a third of the way up. Raises as
    :func:`make_vector`.
    """
    if positive.shape != negative.shape or positive.shape[1:] != (len(layers), model.n_embd):
        raise ValueError(f"hidden states are {positive.shape} and {negative.shape}")
    _check_finite(contrast, positive, negative, model)
    front = {layer: position_difference(positive[:, row], negative[:, row]) for row, layer in enumerate(layers)}
    if not any(rows.any() for rows in front.values()):
        raise RecipeError(f'Both texts of "{contrast.name}" look the same to the model; write two different ones.')
    return SteeringVector(
        name=contrast.name,
        positive_pole=contrast.positive,
        negative_pole=contrast.negative,
        directions={layer: rows.mean(axis=0) for layer, rows in front.items()},
        model=model,
        method=ACTADD,
        recipe_digest=contrast.digest,
        layers={layer: LayerStatistics(0.0, float(norm)) for layer, norm in zip(layers, residual_norms, strict=True)},
        default_layers=default_layers or (max(1, round(model.n_layer / 3)),),
        front=front,
    )


def _check_finite(
    contrast: ContrastSet, positive: npt.NDArray[np.float32], negative: npt.NDArray[np.float32], model: ModelStamp
) -> None:
    if not (np.isfinite(positive).all() and np.isfinite(negative).all()):
        raise VectorError(
            f'{model.name or "The model"} gives NaN or infinity for the prompts of "{contrast.name}", '
            "so no vector can be made from it; try another quantisation."
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
