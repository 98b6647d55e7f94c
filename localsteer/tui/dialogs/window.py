"""What windows over the chat have in common: a box in the middle, and a click beside it that closes them."""

from __future__ import annotations

from textual import events
from textual.screen import ModalScreen

from localsteer.tui.steady import Result, SteadyScreen


class Window(ModalScreen[Result], SteadyScreen[Result]):
    """Its one child is the box; how large that is says each window."""

    DEFAULT_CSS = """
    Window {
        align: center middle;
        background: $background 60%;
        & > Vertical, & > VerticalScroll {
            width: 74;
            max-width: 94%;
            height: auto;
            padding: 1 2;
            background: $surface;
            border: round $edge;
            border-title-color: $primary;
            border-subtitle-color: $quiet;
        }
    }
    """

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.shut()

    def shut(self) -> None:
        """After a click beside it: close, with nothing chosen."""
        self.dismiss(None)
