"""Whether a model fits this machine's memory, with the figures that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import psutil

from localsteer.gguf_header import MemoryNeed

Verdict: TypeAlias = Literal["fits", "tight", "too large"]

_ROOM_LEFT = 0.9
"""Of the free memory; the rest is for what other programs do meanwhile."""


@dataclass(frozen=True, slots=True)
class MemoryFit:
    """``need`` against ``available`` and ``total`` bytes of this machine's memory."""

    need: MemoryNeed
    available: int
    total: int

    @property
    def verdict(self) -> Verdict:
        """ "fits": in what is free now; "tight": only in what other programs hold; "too large": not in this machine."""
        if self.need.total <= self.available * _ROOM_LEFT:
            return "fits"
        return "tight" if self.need.total <= self.total else "too large"

    @property
    def advice(self) -> str:
        """What to do about it, a clause; empty where it fits."""
        match self.verdict:
            case "fits":
                return ""
            case "tight":
                return "close other programs first, or load it with a smaller context"
            case _:
                return "choose a smaller model or a smaller quantisation of it"


def memory_fit(need: MemoryNeed) -> MemoryFit:
    """``need`` beside the memory of this machine at this moment.

    Where the weights go to a graphics card with a memory of its own, that memory is what counts, and this is not it.
    """
    memory = psutil.virtual_memory()
    return MemoryFit(need, int(memory.available), int(memory.total))
