"""Gauges for the loaded model: its vectors, and the neutral text that their zero comes from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from localsteer.engine.protocol import DialSetting
from localsteer.errors import DialError, ModelError
from localsteer.evaluation.neutral import EVERYDAY
from localsteer.llama.chat_template import render
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap, Rows
from localsteer.llama.spans import Span
from localsteer.llama.steering import UNSTEERED
from localsteer.messages import Message
from localsteer.steering.reading import Gauge, make_gauge, reading_layer
from localsteer.steering.vector import SteeringVector

if TYPE_CHECKING:
    from localsteer.engine.desk import Desk


def vectors_to_read(
    desk: Desk, dials: Sequence[DialSetting], layer: int | None = None
) -> list[tuple[SteeringVector, int]]:
    """The vector of each dial and the layer it is read at, ``layer`` or where the dial's layers begin.

    Raises VectorError for one that cannot be read or does not fit, DialError for a layer that cannot be read.
    """
    found = []
    for dial in dials:
        vector = desk.mixer.vector(dial)
        layers = dial.layers or vector.default_layers
        found.append((vector, reading_layer(layers, desk.model.n_layer) if layer is None else layer))
    for _, chosen in found:
        if not 1 <= chosen < desk.model.n_layer - 1:
            raise DialError(
                f"Layer {chosen} cannot be read token by token; {desk.model.name} has layers 1 to "
                f"{desk.model.n_layer - 2} for that."
            )
    return found


def make_gauges(
    desk: Desk, vectors: Sequence[tuple[SteeringVector, int]], should_stop: Callable[[], bool]
) -> list[Gauge]:
    """A gauge for each vector at its layer. The first time, everyday messages are read at that layer.

    Raises VectorError, ModelError where the architecture does not show its hidden states, Stopped.
    """
    missing = {layer for _, layer in vectors} - desk.neutral.keys()
    if missing:
        desk.neutral.update(_read_neutral(desk.model, missing, desk.context.n_threads, should_stop))
    return [make_gauge(vector, layer, desk.neutral[layer]) for vector, layer in vectors]


def read_rows(
    model: Model,
    prompts: Sequence[Sequence[Span]],
    layers: Collection[int],
    read: Callable[[int, int, Rows], None],
    *,
    n_threads: int,
    should_stop: Callable[[], bool],
    progress: Callable[[int, int], None] | None = None,
) -> list[int]:
    """Evaluate ``prompts`` one after the other in a context of their own. ``read`` gets (number of the prompt, layer,
    float32[n, n_embd]) batch by batch; the beginning that a prompt shares with the one before it is not read again.
    Gives for each prompt how many of its tokens that were.

    Raises ModelError, Stopped.
    """
    number = 0
    tap = ResidualTap(
        model.n_embd, layers, read=lambda layer, rows: read(number, layer, rows), stop_after=max(layers, default=None)
    )
    longest = max(sum(len(tokens) for tokens, _ in spans) for spans in prompts)
    shared = []
    with Context(model, n_ctx=longest, n_threads=n_threads, tap=tap) as context:
        for number, spans in enumerate(prompts):  # noqa: B007 (the tap looks at it)
            shared.append(context.evaluate(spans, should_stop=should_stop, progress=progress).reused)
    if not tap.seen >= set(layers):
        raise ModelError(
            f"llama.cpp does not show the hidden states of the architecture {model.architecture}; "
            "nothing can be read along a vector in this model."
        )
    return shared


def _read_neutral(
    model: Model, layers: Collection[int], n_threads: int, should_stop: Callable[[], bool]
) -> dict[int, Rows]:
    """States of the texts of everyday messages, without those of the chat template around them."""
    prompts, spans = [], []
    for text in EVERYDAY:
        pieces = render(model, [Message("user", text)])
        tokens = [token for piece in pieces for token in piece.tokens]
        begin = pieces[0].front if pieces[0].reply is None else 0
        prompts.append([(tokens, UNSTEERED)])
        spans.append((begin, min(begin + len(model.tokenize(text, continues=True)), len(tokens))))
    rows: dict[int, list[list[Rows]]] = {layer: [[] for _ in prompts] for layer in layers}
    shared = read_rows(
        model,
        prompts,
        layers,
        lambda number, layer, states: rows[layer][number].append(states),
        n_threads=n_threads,
        should_stop=should_stop,
    )
    return {
        layer: np.concatenate(
            [
                np.concatenate(of_prompt)[max(0, begin - known) : max(0, end - known)]
                for of_prompt, (begin, end), known in zip(found, spans, shared, strict=True)
            ]
        )
        for layer, found in rows.items()
    }
