"""The list of slash commands over the input: follows what is typed, and can be clicked at."""

from __future__ import annotations

from textual import on
from textual.screen import Screen

from localsteer.tui.slashing import Slashing
from localsteer.tui.widgets.completions import Completions
from localsteer.tui.widgets.composer import Composer


class SlashTyping(Screen[None]):
    """A part of the chat screen, which makes what is named here."""

    slashing: Slashing

    @on(Composer.Changed)
    def _typed(self) -> None:
        self.slashing.typed()

    @on(Completions.OptionSelected)
    def _clicked(self) -> None:
        composer = self.query_one(Composer)
        composer.focus()
        composer.take(run=True)
