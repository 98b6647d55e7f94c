"""What may be said to an engine while it works: stop, and new dials.

Every command gets a ticket on arrival. A stop holds for all work that arrived before it, running or waiting; of the
dials the latest wins, be they those that came with the command or those that came after it. No lock is held while
working, and nothing heavy is imported here: the child can take a stop before llama.cpp is even loaded.
"""

from __future__ import annotations

import threading

from localsteer.engine.protocol import DialSetting


class Control:
    """Shared between the thread that listens and the thread that works."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clock = 0
        self._latest = 0
        self._stopped_at = 0
        self._abandoned_at = 0
        self._dials: tuple[int, tuple[DialSetting, ...]] = (0, ())

    def ticket(self) -> int:
        """A number for work that arrives now."""
        self._latest = self._tick()
        return self._latest

    def stop(self) -> None:
        """Stop all work that has arrived so far."""
        self._stopped_at = self._tick()

    def stopped(self, ticket: int) -> bool:
        return self._stopped_at > ticket

    def overtaken(self, ticket: int) -> bool:
        """Whether work for idle moments has to give way: it was stopped, or something else has arrived."""
        return self.stopped(ticket) or self._latest > ticket

    def abandon_loads(self) -> None:
        """Another model is wanted: whatever is loading, or waits to be loaded, need not be any more."""
        self._abandoned_at = self._tick()

    def load_abandoned(self, ticket: int) -> bool:
        return self._abandoned_at > ticket

    def set_dials(self, dials: tuple[DialSetting, ...]) -> None:
        """Turn the dials of the reply that is being written, or of those that wait to be."""
        self._dials = (self._tick(), dials)

    def dials(self, ticket: int, own: tuple[DialSetting, ...]) -> tuple[DialSetting, ...]:
        """The dials in force now for work that arrived with ``ticket`` and brought its ``own`` dials."""
        arrived, latest = self._dials
        return latest if arrived > ticket else own

    def _tick(self) -> int:
        with self._lock:
            self._clock += 1
            return self._clock
