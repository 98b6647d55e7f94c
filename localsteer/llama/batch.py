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
from localsteer.llama.threads import SMALL

_AT_ONCE = 64
_AT_ONCE_IN_SMALL_MODELS = 16
_CACHE_BYTES = 1 << 30
_CACHE_STEP = 256
"""llama.cpp rounds the length of a cache up to a multiple of this."""

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
    at_once = _even_share(len(prompts), _most_at_once(model, max(map(len, prompts), default=0) + n_tokens))
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


def _apart(model: Model) -> bool:
    """Whether each sequence should have a cache of its own, so that none looks through what the others have written.

    With 135 million parameters 64 sequences of 70 tokens together are 2.7 times as fast so as over one cache. In a
    small model what each sequence costs for itself comes to more: 16 sequences take twice as long.
    """
    return model.n_params >= SMALL


def _most_at_once(model: Model, length: int) -> int:
    """Sequences of ``length`` tokens each."""
    if not _apart(model):
        return min(_AT_ONCE_IN_SMALL_MODELS, most_sequences(model))
    each = -(-length // _CACHE_STEP) * _CACHE_STEP * model.cache_bytes_per_token
    return max(1, min(_AT_ONCE, most_sequences(model), _CACHE_BYTES // max(1, each)))


def _even_share(count: int, most: int) -> int:
    """So many at once that no group of ``count`` is much smaller than the others."""
    groups = max(1, -(-count // most))
    return max(1, -(-count // groups))


class _Writing:
    """One group of sequences. Those that still go on have the numbers from 0 on: llama.cpp computes only neighbours
    together.
    """

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
        layers = {*self._steering.layers, *(self._front.layers if self._front is not None else ())}
        tap = ResidualTap(model.n_embd, layers, write=self._write) if layers else None
        replies: list[list[int]] = [[] for _ in prompts]
        with ExitStack() as open_things:
            context = open_things.enter_context(
                ManySequences(
                    model,
                    n_sequences=len(prompts),
                    n_ctx=len(prompts) * (max(map(len, prompts)) + n_tokens),
                    n_threads=n_threads,
                    tap=tap,
                    as_chat=True,
                    apart=_apart(model),
                    should_stop=should_stop,
                )
            )
            samplers = [open_things.enter_context(Sampler(one, model.n_vocab)) for one in samplings]
            # Which prompt each sequence continues; those with most to read first, so that they end one after the other.
            going = sorted(range(len(prompts)), key=lambda one: steered_from[one] - len(prompts[one]))
            self._read_heads(context, [prompts[one][: steered_from[one]] for one in going])
            tails = [prompts[one][steered_from[one] :] for one in going]
            drawn = self._read_tails(context, going, tails, [steered_from[one] for one in going], samplers)
            while True:
                for one in going:
                    replies[one].append(drawn[one])
                progress(sum(map(len, replies)), len(prompts) * n_tokens)
                for sequence in reversed(range(len(going))):
                    one = going[sequence]
                    if len(replies[one]) >= n_tokens or model.is_end(drawn[one]):
                        _close_ranks(context, going, sequence)
                if not going:
                    return replies
                positions = [len(prompts[one]) + len(replies[one]) - 1 for one in going]
                self._decode(context, going, [[drawn[one]] for one in going], positions, outputs=True)
                drawn = {one: samplers[one].sample(context.handle, row) for row, one in enumerate(going)}

    def _read_heads(self, context: ManySequences, heads: list[list[int]]) -> None:
        """What is not steered: what all have in common once, and what several have in common once for these."""
        self._steering.rest()
        sequences: dict[tuple[int, ...], list[int]] = {}
        for sequence, tokens in enumerate(heads):
            sequences.setdefault(tuple(tokens), []).append(sequence)
        differ = (at for at, column in enumerate(zip(*sequences, strict=False)) if len(set(column)) > 1)
        shared = next(differ, min(map(len, sequences)))
        first, *others = (members[0] for members in sequences.values())
        self._read(context, first, heads[first][:shared], 0)
        if shared:
            for other in others:
                context.copy(first, other)
        for head, (leader, *members) in sequences.items():
            if not head:
                continue
            self._read(context, leader, head[shared:], shared)
            for member in members:
                context.copy(leader, member)
        self._positions = np.zeros(0, dtype=np.int32)

    def _read(self, context: ManySequences, sequence: int, tokens: Sequence[int], position: int) -> None:
        for begin in range(0, len(tokens), N_BATCH):
            part = np.array(tokens[begin : begin + N_BATCH], dtype=np.int32)
            self._positions = position + begin + np.arange(len(part), dtype=np.int32)
            own = np.array([sequence], dtype=np.int32)
            context.decode(part, self._positions, [own] * len(part), np.zeros(len(part), np.bool_))

    def _read_tails(
        self,
        context: ManySequences,
        going: list[int],
        tails: list[list[int]],
        begins: list[int],
        samplers: list[Sampler],
    ) -> dict[int, int]:
        """What is steered of the prompts, the longest of ``tails`` first, and the first token of each reply."""
        drawn: dict[int, int] = {}
        done, left = 0, len(tails)
        while left:
            # As far as the shortest goes; every sequence has to bring equally many tokens.
            end = min(len(tails[left - 1]), done + max(1, N_BATCH // left))
            ends = end == len(tails[left - 1])
            parts = [tail[done:end] for tail in tails[:left]]
            positions = [begin + done for begin in begins[:left]]
            self._decode(context, going[:left], parts, positions, outputs=ends)
            width, done = end - done, end
            while left and len(tails[left - 1]) == done:
                left -= 1
                one = going[left]
                drawn[one] = samplers[one].sample(context.handle, left * width + width - 1)
        return drawn

    def _decode(
        self, context: ManySequences, going: list[int], parts: list[list[int]], positions: list[int], *, outputs: bool
    ) -> None:
        """Sequence i reads ``parts[i]``, all equally long, from ``positions[i]`` on; ``outputs``: then its logits are
        wanted.
        """
        width = len(parts[0])
        sequences = np.repeat(np.arange(len(parts), dtype=np.int32), width)
        wanted = np.tile(np.arange(width) == width - 1, len(parts)) & outputs
        self._steering.begin(list(np.repeat(going, width)), wanted)
        context.decode(
            np.array(parts, dtype=np.int32).ravel(),
            np.add.outer(np.array(positions, dtype=np.int32), np.arange(width, dtype=np.int32)).ravel(),
            list(sequences[:, None]),
            wanted,
        )

    def _write(self, layer: int, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
        if self._front is not None and len(self._positions) == len(rows) and self._front.covers(self._positions):
            return self._front.added(layer, self._positions, rows)
        return self._steering.added(layer, rows)


def _close_ranks(context: ManySequences, going: list[int], ended: int) -> None:
    """The last sequence takes the place of one that has ended."""
    last = len(going) - 1
    if ended != last:
        context.copy(last, ended)
        going[ended] = going[last]
    context.drop(last)
    going.pop()
