"""Commands that compare."""

from __future__ import annotations

from localsteer.tui.commands.in_turn import InTurn
from localsteer.tui.comparing import Comparing


class CompareCommands(InTurn):
    """A part of the chat screen, which makes what is named here."""

    comparing: Comparing

    def action_compare(self) -> None:
        self.in_turn(self.comparing.open)
