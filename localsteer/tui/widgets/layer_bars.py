"""How well a vector tells its poles apart at each layer, as one line of bars; a click takes a layer or leaves it."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

_EIGHTHS = "▁▂▃▄▅▆▇█"
_UNKNOWN = "▄"
_LINES = 4


class LayerBars(Widget):
    """A bar per layer that the vector has, from chance (AUC 0.5) to 1; the chosen layers stand out.

    Below them the numbers that there is room for; a dot marks the vector's own layers.
    """

    DEFAULT_CSS = """
    LayerBars { height: auto; width: 1fr; }
    """

    chosen: reactive[tuple[int, ...]] = reactive((), layout=False)

    @dataclass
    class Toggled(Message):
        """The person clicked a layer."""

        layer: int

    def __init__(self, layers: tuple[int, ...], aucs: tuple[float | None, ...], usual: tuple[int, ...]) -> None:
        """``aucs``: one for each of ``layers``, None where nobody knows; ``usual``: the vector's own choice."""
        super().__init__()
        self._layers = layers
        self._auc = dict(zip(layers, aucs, strict=False))
        self._usual = frozenset(usual)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return _LINES * len(self._rows(width)) - 1

    def render(self) -> Content:
        column = self._column(self.content_size.width)
        lines: list[Content] = []
        for row in self._rows(self.content_size.width):
            lines += [
                Content("").join(self._bar(layer, column) for layer in row),
                self._numbers(row, column),
                Content("").join(
                    Content.styled(("•" if layer in self._usual else "").ljust(column), "$quiet") for layer in row
                ),
                Content(""),
            ]
        return Content("\n").join(lines[:-1])

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        width = self.content_size.width
        rows = self._rows(width)
        if offset is None or offset.y // _LINES >= len(rows):
            return
        row, place = rows[offset.y // _LINES], offset.x // self._column(width)
        if place < len(row):
            self.post_message(self.Toggled(row[place]))

    def _column(self, width: int) -> int:
        """How many characters a layer gets."""
        return next((wide for wide in (4, 3, 2) if wide * len(self._layers) <= width), 1)

    def _rows(self, width: int) -> list[tuple[int, ...]]:
        fit = max(1, width // self._column(width))
        return [self._layers[start : start + fit] for start in range(0, len(self._layers), fit)]

    def _bar(self, layer: int, column: int) -> Content:
        auc = self._auc.get(layer)
        bar = _UNKNOWN if auc is None else _EIGHTHS[max(0, min(7, round((auc - 0.5) * 2 * 7)))]
        colour = "$primary" if layer in self.chosen else "$faint"
        return Content.styled((bar * max(1, column - 1)).ljust(column), colour)

    def _numbers(self, row: tuple[int, ...], column: int) -> Content:
        """The numbers below ``row``, as many as there is room for."""
        every = 1 if len(str(row[-1])) < column else 5 if column > 1 else 10
        line = Content("")
        for place, layer in enumerate(row):
            free = place * column - line.cell_length
            if free >= 0 and (place == 0 or layer % every == 0):
                style = "$primary bold" if layer in self.chosen else "$quiet"
                line = Content.assemble(line, " " * free, (str(layer), style), " ")
        return line
