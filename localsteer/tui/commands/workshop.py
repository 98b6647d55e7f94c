"""The command that opens the workshop."""

from __future__ import annotations

from textual.screen import Screen

from localsteer.tui.workshop.making import Workshop


class WorkshopCommands(Screen[None]):
    """A part of the chat screen, which makes what is named here."""

    workshop: Workshop

    def action_workshop(self) -> None:
        self.workshop.open(self.app)
