"""Which layers of a model can be steered: all but the first, whose output llama.cpp leaves alone."""

from __future__ import annotations

from collections.abc import Iterable

from localsteer.errors import DialError


def check_layers(layers: Iterable[int], model: str, n_layer: int) -> None:
    """Raise DialError for a layer that the model called ``model``, with ``n_layer`` layers, cannot be steered at."""
    for layer in layers:
        if not 1 <= layer < n_layer:
            raise DialError(f"Layer {layer} cannot be steered; {model} has layers 1 to {n_layer - 1}.")
