"""All conversations in one SQLite database."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from localsteer.chat.conversation import (
    Conversation,
    ConversationSummary,
    ReplyRecord,
    StoredMessage,
    title_from,
)
from localsteer.chat.database import clear_errors, connect, transaction
from localsteer.chat.records import REPLY_COLUMNS, message_from, reply_values
from localsteer.chat.running import RunningReply
from localsteer.errors import StorageError
from localsteer.messages import Role

_MESSAGE_COLUMNS = "m.id, m.conversation_id, m.parent_id, m.role, m.content, m.created, " + ", ".join(
    f"r.{column}" for column in REPLY_COLUMNS
)
_PATH_TO_LEAF = f"""
    WITH RECURSIVE path(id, parent_id, depth) AS (
        SELECT id, parent_id, 0 FROM messages WHERE id = ?
        UNION ALL
        SELECT m.id, m.parent_id, path.depth + 1 FROM messages m JOIN path ON m.id = path.parent_id
    )
    SELECT {_MESSAGE_COLUMNS} FROM path
    JOIN messages m ON m.id = path.id LEFT JOIN replies r ON r.message_id = m.id
    ORDER BY path.depth DESC
"""


class ConversationStore:
    """The database of conversations, open until :meth:`close`. To be used from one thread.

    Everything that a method has returned from is on the disk. All methods raise StorageError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; more than once does no harm."""
        self._connection.close()

    def damage(self) -> str | None:
        """One sentence about what is wrong with the file, None where it is whole."""
        with clear_errors(self.path):
            (said,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        return None if said == "ok" else f"{self.path} is damaged ({said}); move it away to start a new one."

    # ------------------------------------------------------------ conversations

    def new_conversation(self, system_prompt: str = "", title: str = "") -> Conversation:
        """An empty conversation. Without a title it takes one from its first message."""
        now = time.time()
        with transaction(self._connection, self.path) as connection:
            cursor = connection.execute(
                "INSERT INTO conversations (title, system_prompt, created, updated) VALUES (?, ?, ?, ?)",
                (title, system_prompt, now, now),
            )
        return Conversation(_id(cursor.lastrowid), title, system_prompt, now, now)

    def open(self, conversation_id: int) -> Conversation:
        """The conversation along its chosen path, each message knowing its place among its alternatives."""
        with clear_errors(self.path):
            row = self._connection.execute("SELECT * FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
            if row is None:
                raise StorageError(f"Conversation {conversation_id} is not there any more.")
            path = self._connection.execute(_PATH_TO_LEAF, (row["leaf_id"],)).fetchall()
            siblings = self._siblings(conversation_id)
        messages = []
        for message in path:
            among = siblings[message["parent_id"]]
            messages.append(message_from(message, among.index(message["id"]) + 1, len(among)))
        return Conversation(
            row["id"], row["title"], row["system_prompt"], row["created"], row["updated"], tuple(messages)
        )

    def latest(self) -> Conversation | None:
        """The conversation that was last written to, None where there is none."""
        summaries = self.summaries(limit=1)
        return self.open(summaries[0].id) if summaries else None

    def summaries(self, limit: int = 200) -> tuple[ConversationSummary, ...]:
        """The conversations that are not archived, the last used first, pinned ones before all others."""
        with clear_errors(self.path):
            rows = self._connection.execute(
                "SELECT id, title, updated, (SELECT count(*) FROM messages WHERE conversation_id = conversations.id) "
                "FROM conversations WHERE NOT archived ORDER BY pinned DESC, updated DESC, id DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return tuple(ConversationSummary(*row) for row in rows)

    def set_system_prompt(self, conversation_id: int, text: str) -> None:
        """The system prompt for what is written from now on; replies keep a record of theirs."""
        self._set(conversation_id, "system_prompt", text)

    def rename(self, conversation_id: int, title: str) -> None:
        """A title given by hand."""
        self._set(conversation_id, "title", title)

    def delete_conversation(self, conversation_id: int) -> None:
        """Delete a conversation with all its branches."""
        with transaction(self._connection, self.path) as connection:
            connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def _set(self, conversation_id: int, column: str, value: str) -> None:
        with transaction(self._connection, self.path) as connection:
            connection.execute(
                f"UPDATE conversations SET {column} = ?, updated = ? WHERE id = ?",
                (value, time.time(), conversation_id),
            )

    def _siblings(self, conversation_id: int) -> dict[int | None, list[int]]:
        siblings: dict[int | None, list[int]] = {}
        for parent_id, message_id in self._connection.execute(
            "SELECT parent_id, id FROM messages WHERE conversation_id = ? ORDER BY id", (conversation_id,)
        ):
            siblings.setdefault(parent_id, []).append(message_id)
        return siblings

    # ------------------------------------------------------------ messages

    def add_message(
        self, conversation_id: int, role: Role, content: str, parent_id: int | None, reply: ReplyRecord | None = None
    ) -> StoredMessage:
        """A message below ``parent_id`` (None: a first message); it becomes the end of the chosen path.

        A second child of the same parent is an alternative to the first.
        """
        now = time.time()
        with transaction(self._connection, self.path) as connection:
            cursor = connection.execute(
                "INSERT INTO messages (conversation_id, parent_id, role, content, created) VALUES (?, ?, ?, ?, ?)",
                (conversation_id, parent_id, role, content, now),
            )
            message_id = _id(cursor.lastrowid)
            if reply is not None:
                connection.execute(
                    f"INSERT INTO replies (message_id, {', '.join(REPLY_COLUMNS)}) "
                    f"VALUES ({', '.join('?' * (1 + len(REPLY_COLUMNS)))})",
                    (message_id, *reply_values(reply)),
                )
            connection.execute(
                "UPDATE conversations SET leaf_id = ?, updated = ?, "
                "title = CASE WHEN title = '' AND ? = 'user' THEN ? ELSE title END WHERE id = ?",
                (message_id, now, role, title_from(content), conversation_id),
            )
        return self.message(message_id)

    def begin_reply(self, conversation_id: int, parent_id: int, record: ReplyRecord) -> RunningReply:
        """A reply to ``parent_id`` that is about to be written. It is in the database from its first token on."""
        return RunningReply(self, conversation_id, parent_id, record)

    def save_reply(self, message_id: int, content: str, record: ReplyRecord) -> None:
        """Replace a reply's text and record."""
        assignments = ", ".join(f"{column} = ?" for column in REPLY_COLUMNS)
        with transaction(self._connection, self.path) as connection:
            connection.execute("UPDATE messages SET content = ? WHERE id = ?", (content, message_id))
            connection.execute(
                f"UPDATE replies SET {assignments} WHERE message_id = ?", (*reply_values(record), message_id)
            )

    def message(self, message_id: int) -> StoredMessage:
        """One message with its record."""
        with clear_errors(self.path):
            row = self._connection.execute(
                f"SELECT {_MESSAGE_COLUMNS} FROM messages m LEFT JOIN replies r ON r.message_id = m.id WHERE m.id = ?",
                (message_id,),
            ).fetchone()
            if row is None:
                raise StorageError(f"Message {message_id} is not there any more.")
            among = self._alternatives(row["conversation_id"], row["parent_id"])
        return message_from(row, among.index(message_id) + 1, len(among))

    def alternatives(self, message_id: int) -> tuple[int, ...]:
        """The ids of this message and of the others that stand in its place, oldest first."""
        message = self.message(message_id)
        with clear_errors(self.path):
            return tuple(self._alternatives(message.conversation_id, message.parent_id))

    def _alternatives(self, conversation_id: int, parent_id: int | None) -> list[int]:
        rows = self._connection.execute(
            "SELECT id FROM messages WHERE conversation_id = ? AND parent_id IS ? ORDER BY id",
            (conversation_id, parent_id),
        )
        return [row["id"] for row in rows]

    def choose(self, message_id: int) -> Conversation:
        """Show the branch through this message, down to the newest message below it."""
        message = self.message(message_id)
        with transaction(self._connection, self.path) as connection:
            (leaf,) = connection.execute(
                "WITH RECURSIVE below(id) AS (SELECT ? UNION ALL "
                "SELECT (SELECT max(m.id) FROM messages m WHERE m.conversation_id = ? AND m.parent_id = below.id) "
                "FROM below WHERE below.id IS NOT NULL) SELECT max(id) FROM below",
                (message_id, message.conversation_id),
            ).fetchone()
            connection.execute("UPDATE conversations SET leaf_id = ? WHERE id = ?", (leaf, message.conversation_id))
        return self.open(message.conversation_id)


def _id(lastrowid: int | None) -> int:
    assert lastrowid is not None  # SQLite gives one for every INSERT
    return lastrowid
