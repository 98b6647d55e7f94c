"""How like a vector's layers are to each other, and the vector to others: cosines as colours and bars."""

from __future__ import annotations

import math

from textual.color import Color
from textual.content import Content
from textual.geometry import Size
from textual.style import Style
from textual.widget import Widget

from localsteer.plots.portrait import Portrait
from localsteer.tui.plain import plain
from localsteer.tui.strengths import signed

_MOST_LAYERS = 24
_FEW_LAYERS = 10
_HALF_BAR = 10
_MARGIN = 4


class CosineMap(Widget):
    """A cell for each two layers: warm where they point the same way, cold where opposite ways."""

    DEFAULT_CSS = """
    CosineMap { width: auto; height: auto; }
    """

    def __init__(self, card: Portrait) -> None:
        super().__init__()
        self._card = card
        every = max(1, math.ceil(len(card.layers) / _MOST_LAYERS))
        self._places = range(0, len(card.layers), every)
        self._cell = 2 if len(self._places) <= _FEW_LAYERS else 1

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return _MARGIN + 2 * self._cell * len(self._places)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._cell * len(self._places) + 1

    def render(self) -> Content:
        variables = self.app.theme_variables
        paper, cold, warm = (Color.parse(variables[name]) for name in ("panel", "pole-negative", "pole-positive"))
        places, rows = self._places, []
        for row in reversed(places):
            cells: list[Content | tuple[str, str | Style]] = []
            for column in places:
                cosine = self._card.cosines[row][column]
                shade = paper.blend(warm if cosine >= 0 else cold, min(1.0, abs(cosine)))
                cells.append(("  " * self._cell, Style(background=shade)))
            for line in range(self._cell):
                label = str(self._card.layers[row].layer) if line == 0 else ""
                rows.append(Content.assemble((f"{label:>{_MARGIN - 1}} ", "$quiet"), *cells))
        # Every second number, so that two digits have room.
        labels = "".join(
            (str(self._card.layers[place].layer) if index % 2 == 0 else "").rjust(2).ljust(2 * self._cell)
            for index, place in enumerate(places)
        )
        return Content("\n").join([*rows, Content.assemble((" " * _MARGIN + labels, "$quiet"))])


def others_content(card: Portrait) -> Content:
    """A line with a bar for each other vector."""
    if not card.others:
        return Content.assemble(("No other vector of this model has this layer.", "$quiet"))
    width = min(20, max(len(plain(other.name)) for other in card.others))
    lines = []
    for other in card.others:
        filled = "█" * round(min(1.0, abs(other.cosine)) * _HALF_BAR)
        left, right = ("", filled) if other.cosine >= 0 else (filled, "")
        lines.append(
            Content.assemble(
                plain(other.name)[:width].ljust(width + 1),
                (signed(other.cosine, 2).rjust(6), "$quiet"),
                " ",
                (left.rjust(_HALF_BAR), "$pole-negative"),
                ("│", "$faint"),
                (right, "$pole-positive"),
            )
        )
    return Content("\n").join(lines)
