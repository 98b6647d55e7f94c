"""Lets a small model write no faster than dials can be turned."""

from __future__ import annotations

import time
from collections.abc import Callable

_LISTENING = 0.02
"""Seconds between looks for a stop while a reply waits."""


def keep_pace(pace: float, began: float | None, written: int, stopped: Callable[[], bool]) -> None:
    """Wait until the token after the first ``written`` ones is due, no longer than until a stop.

    ``pace``: tokens per second at most, 0 for no limit; ``began``: by :func:`time.perf_counter`, None for not yet.
    """
    if pace <= 0 or began is None:
        return
    due = began + written / pace
    while (left := due - time.perf_counter()) > 0 and not stopped():
        time.sleep(min(left, _LISTENING))
