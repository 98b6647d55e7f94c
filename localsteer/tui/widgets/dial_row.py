"""One dial on the panel: shows it, takes the mouse, and a number where one is typed."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events, on
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from localsteer.tui.bar import value_at
from localsteer.tui.rack import Dial
from localsteer.tui.widgets.dial_face import READING, Face, face, height
from localsteer.tui.widgets.strength_field import StrengthField


class DialRow(Widget):
    """A dial. Click picks it; click and drag on the bar sets it; the wheel on the bar turns it finely; a click on the
    number lets another be typed; dragged by anything else it takes another place.

    What it says of a dial it says by name: places change while the message is on its way.
    """

    DEFAULT_CSS = """
    DialRow {
        width: 1fr;
        height: auto;
        padding: 0 1 0 1;
        margin: 0 0 1 0;
        border-left: blank;
        &.-picked { border-left: outer $primary; background: $panel; }
        &:hover { background: $panel 60%; }
    }
    """

    @dataclass
    class Set(Message):
        """The person put the bar at ``strength``."""

        name: str
        strength: float

    @dataclass
    class Turned(Message):
        """The person turned the wheel: so many fine turns."""

        name: str
        times: int

    @dataclass
    class Typed(Message):
        """The person typed ``text`` for a strength. The field stays until :meth:`DialRow.close`."""

        row: DialRow
        name: str
        text: str

    @dataclass
    class Carried(Message):
        """The person drags the dial to the place ``to``."""

        name: str
        to: int

    def __init__(self, dial: Dial, index: int) -> None:
        super().__init__()
        self._dial = dial
        self._index = index
        self._needle: float | None = None
        self._picked = self._solo = self._silenced = self._dragging = False
        self._carried: int | None = None
        self._carried_name = ""
        self._carried_from = 0.0

    @property
    def dial(self) -> Dial:
        """The dial that is shown."""
        return self._dial

    @property
    def index(self) -> int:
        """Its place on the panel, from 0."""
        return self._index

    @property
    def picked(self) -> bool:
        return self._picked

    def open(self) -> None:
        """Let a strength be typed."""
        if not self.query(StrengthField):
            self.mount(StrengthField(self._dial.strength))

    def close(self) -> None:
        """No field any more."""
        for field in self.query(StrengthField):
            field.give_back()
            field.remove()

    @on(StrengthField.Left)
    def _left(self, event: StrengthField.Left) -> None:
        event.stop()
        self.close()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Typed(self, self._dial.name, event.value))

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
        if dial.name != self._dial.name:
            self.close()
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
        if self._on_reading(event):
            return
        self.capture_mouse()
        if self._on_bar(event):
            event.stop()
            self._dragging = True
            self._set_from(event)
        else:
            self._carried, self._carried_name, self._carried_from = self._index, self._dial.name, event.screen_y

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            event.stop()
            self._set_from(event)
        elif self._carried is not None:
            event.stop()
            self._carry(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._dragging or self._carried is not None:
            event.stop()
            self._dragging, self._carried = False, None
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        if self._on_reading(event):
            # The panel below would take the focus away from the field.
            event.stop()
            self.open()

    def _carry(self, event: events.MouseMove) -> None:
        """Where the dial is dragged over another one the two change places."""
        assert self._carried is not None
        moved, self._carried_from = event.screen_y - self._carried_from, event.screen_y
        # One that was just taken away has no parent any more.
        for row in self.parent.children if self.parent is not None else ():
            if isinstance(row, DialRow) and row.region.y <= event.screen_y < row.region.bottom:
                # Rows differ in height: without this the two would change places again and again at their border.
                if (row.index - self._carried) * moved > 0:
                    self.post_message(self.Carried(self._carried_name, row.index))
                    self._carried = row.index
                return

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, times: int) -> None:
        # Elsewhere on the dial the wheel scrolls the panel.
        if self._on_bar(event):
            event.stop()
            event.prevent_default()
            self.post_message(self.Turned(self._dial.name, times))

    def _on_bar(self, event: events.MouseEvent) -> bool:
        offset = event.get_content_offset(self)
        where = self._face()
        return (
            offset is not None
            and offset.y == where.bar_row
            and where.bar_column <= offset.x < where.bar_column + where.bar_width
        )

    def _on_reading(self, event: events.MouseEvent) -> bool:
        offset = event.get_content_offset(self)
        return offset is not None and offset.y == 0 and offset.x >= self.content_size.width - READING

    def _set_from(self, event: events.MouseEvent) -> None:
        where = self._face()
        column = event.get_content_offset_capture(self).x - where.bar_column
        full = self._dial.full
        fine = full / 50
        strength = round(value_at(column, full=full, width=where.bar_width) / fine) * fine
        self.post_message(self.Set(self._dial.name, round(strength, 6)))
