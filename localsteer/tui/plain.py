"""Foreign text made safe to paint: no escape sequences, no control characters, no invisible reordering.

What a person pasted and what a model wrote may hold bytes that a terminal obeys. What is *shown* goes through here; the
record keeps a reply as it was.
"""

from __future__ import annotations

import re

_LONGEST_SEQUENCE = 512
_TAB = "    "

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_][^\x07\x1b\n]{0,500}(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC: titles, clipboard, links
    r"|\x1b[ -/]*[0-Z\\^-~]"  # two- and three-byte sequences
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\n]{0,500}\x1b?|[ -/]*)?\Z")
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def without_controls(text: str) -> str:
    """``text`` without escape sequences, control characters and direction overrides.

    Line ends become ``\\n``; tabs stay, for text that goes on to others.
    """
    text = _SEQUENCE.sub("", text)
    text = _LINE_END.sub("\n", text)
    text = _UNSEEN.sub("", text)
    return _SURROGATE.sub("\ufffd", text)


def plain(text: str) -> str:
    """:func:`without_controls`, with four spaces for a tab: ``text`` as it is painted."""
    return without_controls(text).replace("\t", _TAB)


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
