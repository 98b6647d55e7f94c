"""How fast bytes come, over the last seconds: neither jumpy nor slow to notice a change."""

from __future__ import annotations

import time
from collections import deque

_SECONDS = 5.0
_SECONDS_TO_KNOW = 0.3
_SECONDS_A_SLOT = 0.1


class ByteRate:
    """Counts bytes; from the first one on."""

    def __init__(self) -> None:
        self._slots: deque[list[float]] = deque()

    def count(self, n_bytes: int) -> None:
        """They have come just now."""
        now = time.monotonic()
        if self._slots and now - self._slots[-1][0] < _SECONDS_A_SLOT:
            self._slots[-1][1] += n_bytes
        else:
            self._slots.append([now, n_bytes])
        while now - self._slots[0][0] > _SECONDS:
            self._slots.popleft()

    def per_second(self) -> float | None:
        """Bytes per second; None until there is enough to tell."""
        if not self._slots:
            return None
        spent = time.monotonic() - self._slots[0][0]
        return sum(slot[1] for slot in self._slots) / spent if spent >= _SECONDS_TO_KNOW else None
