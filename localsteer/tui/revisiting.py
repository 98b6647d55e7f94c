"""Going back in a conversation: picking a message, and what can be done to one that was said before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.widget import Widget

from localsteer.chat.conversation import Conversation, StoredMessage
from localsteer.errors import StorageError
from localsteer.tui.widgets.composer import Composer
from localsteer.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from localsteer.tui.chat_screen import ChatScreen

_FIRST_PAGE = 24
_PAGE = 40
_AROUND = 12


class Revisiting:
    """For a :class:`ChatScreen`. What is done is done to the picked message, else to the last one."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._talk = screen.talk
        self._transcript = screen.query_one(Transcript)
        self._composer = screen.query_one(Composer)
        self._undo: list[tuple[int, Callable[[], Conversation], str]] = []
        self.editing: int | None = None
        self._draft = ""

    # ------------------------------------------------------------ showing

    async def open(self, conversation: Conversation, at: int | None = None) -> None:
        """Another conversation on the screen, at its end or at one of its messages."""
        self.leave_edit()
        self._talk.open(conversation)
        await self._show(at)

    async def _show(self, at: int | None = None) -> None:
        """The messages of the talk; ``at``: with this one picked and in sight."""
        messages = self._talk.messages
        place = next((index for index, message in enumerate(messages) if message.id == at), None)
        begin, end = max(0, len(messages) - _FIRST_PAGE), len(messages)
        if place is not None and place < begin:
            begin, end = max(0, place - _AROUND), min(len(messages), place + _AROUND)
        shown = messages[begin:end]
        await self._transcript.show(
            self._views(shown, end == len(messages)),
            more_before=begin > 0 or self._has_older,
            more_after=end < len(messages),
            picked=at if place is not None else None,
        )
        if begin == 0 and not self._has_older:
            await self._screen.note_system_prompt(at=0)

    async def show_more(self, towards: int) -> None:
        """The messages beyond this end of what is shown."""
        ids = self._transcript.ids
        messages = self._talk.messages
        if not ids or not messages:
            await self._transcript.add_page([], towards, more=False)
            return
        edge = ids[0] if towards < 0 else ids[-1]
        place = next((index for index, message in enumerate(messages) if message.id == edge), None)
        if place is None:
            # What is shown is about to be replaced.
            return
        if towards > 0:
            page = messages[place + 1 : place + 1 + _PAGE]
            last = place + 1 + len(page) >= len(messages)
            await self._transcript.add_page(self._views(page, last), 1, more=not last)
            return
        if place == 0:
            try:
                place = len(self._talk.load_older())
            except StorageError as error:
                self._screen.say(str(error), True)
                await self._transcript.add_page([], -1, more=False)
                return
        page = self._talk.messages[max(0, place - _PAGE) : place]
        more = place > _PAGE or self._has_older
        await self._transcript.add_page(self._views(page, False), -1, more=more)
        if not more:
            await self._screen.note_system_prompt(at=0)

    async def to_the_end(self) -> None:
        """Show the end of the conversation, where something is going to be added."""
        if self._transcript.more_after:
            await self._show()

    def _views(self, messages: list[StoredMessage], to_the_end: bool) -> list[Widget]:
        from localsteer.tui.stored import views_of

        dark, signs = self._screen.app.current_theme.dark, self._screen.settings.signs
        return views_of(messages, dark=dark, to_the_end=to_the_end, signs=signs)

    @property
    def _has_older(self) -> bool:
        first = self._talk.messages[0] if self._talk.messages else None
        return first is not None and first.parent_id is not None and not first.orphan

    async def show_record(self) -> None:
        """The conversation as the record has it."""
        conversation = self._talk.conversation
        if conversation is not None:
            await self._go(lambda: self._talk.store.open(conversation.id))

    # ------------------------------------------------------------ picking

    async def pick_next(self, by: int) -> None:
        """The next message that way; after the last one nothing is picked."""
        transcript = self._transcript
        ids = transcript.ids
        if not ids:
            return
        place = ids.index(transcript.picked) + by if transcript.picked in ids else len(ids) - 1
        if place < 0 and transcript.more_before:
            await self.show_more(-1)
            place += len(transcript.ids) - len(ids)
        if place >= len(ids) and transcript.more_after:
            await self.show_more(1)
        ids = transcript.ids
        if place >= len(ids):
            transcript.pick(None)
            transcript.anchor()
        elif place >= 0:
            transcript.pick(ids[place])

    @property
    def chosen(self) -> StoredMessage | None:
        """The picked message, else the last one."""
        picked = self._talk.find(self._transcript.picked)
        return picked or (self._talk.messages[-1] if self._talk.messages else None)

    @property
    def chosen_reply(self) -> StoredMessage | None:
        """The picked message; where none is picked, the last reply."""
        picked = self._talk.find(self._transcript.picked)
        return picked or next((one for one in reversed(self._talk.messages) if one.role == "assistant"), None)

    def let_go(self) -> bool:
        """Leave what was begun with a message; False where nothing was."""
        if self.editing is not None:
            self.leave_edit()
        elif self._transcript.picked is not None:
            self._transcript.pick(None)
        else:
            return False
        return True

    # ------------------------------------------------------------ editing

    def begin_edit(self) -> None:
        """The message's text into the input; the last one of the person's, where a reply is meant."""
        message = self.chosen
        if message is not None and message.role != "user":
            messages = self._talk.messages
            before = messages[: messages.index(message)]
            message = next((one for one in reversed(before) if one.role == "user"), None)
        if message is None or message.id < 1:
            self._screen.say("Nothing was said yet that could be edited.")
        elif self._is_free():
            self._draft = self._composer.text if self.editing is None else self._draft
            self.editing = message.id
            self._composer.begin_editing(message.content)
            self._transcript.pick(message.id)

    def leave_edit(self) -> None:
        """The input as it was before."""
        if self.editing is not None:
            self.editing = None
            self._composer.end_editing(self._draft)
            self._draft = ""

    async def send_edit(self, text: str) -> None:
        """The edited message as another branch, and its reply."""
        edited, self.editing = self.editing, None
        assert edited is not None
        self._composer.end_editing(self._draft)
        store = self._talk.store
        if await self._go(lambda: store.open(store.edit(edited, text).conversation_id)):
            await self._screen.conversing.answer()
        else:
            self._screen.give_back(text)

    # ------------------------------------------------------------ branches

    async def write_again(self, *, afresh: bool = False) -> None:
        """Another reply in the place of the picked one; of the last one where none is picked."""
        picked = self._talk.find(self._transcript.picked)
        if picked is None or picked.id < 1 or picked.id == self._talk.messages[-1].id:
            await self.to_the_end()
            self._transcript.pick(None)
            await self._screen.conversing.again(afresh=afresh)
            return
        asked = picked.parent_id if picked.role == "assistant" else picked.id
        if asked is None:
            self._screen.say("Nothing was said before that reply that could be answered again.")
        elif self._is_free():
            store = self._talk.store
            if await self._go(lambda: store.continue_from(asked)):
                await self._screen.conversing.answer(afresh=afresh)

    async def step(self, message_id: int | None, by: int) -> None:
        """The alternative before (-1) or after (1) this message, the picked or the last one."""
        message = self._talk.find(message_id) if message_id is not None else self._with_alternatives()
        if message is None or message.alternatives < 2 or message.id < 1:
            hint = self._screen.keymap.hint
            more = hint("again", "writes one") + hint("edit_message", "edits your own")
            self._screen.say(f"There is no alternative to that message. {more}".rstrip())
            return
        if not 1 <= message.alternative + by <= message.alternatives:
            self._screen.say(f"That is the {'first' if by < 0 else 'last'} of {message.alternatives} alternatives.")
            return
        if self._is_free():
            store, known = self._talk.store, {one.id for one in self._talk.messages}
            if await self._go(lambda: store.step(message.id, by)):
                fresh = next((one.id for one in self._talk.messages if one.id not in known), None)
                await self._show(fresh)

    def _with_alternatives(self) -> StoredMessage | None:
        """The chosen message; where none is picked, the last one that has alternatives, of the last two."""
        if self._transcript.picked is not None:
            return self.chosen
        return next((one for one in reversed(self._talk.messages[-2:]) if one.alternatives > 1), self.chosen)

    async def continue_here(self) -> None:
        """What is said next follows the picked message."""
        picked = self._talk.find(self._transcript.picked)
        if picked is None or picked.id < 1:
            picks = self._screen.keymap.hint("previous_message", "picks one")
            self._screen.say(f"Pick the message to go on from first. {picks}".rstrip())
            return
        last = self._talk.messages[-1]
        if picked.id == last.id:
            self._transcript.pick(None)
            self._screen.say("The conversation ends with that message as it is.")
        elif self._is_free():
            store = self._talk.store
            if await self._go(lambda: store.continue_from(picked.id)):
                if last.id > 0:
                    self._remember(lambda: store.continue_from(last.id), "The conversation goes on as before.")
                undo = self._screen.keymap.hint("undo", "shows again what followed")
                self._screen.say(f"The conversation goes on from here. {undo}".rstrip())

    async def delete(self) -> None:
        """The chosen message, with all that follows it."""
        from localsteer.tui.copying import first_words

        message = self.chosen
        if message is None or message.id < 1:
            self._screen.say("There is no message that could be deleted.")
            return
        if not self._is_free():
            return
        store = self._talk.store

        def delete() -> Conversation:
            gone = store.delete_message(message.id)
            words = f"“{first_words(gone.words)}”"
            more = f" and {gone.messages - 1} after it" if gone.messages > 1 else ""
            self._remember(lambda: store.undo(gone), f"{words} is back.")
            undo = self._screen.keymap.hint("undo", "has it back")
            self._screen.say(f"Deleted: {words}{more}. {undo}".rstrip())
            return store.open(message.conversation_id)

        await self._go(delete)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo in this conversation."""
        return bool(self._undo) and self._undo[-1][0] == self._conversation_id

    async def undo(self) -> None:
        """The last deletion, or going on from elsewhere, as it was before."""
        if not self.can_undo:
            self._screen.say("There is nothing to undo here.")
        elif self._is_free():
            _, undo, said = last = self._undo[-1]
            if await self._go(undo):
                self._undo.remove(last)
                self._screen.say(said)

    def _remember(self, undo: Callable[[], Conversation], said: str) -> None:
        self._undo.append((self._conversation_id, undo, said))

    @property
    def _conversation_id(self) -> int:
        conversation = self._talk.conversation
        return conversation.id if conversation else 0

    # ------------------------------------------------------------

    async def _go(self, change: Callable[[], Conversation]) -> bool:
        """Change the tree and show what the path is then; say why where that cannot be."""
        try:
            conversation = change()
        except StorageError as error:
            self._screen.say(str(error), True)
            return False
        self._talk.turn_to(conversation)
        await self._show()
        return True

    def _is_free(self) -> bool:
        if self._screen.conversing.writing or self._screen.again.running:
            self._screen.say_writing()
            return False
        return True
