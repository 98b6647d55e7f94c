"""Two-choice questions: how much of the probability of both letters goes to the one that matches a behaviour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from localsteer.llama.closing import Closing
from localsteer.llama.model import Model
from localsteer.llama.reply_reader import ReplyReader


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt in tokens that the letter follows, steered from ``steered_from`` on; and either letter's token."""

    prompt: tuple[int, ...]
    steered_from: int
    matching: int
    other: int


class LetterMeter(Closing):
    """Asks the same questions again and again, each time under another control vector; a context manager."""

    def __init__(
        self,
        model: Model,
        questions: Sequence[Question],
        *,
        n_threads: int | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """``questions``: at least one. Raises ModelError where there is not enough memory."""
        self._questions = list(questions)
        self._reader = ReplyReader(
            model,
            [question.prompt for question in questions],
            [[question.matching] for question in questions],
            [question.steered_from for question in questions],
            n_threads=n_threads,
            should_stop=should_stop,
        )

    def at(self, steering: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float64]:
        """float64[n_questions]: p(matching letter) / (p(matching) + p(other)), the figure of CAA (arXiv 2312.06681).

        ``steering``: float32[n_layer - 1, n_embd], layer 1 first, None for none. NaN where the steered model gives no
        numbers. Raises Stopped.
        """
        found = np.zeros(len(self._questions))
        for text, _, logits in self._reader.read(None if steering is None else steering.reshape(-1)):
            question = self._questions[text]
            ahead = float(logits[question.matching]) - float(logits[question.other])
            found[text] = 1 / (1 + np.exp(-np.clip(ahead, -500, 500)))
        return found

    def close(self) -> None:
        """Free the context; calling it again does no harm."""
        self._reader.close()
