"""Hidden states of many prompts, evaluated as one token tree: shared beginnings once, a prompt that begins another
for free.

The same hidden states as one prompt after the other, for a fraction of the tokens. Layers above the last one wanted
are never computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from localsteer.errors import ModelError, PromptError
from localsteer.llama.many_sequences import ManySequences, most_sequences
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap
from localsteer.llama.token_trie import TokenTrie, build_tries

_MOST_NODES = 512
"""Per context: attention looks at all of its cache, so a larger one is slower for each token."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class HiddenStates:
    """``states``: float32[n_prompts, n_layers_read, n_embd]; ``residual_norms``: float32[n_layers_read], the mean L2
    norm of the rows read; ``tokens_evaluated``, and how many it would have been ``tokens_one_by_one``.
    """

    states: npt.NDArray[np.float32]
    layers: tuple[int, ...]
    tokens_evaluated: int
    tokens_one_by_one: int
    residual_norms: npt.NDArray[np.float32]


def read_hidden_states(
    model: Model,
    prompts: Sequence[Sequence[int]],
    spans: Sequence[tuple[int, int]] | None = None,
    *,
    layers: Sequence[int],
    n_threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> HiddenStates:
    """For each prompt the mean of its hidden states over the positions ``[begin, end)`` of its span; default: the
    last token.

    ``layers``: which blocks' outputs, 0 <= layer < n_layer. ``progress`` gets tokens done and tokens in all. Raises
    PromptError for an empty prompt or one longer than the model's context, ModelError if the architecture does not
    show its hidden states, Stopped if ``should_stop`` says so.
    """
    _check(model, prompts, layers)
    tries = build_tries(prompts, max_sequences=most_sequences(model), max_nodes=_MOST_NODES)
    return _Reading(model, prompts, spans, tuple(layers)).run(tries, n_threads, progress, should_stop)


def read_one_by_one(
    model: Model,
    prompts: Sequence[Sequence[int]],
    spans: Sequence[tuple[int, int]] | None = None,
    *,
    layers: Sequence[int],
    n_threads: int | None = None,
) -> HiddenStates:
    """The same, each prompt by itself: the plain way that :func:`read_hidden_states` is measured against."""
    _check(model, prompts, layers)
    tries = [
        TokenTrie(
            tokens=np.array(prompt, dtype=np.int32),
            depths=np.arange(len(prompt), dtype=np.int32),
            sequences=(np.zeros(1, dtype=np.int32),) * len(prompt),
            texts=(number,),
            paths=(np.arange(len(prompt), dtype=np.int64),),
            leaves=(0,),
        )
        for number, prompt in enumerate(prompts)
    ]
    return _Reading(model, prompts, spans, tuple(layers)).run(tries, n_threads, None, None)


def _check(model: Model, prompts: Sequence[Sequence[int]], layers: Sequence[int]) -> None:
    if not prompts or not layers:
        raise ValueError("there must be a prompt and a layer to read")
    if not all(0 <= layer < model.n_layer for layer in layers):
        raise ValueError(f"layers {list(layers)} are not all between 0 and {model.n_layer - 1}")
    for prompt in prompts:
        if not prompt:
            raise PromptError("A prompt is empty; there is nothing to read at it.")
        if len(prompt) > model.n_ctx_train:
            raise PromptError(
                f"A prompt takes {len(prompt)} tokens, but {model.name} was trained for {model.n_ctx_train}; "
                "shorten it."
            )


class _Reading:
    """Sums up rows while the trees are evaluated."""

    def __init__(
        self,
        model: Model,
        prompts: Sequence[Sequence[int]],
        spans: Sequence[tuple[int, int]] | None,
        layers: tuple[int, ...],
    ) -> None:
        self._model = model
        self._layers = layers
        self._spans = spans or [(len(prompt) - 1, len(prompt)) for prompt in prompts]
        self._total = sum(len(prompt) for prompt in prompts)
        self._states = np.zeros((len(prompts), len(layers), model.n_embd), dtype=np.float32)
        self._norms = np.zeros(len(layers), dtype=np.float64)
        self._rows_read = 0
        self._rows: dict[int, npt.NDArray[np.float32]] = {}
        for prompt, (begin, end) in zip(prompts, self._spans, strict=True):
            if not 0 <= begin < end <= len(prompt):
                raise ValueError(f"span ({begin}, {end}) does not lie in a prompt of {len(prompt)} tokens")

    def run(
        self,
        tries: Sequence[TokenTrie],
        n_threads: int | None,
        progress: Progress | None,
        should_stop: Callable[[], bool] | None,
    ) -> HiddenStates:
        """Evaluate the trees one after the other in one context."""
        n_nodes = sum(len(trie.tokens) for trie in tries)
        done = 0
        last = max(self._layers)
        tap = ResidualTap(self._model.n_embd, self._layers, read=self._keep, stop_after=last)
        with ManySequences(
            self._model,
            n_sequences=max(trie.n_sequences for trie in tries),
            n_ctx=max(len(trie.tokens) for trie in tries),
            n_threads=n_threads,
            tap=tap,
            exact=True,
            should_stop=should_stop,
        ) as context:
            for trie in tries:
                context.clear()
                nodes, texts = self._wanted(trie)
                # Only at the last block are rows missing that are no outputs.
                outputs = np.zeros(len(trie.tokens), dtype=np.bool_)
                outputs[nodes] = last == self._model.n_layer - 1

                for begin, end, output_nodes in context.evaluate(trie, outputs):
                    first, behind = np.searchsorted(nodes, [begin, end])
                    self._add(begin, nodes[first:behind], texts[first:behind], output_nodes)
                    done += end - begin
                    if progress is not None:
                        progress(done, n_nodes)
        counts = np.array([end - begin for begin, end in self._spans], dtype=np.float32)
        return HiddenStates(
            states=self._states / counts[:, None, None],
            layers=self._layers,
            tokens_evaluated=n_nodes,
            tokens_one_by_one=self._total,
            residual_norms=(self._norms / max(1, self._rows_read)).astype(np.float32),
        )

    def _wanted(self, trie: TokenTrie) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Nodes whose rows are read and the text that each is read for, in the order of the nodes."""
        nodes: list[npt.NDArray[np.int64]] = []
        texts: list[int] = []
        for text, path in zip(trie.texts, trie.paths, strict=True):
            begin, end = self._spans[text]
            nodes.append(path[begin:end])
            texts.extend([text] * (end - begin))
        joined = np.concatenate(nodes)
        order = np.argsort(joined, kind="stable")
        return joined[order], np.array(texts, dtype=np.int64)[order]

    def _keep(self, layer: int, rows: npt.NDArray[np.float32]) -> None:
        self._rows[layer] = rows

    def _add(
        self,
        begin: int,
        nodes: npt.NDArray[np.int64],
        texts: npt.NDArray[np.int64],
        output_nodes: npt.NDArray[np.int64],
    ) -> None:
        self._rows_read += len(nodes)
        for place, layer in enumerate(self._layers):
            rows = self._rows.pop(layer, None)
            if not len(nodes):
                continue
            if rows is None:
                raise ModelError(
                    f"llama.cpp does not show the hidden states of the architecture {self._model.architecture}; "
                    "no vectors can be made for this model."
                )
            at = np.searchsorted(output_nodes, nodes) if layer == self._model.n_layer - 1 else nodes - begin
            read = rows[at]
            np.add.at(self._states[:, place], texts, read)
            self._norms[place] += float(np.linalg.norm(read, axis=1).sum())
