"""Commands that compare."""

from __future__ import annotations

from textual.screen import Screen

from localsteer.tui.comparing import Comparing


class CompareCommands(Screen[None]):
    """A part of the chat screen, which makes what is named here."""

    comparing: Comparing

    def action_compare(self) -> None:
        self.call_later(self.comparing.open)
