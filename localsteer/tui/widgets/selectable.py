"""Text drawn by Rich that the mouse can select: Textual alone selects in its own texts only."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip
from textual.widgets import Static

from localsteer.tui.signs import copied, without_stand_ins


class SelectableLines(Static):
    """A ``Static`` whose lines are selected as they stand on the screen."""

    def drawn_line(self, y: int) -> Strip:
        """A line as it is without a selection."""
        return super().render_line(y)

    def render_line(self, y: int) -> Strip:
        strip = self.drawn_line(y)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(y)) is not None:
            start, end = span
            length = strip.cell_length
            end = length if end == -1 else min(end, length)
            start = min(start, end)
            selected = Segment.apply_style(strip.crop(start, end), post_style=self._chosen)
            strip = Strip.join([strip.crop(0, start), Strip(selected), strip.crop(end, length)])
        return strip.apply_offsets(0, y)

    @property
    def _chosen(self) -> Style:
        style = self.screen.get_component_rich_style("screen--selection")
        # Where the theme names no colour for selected text, it keeps its own.
        return Style(color=style.color if style.color != style.bgcolor else None, bgcolor=style.bgcolor)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected part of the lines, without the blanks behind them."""
        lines = [copied(self.drawn_line(y)) for y in range(self.size.height)]
        text = without_stand_ins(selection.extract("\n".join(lines)))
        return "\n".join(line.rstrip() for line in text.split("\n")), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint it."""
        self.refresh()
