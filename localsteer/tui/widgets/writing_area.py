"""Textual's area for several lines, which survives that what the cursor stood on is gone, and the whole width."""

from __future__ import annotations

from textual.geometry import Offset
from textual.strip import Strip
from textual.widgets import TextArea


class WritingArea(TextArea):
    """What everything that takes several lines is made of."""

    def on_unmount(self) -> None:
        # Textual (8.2) would keep it until the theme changes.
        watching = getattr(self.app, "__watchers", {}).get("theme", [])
        watching[:] = [one for one in watching if one[0] is not self]

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        """See Textual's."""
        try:
            return super().scroll_cursor_visible(center, animate)
        except ValueError:
            # Undoing a long paste hides the scroll bar before the cursor is moved to a line that there is.
            return Offset()

    def render_line(self, y: int) -> Strip:
        """See Textual's."""
        # A placeholder cannot be wrapped where there is no column for it.
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(0)
