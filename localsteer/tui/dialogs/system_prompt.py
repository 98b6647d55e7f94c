"""Editing the system prompt."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from localsteer.tui.dialogs.window import Window
from localsteer.tui.plain import plain
from localsteer.tui.widgets.writing_area import WritingArea


class SystemPrompt(Window[str | None]):
    """Gives the new system prompt (perhaps empty), or None where nothing was changed."""

    DEFAULT_CSS = """
    SystemPrompt {
        & Static { color: $quiet; margin: 0 0 1 0; }
        & TextArea { height: 7; border: round $edge; background: $background; }
        & TextArea:focus { border: round $primary 70%; }
        & TextArea .text-area--cursor-line { background: transparent; }
        & Horizontal { height: auto; align-horizontal: right; margin: 1 0 0 0; }
        & Button { margin: 0 0 0 2; min-width: 10; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", show=False),
        # After the text: what was typed before them is in it by then.
        Binding("ctrl+s,f8", "save", "Save", show=False),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = "System prompt"
        box.border_subtitle = "Ctrl+S save · Esc close"
        with box:
            yield Static(Content("What the model is told before the conversation. Empty: nothing."))
            yield WritingArea(self._text, soft_wrap=True, show_line_numbers=False, tab_behavior="focus")
            with Horizontal():
                yield Button("Close", id="close", compact=True)
                yield Button("Save", id="save", variant="primary", compact=True)

    def on_mount(self) -> None:
        area = self.query_one(WritingArea)
        area.move_cursor(area.document.end)
        area.focus()

    def action_save(self) -> None:
        """Close, and take the text."""
        text = plain(self.query_one(WritingArea).text).strip()
        self.dismiss(None if text == self._text else text)

    @on(Button.Pressed, "#save")
    def _save(self) -> None:
        self.action_save()

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)
