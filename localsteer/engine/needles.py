"""How far a reply leans while it is written: the needles of the dials."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from localsteer.engine.protocol import NeedlesMoved
from localsteer.llama.residuals import ResidualTap, Rows
from localsteer.llama.steering import UNSTEERED, Steering
from localsteer.steering.reading import Gauge

_TOKENS = 8
"""The last so many tokens make most of a needle."""
_SECONDS_BETWEEN = 0.1


class Watch:
    """Listens in on a chat context, for as long as that lives; what it hears goes to the needles of the moment."""

    def __init__(self, n_embd: int) -> None:
        self.tap = ResidualTap(n_embd, (), read=self._hear)
        self._needles: Needles | None = None

    @contextmanager
    def moving(self, needles: Needles) -> Iterator[None]:
        """Have ``needles`` moved by what is decoded inside."""
        self._needles = needles
        self.tap.look_at({gauge.layer for _, gauge in needles.gauges})
        try:
            yield
        finally:
            self._needles = None
            self.tap.look_at(())

    def _hear(self, layer: int, rows: Rows) -> None:
        if self._needles is not None:
            self._needles.take(layer, rows)


class Needles:
    """Running readings along some dials: averages over the tokens of a reply, in which the last ones weigh most.

    ``in_force`` is what the next token is steered with; what it adds at a gauge's layer is not the text's own and is
    taken away. Until ``moving`` is set nothing counts: what stands before the reply is not the reply.
    """

    def __init__(self, gauges: Sequence[tuple[str, Gauge]], clock: Callable[[], float] = time.monotonic) -> None:
        self.gauges = tuple(gauges)
        self.in_force: Steering = UNSTEERED
        self.moving = False
        self._averages = [0.0] * len(self.gauges)
        self._clock = clock
        self._said_at = -_SECONDS_BETWEEN
        self._news = False

    def take(self, layer: int, rows: Rows) -> None:
        """The hidden state of one more token, float32[1, n_embd], after what was added to it."""
        if not self.moving:
            return
        for place, (_, gauge) in enumerate(self.gauges):
            if gauge.layer == layer:
                added = self.in_force.added_at(layer, gauge.direction.size)
                (reading,) = gauge.read(rows[-1:], added)
                if not np.isfinite(reading):
                    continue
                self._averages[place] += (float(reading) - self._averages[place]) * 2 / (_TOKENS + 1)
                self._news = True

    def news(self, request: int, *, last: bool = False) -> NeedlesMoved | None:
        """Where the needles are, if they have moved and it is time to say so; ``last``: in any case if they have."""
        now = self._clock()
        if not self._news or (now - self._said_at < _SECONDS_BETWEEN and not last):
            return None
        self._news, self._said_at = False, now
        names = (name for name, _ in self.gauges)
        return NeedlesMoved(request, tuple(zip(names, (round(value, 3) for value in self._averages), strict=True)))
