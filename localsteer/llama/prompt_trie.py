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
from localsteer.llama.residuals import ResidualTap, Rows
from localsteer.llama.token_trie import TokenTrie, build_tries

_MOST_NODES = 512
"""Per context: attention looks at all of its cache, so a larger one is slower for each token."""

_N_BATCH = 256
"""Tokens computed together. The first ones of a tree need not look at places that only later ones fill."""

Progress = Callable[[int, int], None]
_NOTHING = np.zeros(0, dtype=np.int64)


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


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Nodes whose rows are read and the text that each is read for, int64[n] each, in the order of the nodes."""

    nodes: npt.NDArray[np.int64]
    texts: npt.NDArray[np.int64]

    def between(self, begin: int, end: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Those of the nodes ``begin`` to ``end`` - 1."""
        first, behind = np.searchsorted(self.nodes, [begin, end])
        return self.nodes[first:behind], self.texts[first:behind]


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
        self._wanted = _Wanted(_NOTHING, _NOTHING)
        self._outputs = _NOTHING
        self._begin = 0
        self._seen: set[int] = set()
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
        tap = ResidualTap(self._model.n_embd, self._layers, read=self._add, stop_after=last, most_rows=_N_BATCH)
        with ManySequences(
            self._model,
            n_sequences=max(trie.n_sequences for trie in tries),
            n_ctx=max(len(trie.tokens) for trie in tries),
            n_batch=_N_BATCH,
            n_threads=n_threads,
            tap=tap,
            exact=True,
            should_stop=should_stop,
        ) as context:
            for trie in tries:
                context.clear()
                self._wanted = self._wanted_of(trie)
                self._begin = 0
                # Only at the last block are rows missing that are no outputs.
                outputs = np.zeros(len(trie.tokens), dtype=np.bool_)
                outputs[self._wanted.nodes] = last == self._model.n_layer - 1
                self._outputs = np.flatnonzero(outputs)
                for begin, end, _ in context.evaluate(trie, outputs):
                    self._check_seen(begin, end)
                    self._begin = end
                    done += end - begin
                    if progress is not None:
                        progress(done, n_nodes)
        counts = np.array([end - begin for begin, end in self._spans], dtype=np.float32)
        if (counts != 1).any():
            self._states /= counts[:, None, None]
        return HiddenStates(
            states=self._states,
            layers=self._layers,
            tokens_evaluated=n_nodes,
            tokens_one_by_one=self._total,
            residual_norms=(self._norms / max(1, self._rows_read)).astype(np.float32),
        )

    def _wanted_of(self, trie: TokenTrie) -> _Wanted:
        """What is read of this tree."""
        nodes: list[npt.NDArray[np.int64]] = []
        texts: list[int] = []
        for text, path in zip(trie.texts, trie.paths, strict=True):
            begin, end = self._spans[text]
            nodes.append(path[begin:end])
            texts.extend([text] * (end - begin))
        joined = np.concatenate(nodes)
        order = np.argsort(joined, kind="stable")
        return _Wanted(joined[order], np.array(texts, dtype=np.int64)[order])

    def _add(self, layer: int, rows: Rows) -> None:
        """``rows``: those of the batch that begins at node ``_begin``, which the next layer overwrites."""
        self._seen.add(layer)
        shown: npt.NDArray[np.int64] | None = None
        behind = self._begin + len(rows)
        if layer == self._model.n_layer - 1:
            first = int(np.searchsorted(self._outputs, self._begin))
            shown = self._outputs[first : first + len(rows)]
            behind = int(shown[-1]) + 1 if len(shown) else self._begin
        nodes, texts = self._wanted.between(self._begin, behind)
        if not len(nodes):
            return
        read = rows[nodes - self._begin if shown is None else np.searchsorted(shown, nodes)]
        place = self._layers.index(layer)
        self._norms[place] += float(np.linalg.norm(read, axis=1).sum())
        # A text that is read at several of these rows gets their sum, the first ones first.
        order = np.argsort(texts, kind="stable")
        numbers, starts = np.unique(texts[order], return_index=True)
        if len(numbers) < len(texts):
            read = np.add.reduceat(read[order], starts, axis=0)
        else:
            numbers = texts
        self._states[numbers, place] += read

    def _check_seen(self, begin: int, end: int) -> None:
        """After a batch: every layer has been shown, where any of it was to be read."""
        nodes, _ = self._wanted.between(begin, end)
        self._rows_read += len(nodes)
        seen, self._seen = self._seen, set()
        if len(nodes) and not seen.issuperset(self._layers):
            raise ModelError(
                f"llama.cpp does not show the hidden states of the architecture {self._model.architecture}; "
                "no vectors can be made for this model."
            )
