"""What a model in a notebook gives back: a reply while it is written, and figures."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from localsteer.engine.protocol import Event, Finished, Notice, SweepRow, TokenText
from localsteer.errors import EngineError


class Reply:
    """A reply that is written while it is read. Its text is kept: reading it again writes nothing again.

    Leaving a loop over it early leaves the rest to be read later; :attr:`finished` and ``str()`` read it to its end.
    """

    def __init__(self, events: Generator[Event]) -> None:
        self._events = events
        self._texts: list[str] = []
        self._finished: Finished | None = None

    def __iter__(self) -> Iterator[str]:
        """The texts of its tokens, as they come."""
        place = 0
        while place < len(self._texts) or self._more():
            yield from self._texts[place : place + 1]
            place += 1

    def __str__(self) -> str:
        return "".join(self)

    @property
    def finished(self) -> Finished:
        """All that is known of it: tokens, seed, reason, speed."""
        for _ in self:
            pass
        if self._finished is None:
            raise EngineError("The reply was cut short by what the model was asked next; ask for it again.")
        return self._finished

    def close(self) -> None:
        """Stop writing it; what is there can still be read."""
        self._events.close()

    def _more(self) -> bool:
        """Wait for the next text; False at the end. Raises LocalsteerError."""
        for event in self._events:
            match event:
                case TokenText(text=text):
                    self._texts.append(text)
                    return True
                case Notice(text=text):
                    warnings.warn(text, stacklevel=4)
                case Finished():
                    self._finished = event
                case _:
                    continue
        return False


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a vector does and costs. Each of ``rows`` has a ``strength``, its ``effect`` (nats per token, towards the
    positive pole, with its 95 % interval ``effect_low`` to ``effect_high``), ``perplexity_ratio`` and ``kl`` (nats).

    The effects of random vectors are None where none were measured. ``print()`` shows a table.
    """

    vector: str
    rows: tuple[SweepRow, ...]
    random_effect_low: float | None
    random_effect_high: float | None
    safe_low: float
    safe_high: float

    def __str__(self) -> str:
        lines = [f"{self.vector}, safe from {self.safe_low:+.2f} to {self.safe_high:+.2f}"]
        lines.append("strength  effect  (95 %)              perplexity  KL")
        for row in self.rows:
            interval = f"({row.effect_low:+.2f} to {row.effect_high:+.2f})"
            lines.append(
                f"{row.strength:+8.2f}  {row.effect:+6.2f}  {interval:18}  {row.perplexity_ratio:9.2f}×  {row.kl:.2f}"
            )
        return "\n".join(lines)
