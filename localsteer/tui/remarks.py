"""What the app says in passing: a notification that always has a moment left.

Textual shows one whose time has just run out with a timer of less than no time, and such a timer keeps the app busy for
ever. It also looks at the clock on the wall, and one that is set back would keep what was said for as long.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from textual.notifications import Notification

_MOMENT = 0.01


@dataclass
class Remark(Notification):
    """See Textual's."""

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.timeout

    @property
    def time_left(self) -> float:
        """In seconds; never nothing."""
        return max(_MOMENT, self._end - time.monotonic())

    @property
    def has_expired(self) -> bool:
        """Whether its time has run out."""
        return time.monotonic() >= self._end
