"""How unlikely written replies are: the loss that a language model is trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from localsteer.evaluation.cost import log_softmax
from localsteer.llama.reply_reader import ReplyReader


def mean_losses(
    reader: ReplyReader, replies: Sequence[Sequence[int]], steering: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.float64]:
    """float64[n_replies]: for each reply the mean negative log-likelihood of its tokens, in nats.

    ``reader``: over these ``replies``, none empty. ``steering``: float32[n_layer - 1, n_embd], layer 1 first, None for
    none. NaN where the steered model gives no numbers. Raises Stopped.
    """
    sums = np.zeros(len(replies))
    for text, place, logits in reader.read(None if steering is None else steering.reshape(-1)):
        sums[text] -= log_softmax(logits)[replies[text][place]]
    found: npt.NDArray[np.float64] = sums / np.array([len(reply) for reply in replies])
    return found
