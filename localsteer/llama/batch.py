"""Many replies written at once, each under its own strength of one vector.

Decoding many sequences together reads the weights once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import numpy as np
import numpy.typing as npt

from localsteer.llama.front import Front, Places
from localsteer.llama.many_sequences import N_BATCH, ManySequences, most_sequences
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap
from localsteer.llama.row_steering import RowSteering
from localsteer.llama.sampling import Sampler, Sampling
from localsteer.llama.token_trie import TokenTrie, build_tries

_AT_ONCE = 32
_AT_ONCE_IN_SMALL_MODELS = 16
_SMALL_MODEL = 50_000_000
"""Parameters. Reading its weights is cheap; looking at what the other sequences left in the cache is not."""
_POSITIONS_AT_ONCE = 8192
"""Of all sequences together: what the cache of a context has to hold, and what attention looks through."""

Progress = Callable[[int, int], None]


def generate_many(
    model: Model,
    prompts: Sequence[Sequence[int]],
    *,
    steered_from: Sequence[int],
    directions: npt.NDArray[np.float32] | None,
    strengths: Sequence[float],
    n_tokens: int,
    front: Front | None = None,
    temperature: float = 0.8,
    seed: int = 0,
    n_threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[list[int]]:
    """Continue each prompt by at most ``n_tokens`` tokens; a reply that ends keeps its end token.

    Prompt i is steered from its position ``steered_from[i]`` on by ``strengths[i] * directions``, where
    ``directions`` is float32[n_layer - 1, n_embd] for the layers 1 to n_layer - 1, or None for none. ``front`` is added
    to the beginnings of all prompts, before that. Sequence i draws
    with ``seed + i``. ``progress`` gets the tokens written so far and the most there can be. Raises Stopped if
    ``should_stop`` says so.
    """
    replies: list[list[int]] = [[] for _ in prompts]
    own = n_tokens + max((len(prompt) - begin for prompt, begin in zip(prompts, steered_from, strict=True)), default=0)
    wanted = _AT_ONCE if model.n_params > _SMALL_MODEL else _AT_ONCE_IN_SMALL_MODELS
    at_once = max(1, min(wanted, most_sequences(model), _POSITIONS_AT_ONCE // own))
    for first in range(0, len(prompts), at_once):
        group = range(first, min(first + at_once, len(prompts)))
        before = first * n_tokens

        def tell(done: int, _total: int) -> None:
            if progress is not None:
                progress(before + done, len(prompts) * n_tokens)  # noqa: B023

        writing = _Writing(model, directions, np.array([strengths[i] for i in group], dtype=np.float32), front)
        written = writing.run(
            [list(prompts[i]) for i in group],
            [min(steered_from[i], len(prompts[i]) - 1) for i in group],
            [Sampling(temperature=temperature, seed=seed + i) for i in group],
            n_tokens,
            n_threads,
            tell,
            should_stop,
        )
        for i, reply in zip(group, written, strict=True):
            replies[i] = reply
    return replies


class _Writing:
    """One group of sequences."""

    def __init__(
        self,
        model: Model,
        directions: npt.NDArray[np.float32] | None,
        strengths: npt.NDArray[np.float32],
        front: Front | None,
    ) -> None:
        self._model = model
        additions = {
            layer + 1: strengths[:, None] * np.ascontiguousarray(row, dtype=np.float32)
            for layer, row in enumerate(directions if directions is not None else ())
        }
        self._steering = RowSteering(additions, model.n_layer)
        self._front = front
        self._positions: Places = np.zeros(0, dtype=np.int32)

    def run(
        self,
        prompts: list[list[int]],
        steered_from: list[int],
        samplings: list[Sampling],
        n_tokens: int,
        n_threads: int | None,
        progress: Progress,
        should_stop: Callable[[], bool] | None,
    ) -> list[list[int]]:
        model = self._model
        heads = [prompt[:begin] for prompt, begin in zip(prompts, steered_from, strict=True)]
        trie = _shared(heads)
        tails = sum(len(prompt) - len(head) + n_tokens for prompt, head in zip(prompts, heads, strict=True))
        n_ctx = tails + (len(trie.tokens) if trie is not None else 0)
        layers = {*self._steering.layers, *(self._front.layers if self._front is not None else ())}
        tap = ResidualTap(model.n_embd, layers, write=self._write) if layers else None
        replies: list[list[int]] = [[] for _ in prompts]
        with ExitStack() as open_things:
            context = open_things.enter_context(
                ManySequences(
                    model,
                    n_sequences=len(prompts),
                    n_ctx=n_ctx,
                    n_threads=n_threads,
                    tap=tap,
                    should_stop=should_stop,
                )
            )
            samplers = [open_things.enter_context(Sampler(one, model.n_vocab)) for one in samplings]
            self._read_heads(context, heads, trie)
            first = self._read_tails(context, prompts, steered_from, samplers)
            going = list(range(len(prompts)))
            drawn = first
            while going:
                for sequence in going:
                    replies[sequence].append(drawn[sequence])
                progress(sum(map(len, replies)), len(prompts) * n_tokens)
                going = [
                    sequence
                    for sequence in going
                    if len(replies[sequence]) < n_tokens and not model.is_end(drawn[sequence])
                ]
                if going:
                    positions = [len(prompts[sequence]) + len(replies[sequence]) - 1 for sequence in going]
                    self._decode(context, [drawn[s] for s in going], positions, going, np.ones(len(going), np.bool_))
                    drawn = {
                        sequence: samplers[sequence].sample(context.handle, row) for row, sequence in enumerate(going)
                    }
        return replies

    def _read_heads(self, context: ManySequences, heads: list[list[int]], trie: TokenTrie | None) -> None:
        """What is not steered, each shared beginning once."""
        self._steering.rest()
        if trie is None:
            return
        numbers = [number for number, head in enumerate(heads) if head]
        names = np.empty(len(numbers), dtype=np.int32)
        names[list(trie.leaves)] = [numbers[text] for text in trie.texts]
        nothing = np.zeros(len(trie.tokens), dtype=np.bool_)
        for begin in range(0, len(trie.tokens), N_BATCH):
            part = slice(begin, begin + N_BATCH)
            sequences = [names[sequence] for sequence in trie.sequences[part]]
            self._positions = np.asarray(trie.depths[part], dtype=np.int32)
            context.decode(trie.tokens[part], trie.depths[part], sequences, nothing[part])
        self._positions = np.zeros(0, dtype=np.int32)

    def _read_tails(
        self, context: ManySequences, prompts: list[list[int]], steered_from: list[int], samplers: list[Sampler]
    ) -> dict[int, int]:
        """What is steered of the prompts, and the first token of each reply."""
        drawn: dict[int, int] = {}
        waiting = [
            (sequence, position, position == len(prompt) - 1)
            for sequence, prompt in enumerate(prompts)
            for position in range(steered_from[sequence], len(prompt))
        ]
        for begin in range(0, len(waiting), N_BATCH):
            part = waiting[begin : begin + N_BATCH]
            sequences = [sequence for sequence, _, _ in part]
            outputs = np.array([last for _, _, last in part])
            tokens = [prompts[sequence][position] for sequence, position, _ in part]
            self._decode(context, tokens, [position for _, position, _ in part], sequences, outputs)
            for row in np.flatnonzero(outputs):
                drawn[sequences[row]] = samplers[sequences[row]].sample(context.handle, int(row))
        return drawn

    def _decode(
        self,
        context: ManySequences,
        tokens: list[int],
        positions: list[int],
        sequences: list[int],
        outputs: npt.NDArray[np.bool_],
    ) -> None:
        self._steering.begin(sequences, outputs)
        context.decode(
            np.array(tokens, dtype=np.int32),
            np.array(positions, dtype=np.int32),
            [np.array([sequence], dtype=np.int32) for sequence in sequences],
            outputs,
        )

    def _write(self, layer: int, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
        if self._front is not None and len(self._positions) == len(rows) and self._front.covers(self._positions):
            return self._front.added(layer, self._positions, rows)
        return self._steering.added(layer, rows)


def _shared(heads: list[list[int]]) -> TokenTrie | None:
    """The tree of those that are not empty, with a sequence for each."""
    texts = [head for head in heads if head]
    if not texts:
        return None
    (trie,) = build_tries(texts, max_sequences=len(texts), max_nodes=sum(map(len, texts)), share=False)
    return trie
