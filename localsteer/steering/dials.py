"""Dials: vectors in use, summed into the buffers that llama.cpp adds to the residual stream. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from localsteer.errors import DialError, VectorError
from localsteer.steering.scope import SCOPES, Scope, check_scope
from localsteer.steering.vector import SteeringVector

__all__ = ["SCOPES", "Buffer", "Dial", "Scope", "ScopeBuffers", "added", "buffers", "check_scope"]

Buffer: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Dial:
    """A vector in use. ``layers`` None means the vector's own default layers.

    Raises :class:`DialError` for a strength that is not a finite number, an unknown scope, or a layer without a
    direction.
    """

    vector: SteeringVector
    strength: float
    layers: tuple[int, ...] | None = None
    scope: Scope = "reply"
    on: bool = True

    def __post_init__(self) -> None:
        if not math.isfinite(self.strength):
            raise DialError(
                f'The strength of "{self.vector.name}" is {self.strength}; it must be a finite number, like 0.5 or -1.'
            )
        check_scope(self.scope)
        for layer in self.layers or ():
            if layer not in self.vector.directions:
                held = sorted(self.vector.directions)
                raise DialError(
                    f'The vector "{self.vector.name}" has no direction for layer {layer}; '
                    f"its layers are {held[0]} to {held[-1]}."
                )
        if self.layers is not None and not self.layers:
            raise DialError(
                f'The dial "{self.vector.name}" has no layers; name at least one, or none for its default ones.'
            )

    @property
    def active_layers(self) -> tuple[int, ...]:
        """The layers that are steered, ordered."""
        return tuple(sorted(set(self.layers or self.vector.default_layers)))


@dataclass(frozen=True, slots=True, eq=False)
class ScopeBuffers:
    """What is added to prompt tokens and to reply tokens; None = nothing at all, the model runs unsteered.

    ``front``: what is added to the first tokens of the user's message instead of ``prompt``, one for each position.
    Each buffer is float32[(n_layer − 1) · n_embd], layer 1 first: the form of ``llama_set_adapter_cvec``.
    """

    prompt: Buffer | None
    reply: Buffer | None
    front: tuple[Buffer | None, ...] = ()


def buffers(dials: Iterable[Dial], n_layer: int, n_embd: int) -> ScopeBuffers:
    """All dials as one buffer per scope: at each layer the sum of strength · direction.

    Scope ``reply`` counts in the reply, ``everything`` in both, ``prompt-start`` at the front of the user's message,
    position by position. The order of the dials does not matter, not even to the last bit; a dial that is off or at 0
    changes nothing. Raises :class:`VectorError` for a vector of another size and :class:`DialError` for strengths so
    large that the sum is no float32, and for scope ``prompt-start`` of a vector that knows no positions.
    """
    turned = [dial for dial in dials if dial.on and dial.strength != 0.0]
    for dial in turned:
        if dial.scope == "prompt-start" and not dial.vector.front:
            raise DialError(
                f'"{dial.vector.name}" has no directions for single positions, so it has no scope prompt-start; '
                "use reply or everything, or make it from two texts with --method actadd."
            )
        _check_size(dial, n_layer, n_embd)
    everywhere = [dial for dial in turned if dial.scope == "everything"]
    at_front = [dial for dial in turned if dial.scope == "prompt-start"]
    n_positions = max((dial.vector.n_positions for dial in at_front), default=0)
    return ScopeBuffers(
        prompt=_summed(everywhere, n_layer, n_embd),
        reply=_summed([dial for dial in turned if dial.scope != "prompt-start"], n_layer, n_embd),
        front=tuple(_summed([*everywhere, *at_front], n_layer, n_embd, place) for place in range(n_positions)),
    )


def added(dial: Dial, n_layer: int, n_embd: int) -> Buffer:
    """What ``dial`` adds to a reply: float32[n_layer − 1, n_embd], layer 1 first, zeros for nothing. Raises as
    :func:`buffers`.
    """
    summed = buffers([dial], n_layer, n_embd).reply
    return np.zeros((n_layer - 1, n_embd), np.float32) if summed is None else summed.reshape(n_layer - 1, n_embd)


def _check_size(dial: Dial, n_layer: int, n_embd: int) -> None:
    vector = dial.vector
    if vector.n_embd != n_embd or dial.active_layers[-1] >= n_layer:
        raise VectorError(
            f'The vector "{vector.name}" ({vector.n_embd} wide, up to layer {dial.active_layers[-1]}) does not fit '
            f"a model {n_embd} wide with steerable layers 1 to {n_layer - 1}; make it again for this model."
        )


def _summed(dials: list[Dial], n_layer: int, n_embd: int, position: int = 0) -> Buffer | None:
    if not dials:
        return None
    total = np.zeros((n_layer - 1, n_embd), dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        # Floating-point sums depend on their order, and equal mixes shall be equal to the last bit.
        for dial in sorted(dials, key=_place):
            for layer in dial.active_layers:
                added = _direction(dial, layer, position)
                if added is not None:
                    total[layer - 1] += dial.strength * added
        summed = total.astype(np.float32)
    if not np.isfinite(summed).all():
        strongest = max(dials, key=lambda dial: abs(dial.strength))
        raise DialError(
            f'The strength {strongest.strength:g} of "{strongest.vector.name}" is too large to be added; turn it down.'
        )
    return summed.reshape(-1) if summed.any() else None


def _direction(dial: Dial, layer: int, position: int) -> Buffer | None:
    """What the dial adds at this layer and, in scope ``prompt-start``, at this position; None for nothing."""
    if dial.scope != "prompt-start":
        return dial.vector.directions[layer]
    rows = dial.vector.front.get(layer)
    return None if rows is None or position >= len(rows) else rows[position]


def _place(dial: Dial) -> tuple[str, str, float, tuple[int, ...], int]:
    vector = dial.vector
    return vector.name, vector.recipe_digest, dial.strength, dial.active_layers, id(vector)
