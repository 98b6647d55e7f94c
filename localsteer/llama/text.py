"""From the bytes of tokens to text that can be shown at once."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class ReplyText:
    """Decodes a reply as it grows, and ends it at a stop text.

    A token may end in the middle of a UTF-8 character, and a stop text may begin in one token and end in another;
    what could still become one or the other is held back. Bytes that are no UTF-8 become U+FFFD. ``strip_start``
    drops the spaces that a reply begins with: SentencePiece vocabularies put one before the first word.
    """

    def __init__(self, stop_texts: Sequence[str] = (), *, strip_start: bool = False) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop_texts = tuple(stop_texts)
        self._held = ""
        self._at_start = strip_start
        self.stopped = False
        """A stop text has come; nothing after it is ever given."""

    def feed(self, piece: bytes) -> str:
        """The text that ``piece`` adds; empty while it is held back."""
        if self.stopped:
            return ""
        return self._release(self._held + self._decoder.decode(piece))

    def finish(self) -> str:
        """What was held back, when no more comes."""
        if self.stopped:
            return ""
        rest = self._release(self._held + self._decoder.decode(b"", final=True))
        rest, self._held = rest + self._held, ""
        return rest

    def _release(self, text: str) -> str:
        if self._at_start:
            text = text.lstrip(" ")
            self._at_start = not text
        ends = [at for stop in self._stop_texts if (at := text.find(stop)) >= 0]
        if ends:
            self.stopped, self._held = True, ""
            return text[: min(ends)]
        keep = max((_overlap(text, stop) for stop in self._stop_texts), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` that is a beginning of ``stop``."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
