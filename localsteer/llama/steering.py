"""The seam between dials and llama.cpp: what a stretch of tokens is steered with."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Steering:
    """One control vector for the whole residual stream.

    ``key`` names it: two steerings with the same key are the same, and cached positions are told apart by it.
    ``data``: float32[(n_layer - 1) * n_embd], the rows for layers 1 to n_layer - 1 one after the other; None is off.
    """

    key: Hashable
    data: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    def added_at(self, layer: int, n_embd: int) -> npt.NDArray[np.float32] | None:
        """float32[n_embd]: what it adds to the output of ``layer``; None where it is off."""
        return None if self.data is None else self.data[(layer - 1) * n_embd : layer * n_embd]


UNSTEERED = Steering(None)
