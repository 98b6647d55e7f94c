"""Commands on messages that were said before: pick, edit, step through alternatives, branch, delete, undo."""

from __future__ import annotations

from textual import on

from localsteer.tui.again import Again
from localsteer.tui.commands.in_turn import InTurn
from localsteer.tui.revisiting import Revisiting
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.transcript import Transcript


class RevisitCommands(InTurn):
    """A part of the chat screen, which makes what is named here."""

    revisiting: Revisiting
    again: Again

    @on(Transcript.Reached)
    def _reached(self, event: Transcript.Reached) -> None:
        self.call_later(self.revisiting.show_more, event.towards)

    async def show_record(self) -> None:
        """The conversation as the record has it, on the screen."""
        await self.revisiting.show_record()

    def action_pick_message(self, by: int) -> None:
        self.in_turn(self.revisiting.pick_next, by)

    def action_again_exactly(self) -> None:
        self.in_turn(self._again_exactly)

    async def _again_exactly(self) -> None:
        await self.again.begin(self.revisiting.chosen_reply)

    def action_edit_message(self) -> None:
        self.in_turn(self._edit_message)

    def _edit_message(self) -> None:
        self.revisiting.begin_edit()
        self.query_one(Composer).focus()

    def action_alternative(self, by: int) -> None:
        self.in_turn(self.revisiting.step, None, by)

    def action_step(self, message_id: int, by: int) -> None:
        self.in_turn(self.revisiting.step, message_id, by)

    def action_continue_here(self) -> None:
        self.in_turn(self.revisiting.continue_here)

    def action_delete_message(self) -> None:
        self.in_turn(self.revisiting.delete)

    def action_undo(self) -> None:
        self.in_turn(self.revisiting.undo)

    @on(Composer.Blank)
    def _entered_nothing(self) -> None:
        if self.query_one(Transcript).picked is not None:
            self.action_continue_here()
