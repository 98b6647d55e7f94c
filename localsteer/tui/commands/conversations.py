"""Commands on conversations as wholes: the list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from localsteer.chat.conversation import Conversation
from localsteer.errors import StorageError
from localsteer.tui.again import Again
from localsteer.tui.conversing import Conversing
from localsteer.tui.plain import plain
from localsteer.tui.revisiting import Revisiting
from localsteer.tui.talk import Talk
from localsteer.tui.widgets.composer import Composer

if TYPE_CHECKING:
    from localsteer.tui.dialogs.conversations import Opened


class ConversationCommands(Screen[None]):
    """A part of the chat screen, which makes what is named here."""

    talk: Talk
    conversing: Conversing
    revisiting: Revisiting
    again: Again

    def action_conversations(self) -> None:
        from localsteer.tui.dialogs.conversations import Conversations

        shown = self.talk.conversation
        dialog = Conversations(self.talk.store, shown.id if shown else None)

        def answered(opened: Opened | None) -> None:
            # It may have begun since, with the message that was on its way when the list was opened.
            present = self.talk.conversation
            if opened is not None:
                self.call_later(self.open_conversation, opened)
            elif present is not None and present.id in dialog.gone:
                self.call_later(self.run_action, "new_chat")

        self.app.push_screen(dialog, answered)

    async def open_conversation(self, opened: Opened) -> None:
        """Bring it onto the screen; at a message, with the branch that it is on."""
        store = self.talk.store
        self.conversing.give_places()
        try:
            conversation: Conversation = (
                store.open(opened.conversation_id) if opened.message_id is None else store.choose(opened.message_id)
            )
        except StorageError as error:
            self.notify(plain(str(error)), severity="error", markup=False)
            return
        await self.again.turn_away()
        await self.conversing.open(lambda: self.revisiting.open(conversation, opened.message_id))
        self.query_one(Composer).focus()
