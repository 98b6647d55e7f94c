"""Foreign text made safe to show: nothing in it commands a terminal, reorders what stands beside it, or hides.

What a person pasted, what a model wrote and what a file says of itself may hold characters that a terminal obeys, that
turn the order of a line round (`Trojan Source <https://trojansource.codes>`_), or that a model reads and nobody sees.
What is *shown* goes through here; records keep a text as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_][^\x07\x1b\n]{0,500}(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC: titles, clipboard, links
    r"|\x1b[ -/]*[0-Z\\^-~]"  # two- and three-byte sequences
)
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_HIDDEN = re.compile(
    r"[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
"""Marks of direction, spaces of no width, fillers, annotations, tags. Not the joiners U+200C and U+200D, which Persian,
Indic scripts and emoji are written with."""
_MARK = "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
_MARK += "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef"
_HEAP = re.compile(f"([{_MARK}]{{30}})[{_MARK}]+")
"""More combining characters than the 30 of Unicode's stream-safe text (UAX #15)."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def without_controls(text: str) -> str:
    """``text`` without escape sequences, control characters, direction overrides and what has no width.

    Line ends become ``\\n``; tabs stay, for text that goes on to others.
    """
    if "\x1b" in text:
        text = _SEQUENCE.sub("", text)
    return _seen(_CONTROL.sub("", _LINE_END.sub("\n", text)))


def with_controls_marked(text: str) -> str:
    """As :func:`without_controls`, with U+FFFD for each control character, so that the reader sees there were some.

    A part of a text gives what it gives in the whole, but for a line end that is cut in two.
    """
    return _seen(_CONTROL.sub("\ufffd", _LINE_END.sub("\n", text)))


def _seen(text: str) -> str:
    if text.isascii():
        return text
    return _SURROGATE.sub("\ufffd", _HEAP.sub(r"\1", _HIDDEN.sub("", text)))


_NOT_ON_A_LINE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029]|{_HIDDEN.pattern}")


def painted(text: str, width_of: Callable[[str], int]) -> str:
    """A part of a line on the screen without what commands, reorders or hides, whoever let it through; as many cells
    wide as it was. ``width_of``: of one character.
    """
    if text.isprintable():
        return text
    return _NOT_ON_A_LINE.sub(lambda found: " " * width_of(found[0]), text)


_NOT_IN_JSON = re.compile(f"{_CONTROL.pattern}|{_HIDDEN.pattern}|[\u0085\u2028\u2029]")


def json_escaped(document: str) -> str:
    """A JSON document in which nothing commands, reorders or hides: such characters stand there as JSON escapes.

    It means what it meant. (JSON itself escapes only what comes before the space.)
    """
    return _NOT_IN_JSON.sub(_json_escape, document)


def _json_escape(found: re.Match[str]) -> str:
    # Line ends between values are none of the characters that are looked for.
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
