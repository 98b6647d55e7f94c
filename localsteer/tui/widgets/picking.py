"""What a message can do for being picked: say that it was clicked, and show that it is the picked one."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widget import Widget

EDGE = "█"
"""The left edge of a picked message, as Textual paints a thick border."""


@dataclass
class Clicked(Message):
    """The person clicked on this message."""

    message_id: int


class Pickable(Widget):
    """A message with a widget of its own. ``message_id`` None: it is not in the record (yet)."""

    message_id: int | None = None

    def on_click(self, event: events.Click) -> None:
        # A click that ends a selection is none.
        if self.message_id is not None and not self.screen.selections:
            self.post_message(Clicked(self.message_id))
