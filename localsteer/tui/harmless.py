"""The last look at every line before it is painted."""

from __future__ import annotations

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from localsteer.visible import painted


class Harmless(LineFilter):
    """What a field or a table shows is the text itself, be it a stranger's; here it commands no terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """See Textual's."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [segment if segment.control else Segment(_harmless(segment.text), segment.style) for segment in segments]


def _harmless(text: str) -> str:
    left = painted(text, get_character_cell_size)
    # What stood between two signs may have kept them from being one.
    return left + " " * (cell_len(text) - cell_len(left))
