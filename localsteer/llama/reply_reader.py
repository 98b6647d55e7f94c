"""How a steered model would have gone on at every token of texts that are written already.

The texts are read again and again, each time under another control vector. Their prompts are not steered and are
evaluated once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import llama_cpp.llama_cpp as lib
import numpy as np
import numpy.typing as npt

from localsteer.llama.closing import Closing
from localsteer.llama.control_vector import set_control_vector
from localsteer.llama.front import Front, Places
from localsteer.llama.many_sequences import LOGITS_AT_ONCE, N_BATCH, ManySequences, most_sequences
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap

_FEWEST_OUTPUTS = 16


class ReplyReader(Closing):
    """Texts of a prompt and a reply over a model; a context manager."""

    def __init__(
        self,
        model: Model,
        prompts: Sequence[Sequence[int]],
        replies: Sequence[Sequence[int]],
        steered_from: Sequence[int],
        *,
        front: Front | None = None,
        tap: ResidualTap | None = None,
        n_threads: int | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """Tokens of prompts and of the replies to them, none empty; each is steered from the position
        ``steered_from`` of its prompt on. ``front`` is added to all of them, always, before that;
        ``tap`` sees what comes by, prompts first. Not both. Raises ModelError where there is not enough memory.
        """
        if not all(map(len, prompts)) or not all(map(len, replies)):
            raise ValueError("prompts and replies must not be empty")
        self.model = model
        self._texts = [[*prompt, *reply] for prompt, reply in zip(prompts, replies, strict=True)]
        self._first = [len(prompt) - 1 for prompt in prompts]
        self._steered_from = [min(begin, first) for begin, first in zip(steered_from, self._first, strict=True)]
        self._n_outputs = max(_FEWEST_OUTPUTS, min(N_BATCH, LOGITS_AT_ONCE // model.n_vocab))
        self._at_once = most_sequences(model)
        largest = max(sum(len(self._texts[text]) for text in group) for group in self._groups())
        self._front = front
        self._positions: Places = np.zeros(0, dtype=np.int32)
        self._context = ManySequences(
            model,
            n_sequences=min(self._at_once, len(prompts)),
            n_outputs=self._n_outputs,
            n_ctx=largest,
            n_threads=n_threads,
            tap=tap if front is None else ResidualTap(model.n_embd, front.layers, write=self._write),
            should_stop=should_stop,
        )
        self._held: range | None = None
        self.outputs = np.zeros(0, dtype=np.bool_)
        """bool[n_rows]: which rows of what a tap sees now belong to replies."""

    def read(self, steering: npt.NDArray[np.float32] | None) -> Iterator[tuple[int, int, npt.NDArray[np.float32]]]:
        """For each token of each reply in turn (text, place in the reply, logits float32[n_vocab] that chose it).

        ``steering``: float32[(n_layer - 1) * n_embd], what is added to layers 1 to n_layer - 1; None for nothing.
        The logits are a view that the next step changes. Raises Stopped.
        """
        for group in self._groups():
            self._hold(group)
            set_control_vector(self._context.handle, self.model, steering)
            waiting = [
                (sequence, position)
                for sequence, text in enumerate(group)
                for position in range(self._steered_from[text], len(self._texts[text]) - 1)
            ]
            while waiting:
                part = self._part(group, waiting)
                yield from self._decode(group, part)
                waiting = waiting[len(part) :]

    def close(self) -> None:
        """Free the context; calling it again does no harm."""
        self._context.close()

    def _groups(self) -> list[range]:
        count = len(self._texts)
        return [range(begin, min(begin + self._at_once, count)) for begin in range(0, count, self._at_once)]

    def _hold(self, group: range) -> None:
        """Have the unsteered beginnings of these texts in the cache, and nothing else."""
        if self._held == group and all(
            self._cut(number, self._steered_from[text]) for number, text in enumerate(group)
        ):
            return
        self._context.clear()
        self._held = None
        set_control_vector(self._context.handle, self.model, None)
        heads = [
            (sequence, position) for sequence, text in enumerate(group) for position in range(self._steered_from[text])
        ]
        for begin in range(0, len(heads), N_BATCH):
            part = heads[begin : begin + N_BATCH]
            self._evaluate(group, part, np.zeros(len(part), np.bool_))
        self._held = group

    def _part(self, group: range, waiting: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """As many of the waiting tokens as one decode can take, and have logits for."""
        outputs = np.cumsum([position >= self._first[group[sequence]] for sequence, position in waiting[:N_BATCH]])
        return waiting[: int(np.searchsorted(outputs, self._n_outputs, side="right"))]

    def _decode(self, group: range, part: list[tuple[int, int]]) -> Iterator[tuple[int, int, npt.NDArray[np.float32]]]:
        asked = [
            (group[sequence], position - self._first[group[sequence]])
            for sequence, position in part
            if position >= self._first[group[sequence]]
        ]
        outputs = np.array([position >= self._first[group[sequence]] for sequence, position in part])
        self._evaluate(group, part, outputs)
        if asked:
            for (text, place), logits in zip(asked, self._context.logits(len(asked)), strict=True):
                # Whoever takes them may take long: a row is as long as the vocabulary.
                self._context.check_stop()
                yield text, place, logits

    def _write(self, layer: int, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
        front, positions = self._front, self._positions
        if front is None or len(positions) != len(rows) or not front.covers(positions):
            return None
        return front.added(layer, positions, rows)

    def _evaluate(self, group: range, part: list[tuple[int, int]], outputs: npt.NDArray[np.bool_]) -> None:
        self._positions = np.array([position for _, position in part], dtype=np.int32)
        self.outputs = outputs
        self._context.decode(
            np.array([self._texts[group[sequence]][position] for sequence, position in part], dtype=np.int32),
            self._positions,
            [np.array([sequence], dtype=np.int32) for sequence, _ in part],
            outputs,
        )

    def _cut(self, sequence: int, position: int) -> bool:
        """Forget what is cached of a sequence from ``position`` on; False for a kind of memory that cannot."""
        memory = lib.llama_get_memory(self._context.handle)
        return bool(lib.llama_memory_seq_rm(memory, sequence, position, -1))
