"""Steering that differs from sequence to sequence of one context.

A control vector is the same for a whole context, so here the additions are written into the residual stream row by
row; they are the same additions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]


class RowSteering:
    """What is added to each row of a batch, by the sequence that it belongs to.

    ``additions``: layer to float32[n_sequences, n_embd]; layers at which nothing is added need not be there.
    """

    def __init__(self, additions: Mapping[int, Rows], n_layer: int) -> None:
        self._additions = {layer: rows for layer, rows in additions.items() if rows.any()}
        self._last = n_layer - 1
        self._rows: dict[int, Rows] = {}

    @property
    def layers(self) -> tuple[int, ...]:
        """Where anything is added."""
        return tuple(self._additions)

    def rest(self) -> None:
        """The next batch is not steered."""
        self._rows = {}

    def begin(self, sequences: Sequence[int], outputs: npt.NDArray[np.bool_]) -> None:
        """The next batch has a row for each of ``sequences``; ``outputs``: bool[n_rows], whose logits are wanted."""
        numbers = np.asarray(sequences)
        # Where the last layer is computed, only these rows are left.
        ends = numbers[outputs]
        self._rows = {layer: rows[ends if layer == self._last else numbers] for layer, rows in self._additions.items()}

    def added(self, layer: int, rows: Rows) -> Rows | None:
        """``rows`` float32[n_rows, n_embd] of ``layer`` with what belongs there, None where that is nothing."""
        own = self._rows.get(layer)
        if own is None or not own.any():
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(rows + own)
