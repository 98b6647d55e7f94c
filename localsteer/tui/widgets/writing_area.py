"""Textual's area for several lines, which survives that what the cursor stood on is gone, and the whole width."""

from __future__ import annotations

from collections.abc import Iterable

from rich.containers import Lines
from rich.text import Span, Text
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

    def get_line(self, line_index: int) -> Text:
        """See Textual's."""
        return _Line(self.document.get_line(line_index), end="", no_wrap=True)

    def render_line(self, y: int) -> Strip:
        """See Textual's."""
        # A placeholder cannot be wrapped where there is no column for it.
        return super().render_line(y) if self.content_size.width > 0 else Strip.blank(0)


class _Line(Text):
    """A line of the document, of which Textual (8.2) wants one row at a time and makes all of them each time: in a line
    of a million characters, nine thousand rows for each row on the screen at each key.
    """

    def divide(self, offsets: Iterable[int]) -> Lines:
        """See rich's; the rows are made when they are asked for."""
        return _Rows(self, list(offsets))


class _Rows(Lines):
    """The rows of a line; the one that is to be drawn is asked for first, the others for their tabs alone."""

    def __init__(self, line: Text, offsets: list[int]) -> None:
        super().__init__()
        self._line, self._ends = line, [0, *offsets, len(line)]
        self._tabs = "\t" in line.plain
        self._asked = False

    def __getitem__(self, index: int) -> Text:  # type: ignore[override]
        if self._asked and not self._tabs:
            return _NO_TABS
        self._asked = True
        start, end = self._ends[index : index + 2]
        row = Text(self._line.plain[start:end], self._line.style, end="", no_wrap=True, tab_size=self._line.tab_size)
        spans = ((max(span.start, start), min(span.end, end), span.style) for span in self._line.spans)
        row.spans = [Span(first - start, last - start, style) for first, last, style in spans if first < last]
        return row


_NO_TABS = Text()
