"""Pasted text as one piece: whatever stands in it, the terminal's brackets decide where it ends.

Textual's parser reads a paste letter by letter and takes escape sequences and control characters inside it for keys:
a pasted colour would lose the text behind it, a pasted Ctrl+C or line end would be pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from weakref import WeakKeyDictionary, ref

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

_BEGIN = "\x1b[200~"
_END = "\x1b[201~"
# Shorter beginnings may be keys (Esc, Alt and a letter) that must not wait.
_SHORTEST_HELD = 3

Feed = Callable[[XTermParser, str], Iterable[Message]]


class PasteReader:
    """Takes the pastes out of what a terminal sends, which comes in pieces that may end anywhere."""

    def __init__(self, rest: Callable[[str], Iterable[Message]]) -> None:
        """``rest``: reads everything else."""
        self._rest = rest
        self._pasted: list[str] | None = None
        self._held = ""

    def feed(self, data: str) -> Iterator[Message]:
        """The messages of a piece."""
        if not data:
            yield from self._rest(data)
            return
        data, self._held = self._held + data, ""
        while data:
            if self._pasted is None:
                before, begin, data = data.partition(_BEGIN)
                if begin:
                    self._pasted = []
                else:
                    before = self._hold(before, _BEGIN, _SHORTEST_HELD)
                if before:
                    yield from self._rest(before)
            else:
                inside, end, data = data.partition(_END)
                self._pasted.append(inside if end else self._hold(inside, _END, 1))
                if end:
                    text, self._pasted = "".join(self._pasted), None
                    yield events.Paste(text.replace("\x00", ""))

    def _hold(self, text: str, marker: str, shortest: int) -> str:
        """``text`` without what may be the beginning of ``marker`` at its end."""
        for length in range(len(marker) - 1, shortest - 1, -1):
            if text.endswith(marker[:length]):
                self._held = text[-length:]
                return text[:-length]
        return text


def claim_pastes() -> None:
    """Let every parser of Textual's read pastes this way."""
    original: Feed = XTermParser.feed
    if getattr(original, "reads_pastes", False):
        return
    readers: WeakKeyDictionary[XTermParser, PasteReader] = WeakKeyDictionary()

    def feed(parser: XTermParser, data: str) -> Iterator[Message]:
        if parser not in readers:
            readers[parser] = PasteReader(_weakly(original, parser))
        return readers[parser].feed(data)

    feed.reads_pastes = True  # type: ignore[attr-defined]
    XTermParser.feed = feed  # type: ignore[method-assign, assignment]


def _weakly(original: Feed, parser: XTermParser) -> Callable[[str], Iterable[Message]]:
    # The reader must not keep the parser it belongs to.
    held = ref(parser)

    def rest(data: str) -> Iterable[Message]:
        alive = held()
        return original(alive, data) if alive is not None else ()

    return rest
