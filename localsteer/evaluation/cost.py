"""What steering costs: how far the steered model departs from the unsteered one on neutral text.

The text is the model's own: its unsteered replies to neutral prompts, read again under each strength.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from localsteer.llama.closing import Closing
from localsteer.llama.model import Model
from localsteer.llama.reply_reader import ReplyReader
from localsteer.llama.residuals import ResidualTap


@dataclass(frozen=True, slots=True)
class Cost:
    """``perplexity_ratio``: of the steered model to the unsteered one on the same text, 1.0 = nothing lost.
    ``kl``: mean over tokens of KL(steered ‖ unsteered) of the next-token distribution, in nats; ``kl_95``: its 95th
    percentile. Infinite where the steered model gives no numbers any more.
    """

    perplexity_ratio: float
    kl: float
    kl_95: float


class CostMeter(Closing):
    """Measures costs on the same replies; a context manager.

    Memory: one row of float16 for each token of the replies and each token of the vocabulary.
    """

    def __init__(
        self,
        model: Model,
        prompts: Sequence[Sequence[int]],
        replies: Sequence[Sequence[int]],
        steered_from: Sequence[int],
        *,
        n_threads: int | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> None:
        """See :class:`~localsteer.llama.reply_reader.ReplyReader`. Raises Stopped, ModelError."""
        layers = range(1, model.n_layer)
        tap = ResidualTap(model.n_embd, layers, read=self._add_lengths)
        self._lengths = np.zeros(len(layers))
        self._reader = ReplyReader(
            model, prompts, replies, steered_from, tap=tap, n_threads=n_threads, should_stop=should_stop
        )
        self._replies = [list(reply) for reply in replies]
        self._own: dict[tuple[int, int], npt.NDArray[np.float16]] = {}
        self._own_loss = 0.0
        try:
            losses = []
            for text, place, logits in self._reader.read(None):
                found = log_softmax(logits)
                losses.append(-float(found[self._replies[text][place]]))
                self._own[text, place] = found.astype(np.float16)
            self._own_loss = float(np.mean(losses))
            tap.look_at(())
        except BaseException:
            self._reader.close()
            raise

    @property
    def n_replies(self) -> int:
        """How many replies it measures on."""
        return len(self._replies)

    @property
    def n_tokens(self) -> int:
        """How many tokens they have in all."""
        return sum(map(len, self._replies))

    @property
    def residual_norms(self) -> npt.NDArray[np.float64]:
        """float64[n_layer - 1]: the mean length of the unsteered hidden states over the replies' tokens, layer 1 first;
        0.0 at a layer that llama.cpp does not show.
        """
        found: npt.NDArray[np.float64] = self._lengths / self.n_tokens
        return found

    def at(self, steering: npt.NDArray[np.float32]) -> Cost:
        """The cost of adding ``steering``, float32[n_layer - 1, n_embd], layer 1 first."""
        losses, divergences = [], []
        for text, place, logits in self._reader.read(steering.reshape(-1)):
            if not np.isfinite(logits).all():
                return Cost(math.inf, math.inf, math.inf)
            found = log_softmax(logits)
            losses.append(-float(found[self._replies[text][place]]))
            own = self._own[text, place].astype(np.float32)
            divergences.append(max(0.0, float(np.exp(found) @ (found - own))))
        return Cost(
            perplexity_ratio=math.exp(min(700.0, float(np.mean(losses)) - self._own_loss)),
            kl=float(np.mean(divergences)),
            kl_95=float(np.quantile(divergences, 0.95)),
        )

    def _add_lengths(self, layer: int, rows: npt.NDArray[np.float32]) -> None:
        # At the last layer there are no others.
        of_replies = rows[self._reader.outputs] if len(rows) == len(self._reader.outputs) else rows
        self._lengths[layer - 1] += np.linalg.norm(of_replies, axis=1).sum(dtype=np.float64)

    def close(self) -> None:
        """Free the context; calling it again does no harm."""
        self._reader.close()


def log_softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """log p over the vocabulary, float32[n_vocab]."""
    shifted = logits - logits.max()
    found: npt.NDArray[np.float32] = shifted - np.float32(np.log(np.exp(shifted).sum(dtype=np.float64)))
    return found
