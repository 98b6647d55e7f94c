"""The database of conversations, and the list of what is in it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from localsteer.chat.conversation import ConversationSummary, Deletion, SearchHit, title_from
from localsteer.chat.database import clear_errors, connect, transaction
from localsteer.chat.deleting import delete_whole, list_deletions, purge_deletions
from localsteer.chat.paths import sound_leaf
from localsteer.chat.records import conversation_row, storable
from localsteer.chat.searching import SearchIndex
from localsteer.chat.tree import ConversationTree, read_tree
from localsteer.errors import StorageError

_SUMMARIES = (
    "SELECT id, title, updated, (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id AND "
    "m.deletion_id IS NULL) AS messages, titled_by, pinned, archived FROM conversations c WHERE deletion_id IS NULL "
)


_YEAR = 366 * 86_400.0
_INSTANT = 1e-3


class ConversationList:
    """What :class:`~localsteer.chat.store.ConversationStore` can do with conversations as wholes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path)
        self._search = SearchIndex(self._connection)

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
        if said == "ok":
            return None
        return f"{self.path} is damaged ({said}); `localsteer chats rescue OUT` writes what can be read to a new file."

    def backup(self, out: Path, *, overwrite: bool = False) -> None:
        """Copy everything into one new file, whole or not at all, while others may be writing here.

        The copy is an ordinary database of conversations, with what can still be undone in it. Raises StorageError
        where ``out`` exists, unless it is to be overwritten.
        """
        from localsteer.chat.backup import back_up

        back_up(self._connection, self.path, out, overwrite=overwrite)

    # ------------------------------------------------------------ the list

    def summaries(self, limit: int = 200, *, archived: bool = False) -> tuple[ConversationSummary, ...]:
        """The conversations that are not archived (or those that are), the last used first, pinned ones before all."""
        with clear_errors(self.path):
            rows = self._connection.execute(
                f"{_SUMMARIES} AND archived = ? ORDER BY pinned DESC, updated DESC, id DESC LIMIT ?", (archived, limit)
            ).fetchall()
        return tuple(
            ConversationSummary(
                row["id"],
                row["title"],
                row["updated"],
                row["messages"],
                row["titled_by"],
                bool(row["pinned"]),
                bool(row["archived"]),
            )
            for row in map(conversation_row, rows)
        )

    def search(self, text: str, limit: int = 50) -> tuple[SearchHit, ...]:
        """Where all words of ``text`` occur, the last one perhaps as the beginning of a word.

        Found are titles first, then messages of every branch, the newest first; archived ones too, deleted ones never.
        Nothing in ``text`` has a meaning of its own: quotes, stars, AND are what they look like. More than its first
        40 words play no part.
        """
        with clear_errors(self.path):
            return self._search.search(storable(text), limit)

    def prepare_search(self) -> None:
        """Do beforehand what the next search would have to do first: index what was written since the last one."""
        self._search.bring_up_to_date()

    @property
    def search_limits(self) -> str:
        """One sentence for the person about what searching cannot do with this SQLite, "" where all is well."""
        return self._search.limits

    def set_system_prompt(self, conversation_id: int, text: str) -> None:
        """The system prompt for what is written from now on; replies keep a record of theirs."""
        self._set(conversation_id, "system_prompt = ?, updated = ?", storable(text), self._now())

    def set_title(self, conversation_id: int, title: str, *, made_by_model: bool = False, used: bool = False) -> bool:
        """Give a title; an empty one goes back to the first words that were said. Says whether it was taken.

        One that is ``made_by_model`` replaces the first words and other titles of models, never one given by hand.
        ``used``: the conversation counts as used just now.
        """
        title = storable(title_from(title))
        with self._changing() as connection:
            row = self._row(conversation_id)
            if made_by_model and (not title or row["titled_by"] == "hand"):
                return False
            if title:
                titled_by = "model" if made_by_model else "hand"
            else:
                titled_by, title = "words", self._first_words(conversation_id)
            connection.execute(
                "UPDATE conversations SET title = ?, titled_by = ?, updated = coalesce(?, updated) WHERE id = ?",
                (title, titled_by, self._now() if used else None, conversation_id),
            )
        return True

    def rename(self, conversation_id: int, title: str) -> None:
        """A title given by hand; the conversation counts as used."""
        self.set_title(conversation_id, title, used=True)

    def pin(self, conversation_id: int, pinned: bool = True) -> None:
        """Keep it at the top of the list, or no longer."""
        self._set(conversation_id, "pinned = ?", pinned)

    def archive(self, conversation_id: int, archived: bool = True) -> None:
        """Take it out of the list, or back into it; it can still be searched and opened."""
        self._set(conversation_id, "archived = ?", archived)

    def tree(self, conversation_id: int) -> ConversationTree:
        """All of it, with every branch and record: what :mod:`~localsteer.chat.own_json` writes."""
        with clear_errors(self.path):
            row = self._row(conversation_id)
            leaf = sound_leaf(self._connection, conversation_id, row["leaf_id"])
            return read_tree(self._connection, row, leaf)

    # ------------------------------------------------------------ deleting

    def delete_conversation(self, conversation_id: int) -> Deletion:
        """Delete a conversation with all its branches, until :meth:`undo` or :meth:`purge`."""
        with self._changing() as connection:
            return list_deletions(connection, deletion_id=delete_whole(connection, conversation_id))[0]

    def deletions(self, conversation_id: int | None = None) -> tuple[Deletion, ...]:
        """What can be undone, the latest first; in one conversation, or in all."""
        with clear_errors(self.path):
            return list_deletions(self._connection, conversation_id=conversation_id)

    def purge(self, older_than: float = 0.0) -> int:
        """Empty for good what was deleted at least ``older_than`` seconds ago. Gives how many deletions that were."""
        with clear_errors(self.path):
            self._connection.execute("PRAGMA secure_delete = ON")
        with self._changing() as connection:
            purged = purge_deletions(connection, time.time() - older_than)
        if purged:
            self._search.forget_deleted()
        return purged

    # ------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with transaction(self._connection, self.path) as connection:
            yield connection

    def _row(self, conversation_id: int, *, hidden: bool = False) -> dict[str, Any]:
        row: sqlite3.Row | None = self._connection.execute(
            "SELECT * FROM conversations WHERE id = ? AND (deletion_id IS NULL OR ?)", (conversation_id, hidden)
        ).fetchone()
        if row is None:
            raise StorageError(f"Conversation {conversation_id} is not there any more.")
        return conversation_row(row)

    def _set(self, conversation_id: int, assignments: str, *values: object) -> None:
        with self._changing() as connection:
            self._row(conversation_id)
            connection.execute(f"UPDATE conversations SET {assignments} WHERE id = ?", (*values, conversation_id))

    def _now(self) -> float:
        """The time, but never before what was last used: an order must not turn round because a clock was set back.

        Times more than a year ahead are wrong themselves and do not count.
        """
        now = time.time()
        (latest,) = self._connection.execute(
            "SELECT max(updated) FROM conversations WHERE updated BETWEEN ? AND ?", (now, now + _YEAR)
        ).fetchone()
        return now if latest is None else float(latest) + _INSTANT

    def _first_words(self, conversation_id: int) -> str:
        row = self._connection.execute(
            "SELECT content FROM messages WHERE conversation_id = ? AND role = 'user' AND deletion_id IS NULL "
            "ORDER BY id LIMIT 1",
            (conversation_id,),
        ).fetchone()
        return "" if row is None else title_from(str(row["content"]))
