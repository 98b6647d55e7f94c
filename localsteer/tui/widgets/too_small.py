"""Covers everything while the terminal is too small."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from localsteer.tui.terminal import too_small


class TooSmall(Widget):
    """Visible only when :meth:`check` says so."""

    DEFAULT_CSS = """
    TooSmall {
        layer: above;
        dock: top;
        width: 100%;
        height: 100%;
        display: none;
        content-align: center middle;
        text-align: center;
        background: $background;
        color: $warning;
        &.-on { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._words = ""

    def check(self, terminal: Size) -> None:
        """Show or hide for a terminal of this size."""
        self._words = too_small(*terminal)
        self.set_class(bool(self._words), "-on")
        self.refresh()

    def render(self) -> Content:
        return Content(self._words)
