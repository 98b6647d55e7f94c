"""The conversation that is open: its messages along the chosen path, saved as they come. No widgets, no engine."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from localsteer.chat.conversation import Conversation, ReadAs, ReplyRecord, StoredMessage
from localsteer.chat.running import RunningReply
from localsteer.chat.store import ConversationStore
from localsteer.chat.turns import Beginning, Earlier, as_turn, conversation_turns, earlier, within_reach
from localsteer.engine.protocol import DialMark, DialSetting, ModelCard, Sampling, Turn
from localsteer.errors import StorageError

_MANY = 100
_KEEP_SECONDS = 30 * 86_400.0
"""What is deleted can be had back for so long."""


def open_store(path: Path) -> tuple[ConversationStore, str]:
    """The database at ``path`` and nothing; or one that lasts as long as the app, and one sentence why. Raises
    StorageError where there is no room for that either.
    """
    try:
        return ConversationStore(path), ""
    except StorageError as error:
        return PassingStore(), f"{error} Until then nothing is kept after quitting."


class PassingStore(ConversationStore):
    """A database that is gone, with its folder, when it is closed."""

    def __init__(self) -> None:
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="localsteer-", ignore_cleanup_errors=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StorageError(f"There is no place for conversations, not even a temporary one: {reason}.") from error
        super().__init__(Path(self._folder.name) / "conversations.sqlite3")

    def close(self) -> None:
        super().close()
        self._folder.cleanup()


def empty_old(path: Path) -> None:
    """Empty for good what was deleted more than 30 days ago, and take in what a search would have to."""
    with contextlib.suppress(StorageError), ConversationStore(path) as store:
        store.purge(older_than=_KEEP_SECONDS)
        store.prepare_search()


class Talk:
    """One conversation at a time. Methods that save raise StorageError; what was said is then still here, in memory."""

    def __init__(self, store: ConversationStore, system_prompt: str = "") -> None:
        self.store = store
        self.system_prompt = system_prompt
        self.messages: list[StoredMessage] = []
        self._conversation: Conversation | None = None
        self._read_as: ReadAs | None = None
        self._beginning: Beginning | None = None
        self._left_over: list[tuple[int, RunningReply]] = []

    @property
    def can_write_again(self) -> bool:
        """Whether there is a message of the person's to reply to (again)."""
        return any(message.role == "user" for message in self.messages)

    @property
    def standing(self) -> tuple[object, ...]:
        """Equal as long as nothing was said, chosen or told otherwise."""
        conversation = None if self._conversation is None else self._conversation.id
        last = self.messages[-1].id if self.messages else None
        return (conversation, last, self.system_prompt, self._read_as)

    @property
    def last_question(self) -> str:
        """The last message of the person's, empty where there is none."""
        return next((message.content for message in reversed(self.messages) if message.role == "user"), "")

    @property
    def conversation(self) -> Conversation | None:
        """As it was when it was opened or its title changed; None before anything was said."""
        return self._conversation

    @property
    def has_earlier(self) -> bool:
        """Whether there are conversations besides this one."""
        try:
            stored = self.store.summaries(2)
        except StorageError:
            return False
        return any(self._conversation is None or one.id != self._conversation.id for one in stored)

    def find(self, message_id: int | None) -> StoredMessage | None:
        """The message of this id, among those that are here."""
        return next((message for message in self.messages if message.id == message_id), None)

    def begin_anew(self) -> None:
        """An empty conversation; the system prompt stays. Nothing is stored until something is said."""
        self.messages = []
        self._conversation = None
        self._read_as = None
        self._beginning = None
        self._forget_what_has_no_place()

    def open(self, conversation: Conversation) -> None:
        """Go on with a conversation: what the store has just opened."""
        self.begin_anew()
        self._conversation = conversation
        self.messages = list(conversation.messages)
        self.system_prompt = conversation.system_prompt

    def turn_to(self, conversation: Conversation) -> None:
        """Another branch of the conversation that is open, as the store has just given it."""
        system_prompt = self.system_prompt
        self.open(conversation)
        self.system_prompt = system_prompt

    def replace(self, message: StoredMessage) -> None:
        """This message as it has become."""
        self.messages = [message if one.id == message.id else one for one in self.messages]

    def load_older(self) -> tuple[StoredMessage, ...]:
        """The page of messages before those that are here, which now are here, too; () where there are none."""
        older = self.store.older(self.messages[0].id) if self.messages else ()
        self.messages[:0] = older
        return older

    def forget_before(self, message_id: int) -> None:
        """Leave what was said long before this message to the record, so that memory stays as it is."""
        place = next((index for index, one in enumerate(self.messages) if one.id == message_id), 0)
        if place >= _MANY:
            gone, self.messages = self.messages[:place], self.messages[place:]
            if self._beginning is not None:
                # Else the whole path would be read for it, and that is longer each time.
                self._beginning = self._beginning.longer(gone)

    def whole(self) -> list[StoredMessage]:
        """All messages of the path, from the record where they are not here."""
        messages = list(self.messages)
        while messages and (older := self.store.older(messages[0].id)):
            messages[:0] = older
        return messages

    def set_system_prompt(self, text: str) -> None:
        """For the replies from now on."""
        self.system_prompt = text
        if self._conversation is not None:
            self.store.set_system_prompt(self._conversation.id, text)

    def say(self, text: str) -> StoredMessage:
        """What the person said, below the last message."""
        self.save_left_over()
        conversation = self._conversation or self.store.new_conversation(self.system_prompt)
        last = self.messages[-1].id if self.messages else None
        try:
            message = self.store.add_message(conversation.id, "user", text, last)
        except StorageError:
            if self._conversation is None:
                # An empty conversation would stand in the list.
                with contextlib.suppress(StorageError):
                    self.store.delete_conversation(conversation.id)
            raise
        self._conversation = conversation
        self.messages.append(message)
        return message

    @property
    def was_answered(self) -> bool:
        """Whether the last message here is a question that the record has a reply to: it was to be answered again."""
        last = self.messages[-1] if self.messages else None
        if last is None or last.role != "user" or last.id < 1 or self._conversation is None:
            return False
        try:
            path = self.store.open(self._conversation.id).messages
        except StorageError:
            return False
        # It need not be the last one there: what was said after it may have been given back unanswered.
        return any(one.parent_id == last.id and one.role == "assistant" for one in path)

    def take_back_question(self) -> str:
        """Forget the last message on the screen if nothing has answered it, and give its text back."""
        if self.messages and self.messages[-1].role == "user":
            return self.messages.pop().content
        return ""

    def take_back_reply(self) -> StoredMessage | None:
        """Forget the last reply on the screen (the record keeps it), so that another can take its place."""
        if self.messages and self.messages[-1].role == "assistant":
            taken = self.messages.pop()
            self._forget_what_has_no_place()
            if self._read_as is not None:
                self._read_as = replace(self._read_as, replies=min(self._read_as.replies, self._reply_count()))
            return taken
        return None

    def begin_reply(
        self,
        card: ModelCard,
        sampling: Sampling,
        dials: tuple[DialSetting, ...],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> RunningReply:
        """A reply to the last message, saved as it grows."""
        assert self._conversation is not None
        marks = (DialMark(0, dials),)
        record = ReplyRecord.begun(
            card, system_prompt=self.system_prompt, sampling=sampling, marks=marks, read_as=self._read_as
        )
        return self.store.begin_reply(self._conversation.id, self.messages[-1].id, record, clock=clock)

    def add_reply(self, running: RunningReply) -> None:
        """The reply as it stands, whether it could be saved or not."""
        message_id = running.message_id or -1 - len(self.messages)
        if not running.saved:
            self.keep(running, message_id)
        else:
            with contextlib.suppress(StorageError):
                self.messages.append(self.store.message(message_id))
                return
        self.messages.append(
            StoredMessage(
                id=message_id,
                conversation_id=running.conversation_id,
                parent_id=running.parent_id,
                role="assistant",
                content=running.text,
                created=time.time(),
                reply=running.record,
            )
        )

    def keep(self, running: RunningReply, shown_as: int = 0) -> None:
        """A reply that could not be saved to its end: it is saved when it can be. ``shown_as``: its id among the
        messages, until it has one of the record's.
        """
        self._left_over.append((shown_as, running))

    def _forget_what_has_no_place(self) -> None:
        """A reply of which the record has nothing gets a place there only while it is the last message here: later it
        would become the end of a path that has gone on without it.
        """
        self._left_over = [one for one in self._left_over if one[1].message_id is not None]

    def save_left_over(self, *, due: bool = False) -> None:
        """Save the replies that could not be saved when they came: nothing can be said below one before it is.
        ``due``: only where the last try is long enough ago.
        """
        for one in list(self._left_over):
            shown_as, running = one
            running.save_if_due() if due else running.save()
            if running.saved:
                self._left_over.remove(one)
                saved = self.store.message(running.message_id or shown_as)
                self.messages = [saved if message.id == shown_as else message for message in self.messages]

    def read_all_as(self, dials: tuple[DialSetting, ...]) -> None:
        """From now on the engine reads every earlier reply as if it had been written under ``dials``.

        The record is not touched: what was said stays said under its own strengths.
        """
        self._read_as = ReadAs(self._reply_count(), dials)

    def _reply_count(self) -> int:
        here = sum(message.role == "assistant" for message in self.messages)
        with contextlib.suppress(StorageError):
            return here + (self.store.reply_count(self.messages[0].parent_id) if self.messages else 0)
        return here

    def _earlier_turns(self, card: ModelCard) -> Earlier:
        """What comes before the messages that are here; read once, until others are the first ones here."""
        last = self.messages[0].parent_id if self.messages else None
        if self._beginning is None or (self._beginning.last, self._beginning.card) != (last, card):
            path = () if last is None else self.store.path_turns(last, card)
            self._beginning = Beginning(last, card, earlier(path, card.n_ctx))
        return self._beginning.earlier

    def turns(self, card: ModelCard, *, until: int | None = None) -> tuple[Turn, ...]:
        """What the engine needs: system prompt and messages, replies with their tokens and the dials of their time.

        Messages of the person's that follow each other (the engine died before it answered) are one turn. ``until``:
        of the path that ends with this message. What cannot be read any more in this model's context is left out.
        """
        end = next((index for index, one in enumerate(self.messages) if one.id == until), len(self.messages) - 1)
        return self._within_reach(self._turns_through(card, end), card)

    def turns_to_answer(self, card: ModelCard, said: str = "") -> tuple[Turn, ...]:
        """What another reply to the last message of the person's is written from; or a first one to ``said``, which
        would come after all messages but is not said yet.
        """
        turns = self._turns_through(card, len(self.messages) - 1)
        if said:
            turns.append(Turn("user", said))
        while turns and turns[-1].role == "assistant":
            turns.pop()
        return self._within_reach(turns, card)

    def _turns_through(self, card: ModelCard, end: int) -> list[Turn]:
        """From those on that may be within reach."""
        return [*self._earlier_turns(card).turns, *(as_turn(message, card) for message in self.messages[: end + 1])]

    def _within_reach(self, turns: list[Turn], card: ModelCard) -> tuple[Turn, ...]:
        before, read_as = self._earlier_turns(card), self._read_as
        if read_as is not None:
            read_as = replace(read_as, replies=max(0, read_as.replies - before.replies_before))
        return within_reach(conversation_turns(self.system_prompt, turns, read_as), card.n_ctx, before.tokens_before)
