"""Full-text search over all messages and titles.

The words are kept in an FTS5 table that can be made anew from the messages at any time. It is brought up to date before
each search from the list of what has changed (see schema.py), and not by triggers of its own: so neither a damaged
index nor an SQLite without FTS5 can ever keep a message from being saved.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TypeVar, cast

from localsteer.chat.conversation import SearchHit
from localsteer.chat.database import atomic
from localsteer.chat.records import decode
from localsteer.chat.snippets import pieces_pattern, snippet, words_pattern
from localsteer.messages import Role

_Result = TypeVar("_Result")

_TABLE = "message_words"
_SHADOWS = ("data", "idx", "content", "docsize", "config")
_LONGEST, _MOST_WORDS = 1000, 40
_ALL = "INSERT OR IGNORE INTO unindexed SELECT id FROM messages UNION ALL SELECT -id FROM conversations"
_CATCH_UP = (
    f"DELETE FROM {_TABLE} WHERE rowid IN (SELECT id FROM unindexed)",
    f"INSERT INTO {_TABLE} (rowid, text) SELECT m.id, m.content FROM unindexed u JOIN messages m ON m.id = u.id "
    "JOIN conversations c ON c.id = m.conversation_id WHERE m.deletion_id IS NULL AND c.deletion_id IS NULL",
    f"INSERT INTO {_TABLE} (rowid, text) SELECT -c.id, c.title FROM unindexed u JOIN conversations c ON c.id = -u.id "
    "WHERE c.deletion_id IS NULL",
    "DELETE FROM unindexed",
)
_FIND = f"SELECT rowid FROM {_TABLE} WHERE {_TABLE} MATCH ? AND rowid {{}} 0 ORDER BY rowid DESC LIMIT ?"
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class SearchIndex:
    """Finds messages and titles by what is in them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._trusted = False

    @cached_property
    def _fts5(self) -> bool:
        return _has_fts5(self._connection)

    @property
    def limits(self) -> str:
        """One sentence about what searching cannot do here, "" where it can do everything."""
        if self._fts5:
            return ""
        return (
            f"This Python's SQLite ({sqlite3.sqlite_version}) has no full-text index (FTS5): a search reads every "
            "message, and knows small from capital letters in a to z only."
        )

    def search(self, text: str, limit: int) -> tuple[SearchHit, ...]:
        """See :meth:`~localsteer.chat.store.ConversationStore.search`."""
        words = text[:_LONGEST].replace("\0", " ").split()
        words = list(dict.fromkeys(words[:_MOST_WORDS]))
        if not words:
            return ()
        if not self._fts5 or any(not _is_indexed(word) for word in words):
            return self._scan(words, limit)
        try:
            hits = self._mended(lambda: self._find(words, limit))
            # FTS5 knows the letters of an older Unicode than Python does.
            return hits if hits or text.isascii() else self._scan(words, limit)
        except sqlite3.Error:
            # No room for the index, a file that cannot be written, or one that cannot be mended: the slow way works.
            return self._scan(words, limit)

    def bring_up_to_date(self) -> None:
        """Take in what has changed since the last search; that many thousand messages take a second at most."""
        if self._fts5:
            with suppress(sqlite3.Error):
                self._mended(self._catch_up)

    def forget_deleted(self) -> None:
        """Rewrite the index, so that nothing that was emptied for good stays in it."""
        if self._fts5:
            with suppress(sqlite3.Error):
                self._mended(self._rewrite)

    # ------------------------------------------------------------ with FTS5

    def _find(self, words: list[str], limit: int) -> tuple[SearchHit, ...]:
        self._catch_up()
        # Everything in double quotes is a word; the star stands behind them.
        wanted = " ".join('"' + word.replace('"', '""') + '"' for word in words) + "*"
        found = [
            row
            for side in ("<", ">")  # titles have ids below 0
            for row in self._connection.execute(_FIND.format(side), (wanted, limit)).fetchall()
        ]
        if not found and not self._trusted:
            # Damage can also show as finding nothing. Raises DatabaseError.
            with atomic(self._connection) as connection:
                connection.execute(f"INSERT INTO {_TABLE} ({_TABLE}) VALUES ('integrity-check')")
            self._trusted = True
        return self._hits([row[0] for row in found[:limit]], words_pattern(words))

    def _catch_up(self) -> None:
        with_table = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = ?)"
        (there,) = self._connection.execute(with_table, (_TABLE,)).fetchone()
        (behind,) = self._connection.execute("SELECT EXISTS (SELECT 1 FROM unindexed)").fetchone()
        if there and not behind:
            return
        with atomic(self._connection) as connection:
            # Another copy of the app may have been here in between.
            if not connection.execute(with_table, (_TABLE,)).fetchone()[0]:
                _create(connection)
            for statement in _CATCH_UP:
                connection.execute(statement)

    def _rewrite(self) -> None:
        self._catch_up()
        with atomic(self._connection) as connection:
            connection.execute(f"INSERT INTO {_TABLE} ({_TABLE}) VALUES ('optimize')")

    def _mended(self, work: Callable[[], _Result]) -> _Result:
        """Do ``work``; where the index is damaged, make it anew and do it again."""
        try:
            return work()
        except sqlite3.OperationalError as error:
            # Full, locked and read-only are no damage.
            if not any(word in str(error) for word in (_TABLE, "fts5", "vtable", "logic error")):
                raise
        except sqlite3.DatabaseError:
            pass
        with atomic(self._connection) as connection:
            _drop(connection)
            _create(connection)
        return work()

    # ------------------------------------------------------------ without

    def _scan(self, words: list[str], limit: int) -> tuple[SearchHit, ...]:
        patterns = ["%" + re.sub(r"([\\%_])", r"\\\1", word) + "%" for word in words]

        def where(column: str) -> str:
            return " AND ".join([f"{column} LIKE ? ESCAPE '\\'"] * len(patterns))

        titles = self._connection.execute(
            f"SELECT -id FROM conversations WHERE deletion_id IS NULL AND {where('title')} ORDER BY id DESC LIMIT ?",
            (*patterns, limit),
        ).fetchall()
        messages = self._connection.execute(
            "SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id "
            f"WHERE m.deletion_id IS NULL AND c.deletion_id IS NULL AND {where('m.content')} "
            "ORDER BY m.id DESC LIMIT ?",
            (*patterns, limit),
        ).fetchall()
        return self._hits([row[0] for row in (*titles, *messages)][:limit], pieces_pattern(words))

    # ------------------------------------------------------------ both

    def _hits(self, found: list[int], pattern: re.Pattern[str]) -> tuple[SearchHit, ...]:
        rows = self._rows(
            "SELECT m.id, m.role, m.created, c.id, c.title, c.archived, m.content FROM messages m "
            "JOIN conversations c ON c.id = m.conversation_id WHERE m.id IN ({})",
            [one for one in found if one > 0],
        ) | self._rows(
            "SELECT -id, NULL, created, id, title, archived, title FROM conversations WHERE -id IN ({})",
            [one for one in found if one < 0],
        )
        hits = []
        for one in found:
            if one in rows:
                _, role, created, conversation_id, title, archived, text = rows[one]
                title = title if isinstance(title, str) else decode(title) if isinstance(title, bytes) else ""
                hits.append(
                    SearchHit(
                        conversation_id=conversation_id,
                        title=title,
                        archived=bool(archived),
                        message_id=one if one > 0 else None,
                        role=cast("Role | None", role),
                        created=created,
                        snippet=snippet(text if isinstance(text, str) else "", pattern),
                    )
                )
        return tuple(hits)

    def _rows(self, query: str, ids: list[int]) -> dict[int, sqlite3.Row]:
        rows = self._connection.execute(query.format(", ".join(map(str, ids))))
        return {row[0]: row for row in rows}


def _has_fts5(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.fts5_probe USING fts5(text)")
        connection.execute("DROP TABLE temp.fts5_probe")
    except sqlite3.Error:
        return False
    return True


def _create(connection: sqlite3.Connection) -> None:
    connection.execute(f'CREATE VIRTUAL TABLE {_TABLE} USING fts5(text, tokenize = "unicode61 remove_diacritics 2")')
    connection.execute(_ALL)


def _drop(connection: sqlite3.Connection) -> None:
    try:
        connection.execute(f"DROP TABLE IF EXISTS {_TABLE}")
    except sqlite3.Error:
        # FTS5 does not drop what it cannot read: forget its table, and what was its own is ordinary then.
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = ?", (_TABLE,))
        connection.execute("PRAGMA writable_schema = RESET")
        for shadow in _SHADOWS:
            connection.execute(f"DROP TABLE IF EXISTS {_TABLE}_{shadow}")


def _is_indexed(word: str) -> bool:
    """Whether FTS5's words can find it: it has a letter or digit, and its script puts spaces between words."""
    return _UNSPACED.search(word) is None and any(unicodedata.category(one)[0] in "LN" for one in word)
