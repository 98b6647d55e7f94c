"""The field in a dial's row where a number is typed."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input


class StrengthField(Input):
    """Stands over the dial's number. Gives back the focus when it is left."""

    DEFAULT_CSS = """
    StrengthField, StrengthField:focus {
        dock: right;
        width: 9;
        height: 1;
        border: none;
        padding: 0 1;
        background: $background;
        color: $foreground;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        # They would pick another dial while this one's number is being typed.
        Binding("up,down,pageup,pagedown", "stay", show=False),
    ]

    class Left(Message):
        """Nothing is wanted of the field any more."""

    def __init__(self, strength: float) -> None:
        super().__init__(f"{strength:g}", select_on_focus=True, max_length=40)
        self._before: Widget | None = None

    def on_mount(self) -> None:
        self._before = self.screen.focused
        self.focus()

    def give_back(self) -> None:
        """The focus to what had it before."""
        if self.has_focus:
            self.screen.set_focus(self._before if self._before is not None and self._before.is_attached else None)

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def action_stay(self) -> None:
        """Nothing."""

    def on_blur(self, _: events.Blur) -> None:
        # Who looks elsewhere does not want to type here; another window is not elsewhere.
        if self.app.app_focus:
            self.post_message(self.Left())

    async def _on_click(self, event: events.Click) -> None:
        # The panel below would take the focus.
        event.stop()
        await super()._on_click(event)
