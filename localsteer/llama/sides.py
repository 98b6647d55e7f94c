"""Several replies to one prompt, written side by side: all of them decoded together, each under a steering of its own.

The weights are read once for all sides, and the prompt is evaluated once for those that read it alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt

from localsteer.errors import ModelError, Stopped
from localsteer.llama.closing import Closing
from localsteer.llama.generation import FinishReason
from localsteer.llama.many_sequences import N_BATCH, ManySequences
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap
from localsteer.llama.row_steering import RowSteering
from localsteer.llama.sampling import Sampler, Sampling
from localsteer.llama.steering import Steering


class Sides(Closing):
    """Iterate :meth:`write` once for (side, token). Close it before the model, or use it as a context manager.

    ``reasons[side]``: why a side ended, None while it goes on.
    """

    def __init__(
        self,
        model: Model,
        prompts: Sequence[tuple[Any, int, Sequence[int]]],
        header: Sequence[int],
        steerings: Sequence[Steering],
        sampling: Sampling,
        *,
        n_tokens: int,
        n_threads: int | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """``prompts``: (data, length, sides): what a context has saved of its first ``length`` tokens, and the sides
        that answer it; data None for no prompt. ``header``: what every reply begins with, evaluated under its own
        steering. At most ``n_tokens`` tokens are written for each side, fewer where ``sampling`` says so.

        Raises ModelError if there is not enough memory.
        """
        self.reasons: list[FinishReason | None] = [None] * len(steerings)
        self.spoilt = False
        """Whether all were stopped because the steering of one has left no numbers: what is no number in a shared cache
        spoils the others, too.
        """
        self._model = model
        self._header = list(header)
        self._lengths = [0] * len(steerings)
        self._n_tokens = n_tokens
        self._limit = sampling.max_tokens
        self._should_stop = should_stop
        self._steering = RowSteering(_additions(steerings, model), model.n_layer)
        tap = ResidualTap(model.n_embd, self._steering.layers, write=self._steering.added)
        with ExitStack() as undo:
            n_ctx = sum(length for _, length, _ in prompts) + len(steerings) * (len(header) + n_tokens)
            self._context = undo.enter_context(
                ManySequences(
                    model,
                    n_sequences=len(steerings),
                    n_ctx=n_ctx,
                    n_threads=n_threads,
                    tap=tap if self._steering.layers else None,
                    as_chat=True,
                )
            )
            for data, length, sides in prompts:
                if data is not None and not self._context.restore(data, sides):
                    raise ModelError("llama.cpp cannot copy what it has read; write the replies one after the other.")
                for side in sides:
                    self._lengths[side] = length
            self._samplers = [undo.enter_context(Sampler(sampling, model.n_vocab)) for _ in steerings]
            self._open = undo.pop_all()

    def write(self) -> Iterator[tuple[int, int]]:
        """The sides' tokens as they come, without those that end a reply; every round has one of each side that still
        goes on, in order. Whoever looks at :attr:`reasons` after a token sees which sides have ended before it.
        """
        going = list(range(len(self.reasons)))
        written = [0] * len(going)
        try:
            tokens, sequences = self._begin_header(going)
            ends = np.tile(np.arange(len(tokens) // len(going)) == len(tokens) // len(going) - 1, len(going))
            self._end_those_with_enough(written)
            while going := [side for side in going if self.reasons[side] is None]:
                self._decode(tokens, sequences, ends)
                drawn: dict[int, int] = {}
                for side, row in zip(going, np.flatnonzero(ends), strict=True):
                    token = self._draw(side, int(row))
                    if token is not None:
                        drawn[side] = token
                        written[side] += 1
                for side, token in drawn.items():
                    yield side, token
                self._end_those_with_enough(written)
                sequences = [side for side in going if self.reasons[side] is None]
                tokens = [drawn[side] for side in sequences]
                ends = np.ones(len(sequences), np.bool_)
        except Stopped:
            for side, reason in enumerate(self.reasons):
                self.reasons[side] = reason or "stopped"

    def end(self, side: int) -> None:
        """This side has said enough."""
        self.reasons[side] = "end"

    def close(self) -> None:
        """Free the context; calling it again does no harm."""
        self._open.close()

    def _begin_header(self, sides: list[int]) -> tuple[list[int], list[int]]:
        """The tokens and sequences of the batch that ends the header; what does not fit into one goes before."""
        parted = len(self._header) if len(self._header) * len(sides) <= N_BATCH else 1
        before = [(token, side) for side in sides for token in self._header[:-parted]]
        for begin in range(0, len(before), N_BATCH):
            part = before[begin : begin + N_BATCH]
            self._decode([token for token, _ in part], [side for _, side in part], np.zeros(len(part), np.bool_))
        return self._header[-parted:] * len(sides), [side for side in sides for _ in range(parted)]

    def _end_those_with_enough(self, written: Sequence[int]) -> None:
        for side, count in enumerate(written):
            if self.reasons[side] is None and self._limit is not None and count >= self._limit:
                self.reasons[side] = "length"
            elif self.reasons[side] is None and count >= self._n_tokens:
                self.reasons[side] = "context"

    def _draw(self, side: int, row: int) -> int | None:
        """The next token of ``side``, or None where it ends here, and why."""
        if not self._context.has_numbers(row):
            self.spoilt = True
            raise Stopped
        token = self._samplers[side].sample(self._context.handle, row)
        if not self._model.is_end(token):
            return token
        self.reasons[side] = "end"
        return None

    def _decode(self, tokens: list[int], sequences: list[int], ends: npt.NDArray[np.bool_]) -> None:
        if self._should_stop is not None and self._should_stop():
            raise Stopped
        positions = []
        for side in sequences:
            positions.append(self._lengths[side])
            self._lengths[side] += 1
        self._steering.begin(sequences, ends)
        self._context.decode(
            np.array(tokens, dtype=np.int32),
            np.array(positions, dtype=np.int32),
            [np.array([side], dtype=np.int32) for side in sequences],
            ends,
        )


def _additions(steerings: Sequence[Steering], model: Model) -> dict[int, npt.NDArray[np.float32]]:
    """Layer to float32[n_sides, n_embd]."""
    whole = np.zeros((len(steerings), model.n_layer - 1, model.n_embd), dtype=np.float32)
    for side, steering in enumerate(steerings):
        if steering.data is not None:
            whole[side] = steering.data.reshape(whole.shape[1:])
    return {layer + 1: np.ascontiguousarray(whole[:, layer]) for layer in range(whole.shape[1])}
