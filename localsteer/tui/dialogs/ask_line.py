"""Asking for one line of text: a title, a file's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from localsteer.tui.dialogs.window import Window
from localsteer.tui.plain import plain


class AskLine(Window[bool]):
    """Gives whether the text was taken.

    ``take(text, sure)`` does what is to be done with it and gives "", or one sentence why not; ``sure`` the second time
    that the same text is entered.
    """

    DEFAULT_CSS = """
    AskLine {
        & Static { color: $quiet; height: auto; }
        & .-wrong { color: $warning; }
        & Input, & Input:focus { border: none; height: 1; padding: 0 1; margin: 1 0 0 0; background: $panel; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "Close", show=False)]

    def __init__(self, title: str, hint: str, text: str, take: Callable[[str, bool], str]) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._text = text
        self._take = take
        self._refused: str | None = None

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = self._title
        box.border_subtitle = "Enter take · Esc close"
        with box:
            yield Static(Content(plain(self._hint)))
            yield Input(self._text, select_on_focus=False)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        problem = self._take(event.value, self._refused == event.value)
        self._refused = event.value
        if problem:
            hint = self.query_one(Static)
            hint.update(Content(plain(problem)))
            hint.add_class("-wrong")
        else:
            self.dismiss(True)

    def shut(self) -> None:
        """After a click beside it."""
        self.dismiss(False)
