"""All conversations in one SQLite database."""

from __future__ import annotations

import time
from collections.abc import Callable

from localsteer.chat.conversation import Conversation, Deletion, ReplyRecord, StoredMessage, title_from
from localsteer.chat.database import clear_errors
from localsteer.chat.deleting import delete_below, list_deletions, undo_deletion
from localsteer.chat.listing import ConversationList
from localsteer.chat.paths import (
    count_replies,
    is_on_path,
    newest_below,
    read_message,
    read_path,
    read_turns,
    siblings,
    sound_leaf,
)
from localsteer.chat.records import REPLY_COLUMNS, reply_values, storable
from localsteer.chat.running import RunningReply
from localsteer.chat.tree import ConversationTree, insert_message, insert_reply, inserted_id, write_tree
from localsteer.chat.turns import conversation_turns, within_reach
from localsteer.engine.protocol import ModelCard, Turn
from localsteer.errors import StorageError
from localsteer.messages import Role

PAGE = 100
"""How many messages :meth:`ConversationStore.open` and :meth:`ConversationStore.older` give unless asked for more."""


class ConversationStore(ConversationList):
    """The database of conversations, open until :meth:`close`. To be used from one thread.

    Everything that a method has returned from is on the disk. All methods raise StorageError. Here is what happens
    within a conversation; list, search and backup are in :class:`~localsteer.chat.listing.ConversationList`.
    """

    # ------------------------------------------------------------ conversations

    def new_conversation(self, system_prompt: str = "", title: str = "") -> Conversation:
        """An empty conversation. Without a title it takes one from its first message."""
        title, system_prompt = storable(title_from(title)), storable(system_prompt)
        titled_by = "hand" if title else "words"
        with self._changing() as connection:
            now = self._now()
            cursor = connection.execute(
                "INSERT INTO conversations (title, titled_by, system_prompt, created, updated) VALUES (?, ?, ?, ?, ?)",
                (title, titled_by, system_prompt, now, now),
            )
        return self.open(inserted_id(cursor))

    def open(self, conversation_id: int, *, last: int | None = PAGE, back_to: int | None = None) -> Conversation:
        """The conversation with the ``last`` messages of its chosen path (None: all), however long it is.

        ``back_to``: more of them where that is needed to have the message of this id among them.
        """
        with clear_errors(self.path):
            row = self._row(conversation_id)
            leaf = sound_leaf(self._connection, conversation_id, row["leaf_id"])
            messages = read_path(self._connection, leaf, last=last, back_to=back_to)
        return Conversation(
            row["id"],
            row["title"],
            row["system_prompt"],
            row["created"],
            row["updated"],
            messages,
            row["titled_by"],
            bool(row["pinned"]),
            bool(row["archived"]),
        )

    def older(self, message_id: int, limit: int = PAGE) -> tuple[StoredMessage, ...]:
        """Up to ``limit`` messages that come right before this one on its path, oldest first."""
        with clear_errors(self.path):
            row = self._connection.execute("SELECT parent_id FROM messages WHERE id = ?", (message_id,)).fetchone()
            return () if row is None else read_path(self._connection, row["parent_id"], last=limit)

    def latest(self) -> Conversation | None:
        """The conversation that was last written to and is not archived, None where there is none."""
        with clear_errors(self.path):
            row = self._connection.execute(
                "SELECT id FROM conversations WHERE deletion_id IS NULL AND NOT archived "
                "ORDER BY updated DESC, id DESC LIMIT 1"
            ).fetchone()
        return None if row is None else self.open(row["id"])

    def add_tree(self, tree: ConversationTree) -> Conversation:
        """A new conversation with all that is in ``tree``, or none at all."""
        with self._changing() as connection:
            conversation_id = write_tree(connection, tree)
        self.prepare_search()
        return self.open(conversation_id)

    # ------------------------------------------------------------ messages

    def add_message(
        self, conversation_id: int, role: Role, content: str, parent_id: int | None, reply: ReplyRecord | None = None
    ) -> StoredMessage:
        """A message below ``parent_id`` (None: a first message); it becomes the end of the chosen path.

        A second child of the same parent is an alternative to the first. A reply whose question was deleted while it
        was on its way goes where the question went, and comes back with it.
        """
        with self._changing() as connection:
            now = self._now()
            title, hidden = self._row(conversation_id, hidden=reply is not None)["title"], None
            if parent_id is not None:
                parent = connection.execute(
                    "SELECT deletion_id FROM messages WHERE id = ? AND conversation_id = ?",
                    (parent_id, conversation_id),
                ).fetchone()
                hidden = None if parent is None else parent["deletion_id"]
                if parent is None or (hidden is not None and reply is None):
                    raise StorageError("The message that this one follows is not there any more.")
            message_id = insert_message(connection, conversation_id, parent_id, role, content, now, hidden)
            if reply is not None:
                insert_reply(connection, message_id, reply)
            if hidden is None:
                first_words = title_from(storable(content)) if not title and role == "user" else title
                connection.execute(
                    "UPDATE conversations SET leaf_id = ?, updated = ?, title = ? WHERE id = ?",
                    (message_id, now, first_words, conversation_id),
                )
        return self.message(message_id)

    def edit(self, message_id: int, text: str) -> StoredMessage:
        """Another text for a message of the person's, as an alternative to it: the old branch stays as it was."""
        message = self._there(message_id)
        if message.role != "user":
            raise StorageError("Only your own messages can be edited; a reply can be generated again.")
        return self.add_message(message.conversation_id, "user", text, message.parent_id)

    def begin_reply(
        self,
        conversation_id: int,
        parent_id: int,
        record: ReplyRecord,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> RunningReply:
        """A reply to ``parent_id`` that is about to be written. It is in the database from its first token on.

        Where ``parent_id`` has a reply already, the new one is an alternative to it.
        """
        return RunningReply(self, conversation_id, parent_id, record, clock=clock)

    def save_reply(self, message_id: int, content: str, record: ReplyRecord) -> None:
        """Replace a reply's text and record."""
        assignments = ", ".join(f"{column} = ?" for column in REPLY_COLUMNS)
        with self._changing() as connection:
            connection.execute("UPDATE messages SET content = ? WHERE id = ?", (storable(content), message_id))
            connection.execute(
                f"UPDATE replies SET {assignments} WHERE message_id = ?", (*reply_values(record), message_id)
            )

    def message(self, message_id: int) -> StoredMessage:
        """One message with its record."""
        with clear_errors(self.path):
            found = read_message(self._connection, message_id)
        if found is None:
            raise StorageError(f"Message {message_id} is not there any more.")
        return found

    def turns(self, conversation_id: int, card: ModelCard, *, until: int | None = None) -> tuple[Turn, ...]:
        """What the engine needs to go on: the system prompt, then every message of the chosen path.

        ``until``: of the path that ends with this message instead. Tokens are given where this model's vocabulary wrote
        them, marks where this very model did.
        """
        with clear_errors(self.path):
            row = self._row(conversation_id)
            leaf = until if until is not None else sound_leaf(self._connection, conversation_id, row["leaf_id"])
            return conversation_turns(row["system_prompt"], read_turns(self._connection, leaf, card))

    def path_turns(self, message_id: int, card: ModelCard) -> tuple[Turn, ...]:
        """The messages of the path that ends with this one, each as a turn of its own, without a system prompt."""
        with clear_errors(self.path):
            return read_turns(self._connection, message_id, card)

    def reply_count(self, message_id: int | None) -> int:
        """How many replies there are on the path that ends with this message."""
        with clear_errors(self.path):
            return count_replies(self._connection, message_id)

    def turns_again(self, reply_id: int, card: ModelCard) -> tuple[Turn, ...]:
        """What the engine was given when it wrote this reply: the system prompt of that time, the path to the message
        that it answers, and earlier replies under the dials that they were read under then.
        """
        reply = self.message(reply_id)
        system_prompt = reply.reply.system_prompt if reply.reply else ""
        read_as = reply.reply.read_as if reply.reply and reply.reply.model_id == card.model_id else None
        with clear_errors(self.path):
            turns = conversation_turns(system_prompt, read_turns(self._connection, reply.parent_id, card), read_as)
            return within_reach(turns, card.n_ctx)

    # ------------------------------------------------------------ branches

    def alternatives(self, message_id: int) -> tuple[int, ...]:
        """The ids of this message and of the others that stand in its place, oldest first."""
        message = self._there(message_id)
        with clear_errors(self.path):
            return tuple(siblings(self._connection, message.conversation_id, message.parent_id))

    def choose(self, message_id: int) -> Conversation:
        """Show the branch through this message: the path that is chosen where it leads through it already, else down
        to the newest message below it. The message is among those that are given.
        """
        message = self._there(message_id)
        with self._changing() as connection:
            leaf = self._row(message.conversation_id)["leaf_id"]
            if not is_on_path(connection, message_id, leaf):
                leaf = newest_below(connection, message.conversation_id, message_id)
                connection.execute("UPDATE conversations SET leaf_id = ? WHERE id = ?", (leaf, message.conversation_id))
        return self.open(message.conversation_id, back_to=message_id)

    def step(self, message_id: int, by: int) -> Conversation:
        """Show the alternative that comes ``by`` places after this message (before it where negative), or the outermost
        one there is.
        """
        among = self.alternatives(message_id)
        place = min(max(among.index(message_id) + by, 0), len(among) - 1)
        return self.choose(among[place])

    def continue_from(self, message_id: int) -> Conversation:
        """End the chosen path with this message, so that what is said next begins a branch below it. What followed
        stays as an alternative.
        """
        message = self._there(message_id)
        self._set(message.conversation_id, "leaf_id = ?", message_id)
        return self.open(message.conversation_id)

    def delete_message(self, message_id: int) -> Deletion:
        """Delete a message with everything below it, until :meth:`undo` or :meth:`purge`."""
        with self._changing() as connection:
            return list_deletions(connection, deletion_id=delete_below(connection, message_id))[0]

    def undo(self, deletion: Deletion | int) -> Conversation:
        """Have back what was deleted, exactly as it was, the chosen path included."""
        with self._changing() as connection:
            conversation_id = undo_deletion(connection, deletion if isinstance(deletion, int) else deletion.id)
        return self.open(conversation_id)

    def _there(self, message_id: int) -> StoredMessage:
        """A message that is not deleted. Raises StorageError."""
        message = self.message(message_id)
        with clear_errors(self.path):
            if message_id not in siblings(self._connection, message.conversation_id, message.parent_id):
                raise StorageError(f"Message {message_id} is not there any more.")
        return message
