"""What the figures in the header mean, for whoever clicks at them; and a word before the context is full."""

from __future__ import annotations

from textual.screen import Screen

from localsteer.tui.context_room import room_warning, room_words
from localsteer.tui.plain import plain
from localsteer.tui.widgets.header_line import HeaderLine
from localsteer.tui.widgets.transcript import Transcript


class ExplainCommands(Screen[None]):
    """A part of the chat screen."""

    _warned_of_room = False

    def show_speed(self, tokens_per_second: float) -> None:
        """Into the header."""
        self.query_one(HeaderLine).speed = tokens_per_second

    def show_context(self, used: int, size: int) -> None:
        """Into the header; where it is nearly full, once a sentence into the transcript."""
        header = self.query_one(HeaderLine)
        header.context_used, header.context_size = used, size
        warning = room_warning(used, size)
        if warning and not self._warned_of_room:
            self.call_later(self.query_one(Transcript).add_note, warning, "warning")
        self._warned_of_room = bool(warning)

    def action_explain_context(self) -> None:
        header = self.query_one(HeaderLine)
        self._explain(room_words(header.context_used, header.context_size))

    def action_explain_speed(self) -> None:
        self._explain(f"The model writes {self.query_one(HeaderLine).speed:.1f} tokens per second.")

    def _explain(self, text: str) -> None:
        self.notify(plain(text), timeout=8, markup=False)
