"""What steering does: how much likelier it makes what the positive pole would say than what the negative one would.

Both are *completions* of the same prompt, in which nothing speaks for either pole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from localsteer.evaluation.losses import mean_losses
from localsteer.llama.closing import Closing
from localsteer.llama.model import Model
from localsteer.llama.reply_reader import ReplyReader


@dataclass(frozen=True, slots=True)
class CompletionPair:
    """A prompt in tokens, steered from ``steered_from`` on, and what either pole would answer."""

    prompt: tuple[int, ...]
    steered_from: int
    positive: tuple[int, ...]
    negative: tuple[int, ...]


class EffectMeter(Closing):
    """Measures effects on the same completions; a context manager."""

    def __init__(
        self,
        model: Model,
        pairs: Sequence[CompletionPair],
        *,
        n_threads: int | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """``pairs``: at least one, no side empty. Raises ModelError where there is not enough memory."""
        self._sides = [side for pair in pairs for side in (pair.positive, pair.negative)]
        self._reader = ReplyReader(
            model,
            [pair.prompt for pair in pairs for _ in range(2)],
            self._sides,
            [pair.steered_from for pair in pairs for _ in range(2)],
            n_threads=n_threads,
            should_stop=should_stop,
        )

    def at(self, steering: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float64]:
        """float64[n_pairs]: log p(positive) − log p(negative), each the mean over its tokens, in nats per token.

        ``steering``: float32[n_layer - 1, n_embd], layer 1 first, None for none. NaN where the steered model gives no
        numbers. Raises Stopped.
        """
        losses = mean_losses(self._reader, self._sides, steering)
        found: npt.NDArray[np.float64] = losses[1::2] - losses[0::2]
        return found

    def close(self) -> None:
        """Free the context; calling it again does no harm."""
        self._reader.close()
