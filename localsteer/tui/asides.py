"""What the engine does while nobody waits for it: one thing at a time, and again later where it had to give way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from localsteer.engine.protocol import (
    Command,
    Died,
    Event,
    Failed,
    ModelCard,
    NeedlesMeasured,
    ReplyRated,
    Stopped,
    TitleMade,
)
from localsteer.tui.engine_link import EngineLink

_MOST_WAITING = 8
_SECONDS_OF_QUIET = 0.5
"""Whoever answers at once should find the engine free: even work that gives way needs a moment to do so."""


@dataclass(slots=True)
class _Aside:
    command: Callable[[int, ModelCard], Command]
    take: Callable[[Event], None]
    request: int = 0


class Asides:
    """A short queue; of too many the oldest are forgotten."""

    def __init__(self, link: EngineLink, clock: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._clock = clock
        self._waiting: deque[_Aside] = deque(maxlen=_MOST_WAITING)
        self._running: _Aside | None = None
        self._quiet_since = clock()

    def ask(self, command: Callable[[int, ModelCard], Command], take: Callable[[Event], None]) -> None:
        """Have this done some time; ``take`` gets its answer, and nothing if it comes to nothing."""
        self._waiting.append(_Aside(command, take))

    def hear(self, events: list[Event]) -> None:
        """What the engine said; and the next thing to do, if it has been idle for a while."""
        for event in events:
            if isinstance(event, Died):
                self._running = None
            elif self._running is not None and event.request == self._running.request:
                self._answered(self._running, event)
        if not self._link.idle:
            self._quiet_since = self._clock()
        elif self._waiting and self._running is None and self._clock() - self._quiet_since >= _SECONDS_OF_QUIET:
            self._running = self._waiting.popleft()
            self._running.request = self._link.aside(self._running.command)

    def _answered(self, aside: _Aside, event: Event) -> None:
        match event:
            case Stopped():
                self._waiting.appendleft(aside)
            case ReplyRated() | NeedlesMeasured() | TitleMade():
                aside.take(event)
            case Failed():
                pass
            case _:
                return
        self._running = None
