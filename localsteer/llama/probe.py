"""Tells architectures that apply control vectors from those that do not, by trying.

llama.cpp takes a control vector for any architecture and says nothing where its graph has no place for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from localsteer.llama.context import Context
from localsteer.llama.steering import UNSTEERED, Steering

if TYPE_CHECKING:
    from localsteer.llama.model import Model

_TOKENS = 4


def applies_control_vectors(model: Model) -> bool:
    """Whether the logits after a few tokens move when a control vector is set. Makes a small context of its own."""
    if model.n_layer < 2:
        return False
    tokens = [*model.start_tokens, *range(min(_TOKENS, model.n_vocab))]
    signs = np.where(np.arange((model.n_layer - 1) * model.n_embd) % 3 == 0, -1.0, 1.0).astype(np.float32)
    with Context(model, n_ctx=64, n_batch=16) as context:
        context.evaluate([(tokens, UNSTEERED)])
        before = context.logits().copy()
        context.evaluate([(tokens, Steering("probe", signs))])
        return not np.array_equal(before, context.logits(), equal_nan=True)
