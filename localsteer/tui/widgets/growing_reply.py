"""A reply while it is written: its lines, of which only those are painted that change."""

from __future__ import annotations

from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from localsteer.tui.growing import Growing
from localsteer.tui.widgets.lengthening import Lengthening
from localsteer.tui.widgets.selectable import SelectableLines


class GrowingReply(SelectableLines, Lengthening):
    """As high as its text. As long as that stays so, more text costs no layout."""

    def __init__(self, *, dark: bool, classes: str = "") -> None:
        super().__init__("", classes=classes, markup=False)
        self._growing = Growing(dark=dark)
        self._ready: list[Strip] = []
        self._ready_for: tuple[int, Style] | None = None

    def add(self, piece: str) -> None:
        """More of it."""
        growing, height = self._growing, self._growing.height
        first = growing.add(piece)
        if not growing.width:
            self.refresh(layout=True)
            return
        del self._ready[first:]
        lines = max(height, growing.height) - first
        if lines:
            self.refresh(Region(0, first, self.size.width, lines), layout=growing.height != height)

    def repaint(self, *, dark: bool) -> None:
        """In the colours of another theme."""
        self._growing.repaint(dark=dark)
        self._ready_for = None
        self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        console = self.app.console
        self._growing.draw_for(console, console.options.update(width=max(1, width)))
        return self._growing.height

    def render_line(self, y: int) -> Strip:
        if self.text_selection is not None:
            return super().render_line(y)
        # Made once: it is painted again whenever a new line moves it up.
        kind = (self.size.width, self.visual_style.rich_style)
        if self._ready_for != kind:
            self._ready, self._ready_for = [], kind
        for line in range(len(self._ready), y + 1):
            self._ready.append(super().render_line(line))
        return self._ready[y]

    def drawn_line(self, y: int) -> Strip:
        style = self.visual_style.rich_style
        return Strip(self._growing.line(y)).apply_style(style).adjust_cell_length(self.size.width, style)
