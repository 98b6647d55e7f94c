"""A value that is typed, stepped with the arrows, or clicked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from localsteer.errors import LocalsteerError
from localsteer.tui.sampling_values import SamplingValue, Value

_TITLE = 16
_VALUE = 14


class NumberRow(Widget):
    """One line: its name, ``‹ value ›``, and what the default is where it differs."""

    DEFAULT_CSS = """
    NumberRow {
        height: 1;
        width: 1fr;
        padding: 0 1;
        &:focus { background: $panel; }
    }
    """

    can_focus = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,plus", "step(1)", show=False),
        Binding("left,minus", "step(-1)", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("delete", "default", show=False),
        Binding("backspace", "rub_out", show=False),
    ]

    @dataclass
    class Changed(Message):
        """The value is another one now."""

        row: NumberRow
        value: Value

    @dataclass
    class Wrong(Message):
        """What is typed cannot be; ``reason`` is a sentence, empty once it can."""

        reason: str

    def __init__(self, what: SamplingValue, value: Value) -> None:
        super().__init__(id=f"row-{what.name}")
        self.what = what
        self.value = value
        self._typed: str | None = None

    def put(self, value: Value) -> None:
        """This value, whatever is being typed."""
        self._typed = None
        self.post_message(self.Wrong(""))
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(self, value))
        self.refresh()

    def render(self) -> Content:
        typed = self._typed is not None
        shown = f"{self._typed}▏" if typed else self.what.words(self.value)
        default = self.what.default
        arrows = "$primary" if self.has_focus else "$faint"
        differs = "" if self.value == default else f"  default {self.what.words(default)}"
        return Content.assemble(
            (self.what.title.ljust(_TITLE), "bold" if self.has_focus else ""),
            ("‹ ", arrows),
            (shown.center(_VALUE), "$foreground bold" if self.value != default or typed else "$quiet"),
            (" ›", arrows),
            (differs, "$faint"),
        )

    def action_step(self, times: int) -> None:
        self.put(self.what.stepped(self.value, times))

    def action_default(self) -> None:
        self.put(self.what.default)

    def action_rub_out(self) -> None:
        text = self._typed if self._typed is not None else self.what.words(self.value)
        self._type(text[:-1] if text != self.what.unset else "")

    def on_key(self, event: events.Key) -> None:
        """Digits are typed; the value is taken as soon as it can be."""
        if event.character and event.character in "0123456789.":
            event.stop()
            self._type((self._typed or "") + event.character)

    def on_blur(self) -> None:
        if self._typed is not None:
            self._typed = None
            self.post_message(self.Wrong(""))
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        x = event.x - (self.content_region.x - self.region.x) - _TITLE
        if -1 <= x < 2:
            self.action_step(-1)
        elif _VALUE + 2 <= x < _VALUE + 5:
            self.action_step(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_step(1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_step(-1)

    def _type(self, text: str) -> None:
        self._typed = text
        try:
            value = self.what.read(text)
        except LocalsteerError as error:
            self.post_message(self.Wrong(str(error)))
        else:
            self.post_message(self.Wrong(""))
            if value != self.value:
                self.value = value
                self.post_message(self.Changed(self, value))
        self.refresh()
