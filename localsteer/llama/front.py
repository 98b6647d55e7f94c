"""Additions at the front of a prompt, position by position (ActAdd, arXiv 2308.10248), written into the residual
stream where many prompts are evaluated together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
Places = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """``rows``: float32[n_positions, n_layer - 1, n_embd], layer 1 first; row i is added at position ``begin`` + i of
    every prompt.
    """

    begin: int
    rows: Rows

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers at which anything is added."""
        return tuple(int(layer) + 1 for layer in np.flatnonzero(self.rows.any(axis=(0, 2))))

    def covers(self, positions: Places) -> bool:
        """Whether anything is added at any of these positions."""
        return bool(((positions >= self.begin) & (positions < self.begin + len(self.rows))).any())

    def added(self, layer: int, positions: Places, rows: Rows) -> Rows:
        """``rows`` float32[n, n_embd] of the tokens at ``positions`` int32[n], with what belongs there."""
        places = positions - self.begin
        inside = (places >= 0) & (places < len(self.rows))
        found = rows.copy()
        found[inside] += self.rows[places[inside], layer - 1]
        return found
