"""How a text was cut into batches.

llama.cpp rounds differently in batches of different lengths, because it takes other kernels for them; what a batch
holds beside a token changes nothing. So to have the same hidden states again, bit for bit, each token has to stand at
the same place of a batch of the same length.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypeAlias

Cut: TypeAlias = tuple[int, int]
"""Of a position: the first position of the batch that it was evaluated in, and that batch's length."""

Cuts: TypeAlias = tuple[tuple[int, int, int], ...]
"""(kept, length, times) in order: ``times`` batches of ``length`` tokens, of which the first ``kept`` were kept."""


def cuts_of(positions: Sequence[Cut]) -> Cuts:
    """Those of all positions from 0 on, in short."""
    batches = [(len(list(group)), length) for (_, length), group in groupby(positions)]
    return tuple((kept, length, len(list(group))) for (kept, length), group in groupby(batches))


def split(cuts: Cuts, length: int) -> list[Cuts]:
    """The cuts of texts of ``length`` tokens each that stand in ``cuts`` one after the other."""
    found: list[Cuts] = []
    own: Cuts = ()
    count = 0
    for cut in cuts:
        own, count = (*own, cut), count + cut[0] * cut[2]
        if count >= length:
            found.append(own)
            own, count = (), 0
    return found


def positions_of(cuts: Cuts) -> list[Cut]:
    """The reverse of :func:`cuts_of`."""
    found: list[Cut] = []
    for kept, length, times in cuts:
        for _ in range(times):
            found += [(len(found), length)] * kept
    return found
