"""From an expression and the vectors it names to the one vector that it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from localsteer.errors import DialError
from localsteer.steering.expressions import Expression, Named, Scaled, Sum, Term, Without, leaves
from localsteer.steering.vector import SteeringVector

_MOST_POLES = 3
_NOTHING = 1e-5
"""What is left of vectors that cancel out: rounding, in float32."""

_Poles = tuple[tuple[str, ...], tuple[str, ...]]


def combine(expression: Expression, vectors: Mapping[str, SteeringVector]) -> SteeringVector:
    """The vector that ``expression`` means; its name is the expression's text.

    A sum adds what the dials of its parts would add at once: each part counts at the layers that it steers by default,
    and with ``@layers`` at those. A multiple of one vector keeps its poles and measured strengths; a mixture has none
    that were measured. Raises :class:`DialError` where nothing is left, or where no part has a direction for a layer
    that is asked for, :class:`VectorError` for vectors of models of different size.
    """
    vector = _value(expression.term, vectors, at_own_layers=expression.layers is None)
    if expression.layers is not None and expression.layers != vector.default_layers:
        _check_layers(expression, vector)
        vector = vector.with_default_layers(expression.layers)
    if _size(vector) <= _NOTHING * sum(_size(vectors[named.name]) for named in leaves(expression.term)):
        raise DialError(f'"{expression}" comes to nothing: no direction is left to steer along.')
    negative, positive = _poles(expression.term, vectors)
    stamps = [one.model for one in vectors.values()]
    return replace(
        vector,
        name=str(expression),
        negative_pole=_spoken(negative),
        positive_pole=_spoken(positive),
        model=next((stamp for stamp in stamps if stamp.model_id), vector.model),
        recipe_digest="",
    )


def _value(term: Term, vectors: Mapping[str, SteeringVector], *, at_own_layers: bool) -> SteeringVector:
    match term:
        case Named(name=name):
            return vectors[name]
        case Scaled(factor=factor, of=of):
            return factor * _value(of, vectors, at_own_layers=at_own_layers)
        case Sum(one=first, other=second):
            one, other = (_value(part, vectors, at_own_layers=at_own_layers) for part in (first, second))
            return _added_where_they_steer(one, other) if at_own_layers else one + other
        case Without(one=first, other=second):
            one, other = (_value(part, vectors, at_own_layers=at_own_layers) for part in (first, second))
            return one.without(other)


def _added_where_they_steer(one: SteeringVector, other: SteeringVector) -> SteeringVector:
    """Their sum, but a layer that only one of them steers by default gets that one alone."""
    both = one + other
    directions = dict(both.directions)
    for layer in both.default_layers:
        steering = [part for part in (one, other) if layer in part.default_layers]
        if len(steering) == 1:
            directions[layer] = steering[0].directions[layer]
    return replace(both, directions=directions)


def _check_layers(expression: Expression, vector: SteeringVector) -> None:
    for layer in expression.layers or ():
        if layer not in vector.directions:
            held = sorted(vector.directions)
            raise DialError(
                f'In "{expression}" no vector has a direction for layer {layer}; there are layers {held[0]} to '
                f"{held[-1]}."
            )


def _size(vector: SteeringVector) -> float:
    return float(np.sqrt(sum(vector.layers[layer].norm ** 2 for layer in vector.default_layers)))


def _poles(term: Term, vectors: Mapping[str, SteeringVector]) -> _Poles:
    """The names of the negative and of the positive end; empty where a part does not name its own."""
    match term:
        case Named(name=name):
            vector = vectors[name]
            known = vector.negative_pole and vector.positive_pole
            return ((vector.negative_pole,), (vector.positive_pole,)) if known else ((), ())
        case Scaled(factor=factor, of=of):
            negative, positive = _poles(of, vectors)
            return (positive, negative) if factor < 0 else (negative, positive)
        case Without(one=one):
            return _poles(one, vectors)
        case Sum(one=one, other=other):
            sides = [_poles(part, vectors) for part in (one, other)]
            if not all(positive for _, positive in sides):
                return (), ()
            negative, positive = (tuple(dict.fromkeys((*sides[0][end], *sides[1][end]))) for end in (0, 1))
            return negative, positive


def _spoken(poles: tuple[str, ...]) -> str:
    return ", ".join(poles[:_MOST_POLES]) + (", …" if len(poles) > _MOST_POLES else "")
