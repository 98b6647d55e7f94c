"""Foreign text as the app paints it, also while it is still coming in."""

from __future__ import annotations

import re

from localsteer.visible import without_controls

_LONGEST_SEQUENCE = 512
_TAB = "    "
MOST_CHARACTERS = 40_000
"""Of one message on the screen; what a model reads at once is less, mostly."""
_MOST_LINES = 2_000

_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\n]{0,500}\x1b?|[ -/]*)?\Z")


def plain(text: str) -> str:
    """:func:`without_controls`, with four spaces for a tab: ``text`` as it is painted."""
    return without_controls(text).replace("\t", _TAB)


def shown_part(text: str) -> str:
    """``text`` as far as it is shown: drawing a million characters would hold up everything else for many seconds."""
    end = len(text)
    if text.count("\n") > _MOST_LINES:
        end = sum(len(line) + 1 for line in text.split("\n", _MOST_LINES)[:_MOST_LINES])
    end = min(end, MOST_CHARACTERS)
    if end >= len(text):
        return text
    return f"{text[:end]}\n\n… {len(text) - end:,} more characters are not shown; a copy or an export has them all."


class PlainStream:
    """:func:`plain` for text that arrives in pieces: an escape sequence that is cut in two is still recognised."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be shown now; the beginning of a sequence, or of a line end, is held back."""
        text = self._held + piece
        held = _UNFINISHED.search(text)
        if held is not None and len(held.group()) < _LONGEST_SEQUENCE:
            cut = held.start()
        elif text.endswith("\r"):
            cut = len(text) - 1
        else:
            cut = len(text)
        self._held = text[cut:]
        return plain(text[:cut])

    def rest(self) -> str:
        """What was held back when no more pieces come."""
        held, self._held = self._held, ""
        return plain(held)
