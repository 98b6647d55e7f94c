"""One dial on the panel: shows it, and takes the mouse."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from localsteer.tui.bar import value_at
from localsteer.tui.rack import Dial
from localsteer.tui.widgets.dial_face import Face, face, height


class DialRow(Widget):
    """A dial. Click picks it; click and drag on the bar sets it; the wheel on the bar turns it finely."""

    DEFAULT_CSS = """
    DialRow {
        width: 1fr;
        height: auto;
        padding: 0 1 0 1;
        margin: 0 0 1 0;
        border-left: outer transparent;
        &.-picked { border-left: outer $primary; background: $panel; }
        &:hover { background: $panel 60%; }
    }
    """

    @dataclass
    class Picked(Message):
        """The person clicked the dial."""

        index: int

    @dataclass
    class Set(Message):
        """The person put the bar at ``strength``."""

        index: int
        strength: float

    @dataclass
    class Turned(Message):
        """The person turned the wheel: so many fine turns."""

        index: int
        times: int

    def __init__(self, dial: Dial, index: int) -> None:
        super().__init__()
        self._dial = dial
        self._index = index
        self._needle: float | None = None
        self._picked = self._solo = self._silenced = self._dragging = False

    @property
    def dial(self) -> Dial:
        """The dial that is shown."""
        return self._dial

    def point(self, reading: float | None) -> None:
        """Where the needle points; None for no needle."""
        if reading != self._needle:
            self._needle = reading
            self.refresh()

    def show(self, dial: Dial, index: int, *, picked: bool, solo: bool, silenced: bool) -> None:
        """Show this dial from now on."""
        shown = (self._dial, self._index, self._picked, self._solo, self._silenced)
        if shown == (dial, index, picked, solo, silenced):
            return
        resized = picked != self._picked
        self._dial, self._index, self._picked, self._solo, self._silenced = dial, index, picked, solo, silenced
        self.set_class(picked, "-picked")
        self.refresh(layout=resized)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return height(picked=self._picked, width=width)

    def render(self) -> Content:
        return Content("\n").join(self._face().lines)

    def _face(self) -> Face:
        return face(
            self._dial,
            number=self._index + 1,
            picked=self._picked,
            solo=self._solo,
            silenced=self._silenced,
            needle=self._needle,
            width=self.content_size.width,
        )

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button != 1:
            return
        if self._on_bar(event):
            event.stop()
            self._dragging = True
            self.capture_mouse()
            self._set_from(event)
        else:
            self.post_message(self.Picked(self._index))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            event.stop()
            self._set_from(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._dragging:
            event.stop()
            self._dragging = False
            self.release_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, times: int) -> None:
        # Elsewhere on the dial the wheel scrolls the panel.
        if self._on_bar(event):
            event.stop()
            event.prevent_default()
            self.post_message(self.Turned(self._index, times))

    def _on_bar(self, event: events.MouseEvent) -> bool:
        offset = event.get_content_offset(self)
        where = self._face()
        return (
            offset is not None
            and offset.y == where.bar_row
            and where.bar_column <= offset.x < where.bar_column + where.bar_width
        )

    def _set_from(self, event: events.MouseEvent) -> None:
        where = self._face()
        column = event.get_content_offset_capture(self).x - where.bar_column
        full = self._dial.full
        fine = full / 50
        strength = round(value_at(column, full=full, width=where.bar_width) / fine) * fine
        self.post_message(self.Set(self._index, round(strength, 6)))
