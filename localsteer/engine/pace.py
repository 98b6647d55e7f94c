"""How far work has come and how long it still takes, said some ten times a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from localsteer.engine.protocol import Event, ExtractProgress

_SECONDS_BETWEEN = 0.1
_SECONDS_TO_KNOW = 0.3


class Pace:
    """One stage of an extraction."""

    def __init__(self, request: int, stage: str, say: Callable[[Event], None]) -> None:
        self._request = request
        self._stage = stage
        self._say = say
        self._began = time.perf_counter()
        self._said = 0.0

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` are done; the first and the last are always said."""
        now = time.perf_counter()
        if 0 < done < total and now - self._said < _SECONDS_BETWEEN:
            return
        self._said = now
        spent = now - self._began
        known = done > 0 and (spent >= _SECONDS_TO_KNOW or done >= total)
        left = spent / done * (total - done) if known else None
        self._say(ExtractProgress(self._request, self._stage, done, total, left))
