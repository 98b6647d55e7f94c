"""Going back and forth through what was sent, as a shell does. No widgets."""

from __future__ import annotations

from collections.abc import Sequence

from localsteer.library.sent_messages import MOST


class SentHistory:
    """A place among the texts that were sent; behind the last one is the draft. What is changed on the way stays.

    As many are here as come back another day: a long day's are not all kept either.
    """

    def __init__(self, sent: Sequence[str] = ()) -> None:
        self._sent = list(sent)
        self._changed: dict[int, str] = {}
        self._place = len(self._sent)

    def add(self, text: str) -> None:
        """One more was sent: back to an empty draft."""
        if not self._sent or self._sent[-1] != text:
            self._sent = [*self._sent, text][-MOST:]
        self._changed = {}
        self._place = len(self._sent)

    def go(self, by: int, present: str) -> str | None:
        """The text ``by`` places on (-1: the one before), None where there is none; ``present`` stands in the input."""
        place = self._place + by
        if not 0 <= place <= len(self._sent):
            return None
        self._changed[self._place] = present
        self._place = place
        return self._changed.get(place, self._sent[place] if place < len(self._sent) else "")
