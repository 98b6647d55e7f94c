"""From a vector's file, and the files around it, to all that can be shown of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from localsteer.errors import VectorError
from localsteer.library.measured import kept_sweep
from localsteer.library.vector_cards import VectorCard
from localsteer.plots.portrait import (
    LayerFigures,
    Likeness,
    Portrait,
    ScatterFigures,
    TokenFigure,
    TokenFigures,
)

if TYPE_CHECKING:
    from localsteer.lens.promoted import PromotedToken
    from localsteer.steering.scatter import Points, Scatter
    from localsteer.steering.vector import Direction, SteeringVector

TOKENS_SHOWN = 10


def read_portrait(card: VectorCard, others: Iterable[VectorCard] = ()) -> Portrait:
    """Everything but the tokens, for which a model is needed (:func:`read_tokens`). Takes some milliseconds for each
    vector.

    ``others``: the vectors to be compared with at this one's main layer; itself among them, broken ones and those of
    another width or without that layer are passed over. Raises VectorError for a file that is no vector.
    """
    from localsteer.steering.vector_file import load_vector

    vector = load_vector(card.path)
    figures = tuple(
        LayerFigures(
            layer,
            measured.norm,
            measured.norm / measured.residual_norm if measured.residual_norm else None,
            measured.auc,
        )
        for layer, measured in vector.layers.items()
    )
    directions = list(vector.directions.values())
    return Portrait(
        name=card.name,
        negative_pole=vector.negative_pole,
        positive_pole=vector.positive_pole,
        model=vector.model.name,
        method=vector.method,
        default_layers=vector.default_layers,
        main_layer=vector.main_layer,
        layers=figures,
        strength_low=vector.strength_low,
        strength_high=vector.strength_high,
        cosines=tuple(tuple(cosine(one, other) for other in directions) for one in directions),
        others=_likenesses(card, vector, others),
        scatter=_scatter(vector.scatter),
        curve=kept_sweep(card.path),
    )


def read_tokens(
    card: VectorCard,
    model: Path,
    count: int = TOKENS_SHOWN,
    progress: Callable[[int, int], None] | None = None,
) -> TokenFigures:
    """The tokens that the vector promotes and suppresses at its main layer, read off the model's file; takes some
    seconds for a large vocabulary.

    ``progress`` gets rows of the output matrix done and in all. Raises VectorError, ModelError.
    """
    from localsteer.lens.promoted import promoted_tokens
    from localsteer.steering.vector_file import load_vector

    vector = load_vector(card.path)
    found = promoted_tokens(model, vector.directions[vector.main_layer], count, progress=progress)
    return TokenFigures(vector.main_layer, _tokens(found.promoted), _tokens(found.suppressed))


def cosine(one: Direction, other: Direction) -> float:
    """Cosine of the angle between two directions, float32[n_embd] each; 0 where one of them is zero."""
    import numpy as np

    first, second = one.astype(np.float64), other.astype(np.float64)
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / lengths if lengths else 0.0


def _likenesses(card: VectorCard, vector: SteeringVector, others: Iterable[VectorCard]) -> tuple[Likeness, ...]:
    from localsteer.steering.vector_file import load_vector

    layer, found = vector.main_layer, []
    for other in others:
        fits = other.error is None and other.n_embd == vector.n_embd and layer in other.layers
        if not fits or other.path == card.path:
            continue
        try:
            direction = load_vector(other.path).directions[layer]
        except VectorError:
            continue
        found.append(Likeness(other.name, cosine(vector.directions[layer], direction)))
    return tuple(sorted(found, key=lambda likeness: -abs(likeness.cosine)))


def _scatter(scatter: Scatter | None) -> ScatterFigures | None:
    if scatter is None:
        return None
    return ScatterFigures(scatter.layer, _points(scatter.positive), _points(scatter.negative))


def _points(points: Points) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in points)


def _tokens(tokens: Iterable[PromotedToken]) -> tuple[TokenFigure, ...]:
    return tuple(TokenFigure(token.text, token.score) for token in tokens)
