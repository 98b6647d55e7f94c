"""Reading paths of the tree: from a leaf upwards, as far as is wanted, in one query.

Children always have larger ids than their parents. The queries rely on it, so that not even a damaged file, where
messages follow each other in a ring, can keep them busy for ever.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from localsteer.chat.conversation import IMPORTED, StoredMessage
from localsteer.chat.records import MESSAGE_COLUMNS, DamagedText, decode, marks_from_json, message_from, unpack_tokens
from localsteer.engine.protocol import ModelCard, Turn

_SIBLINGS = """
    (SELECT count(*) FROM messages s WHERE s.conversation_id = m.conversation_id AND s.parent_id IS m.parent_id
     AND s.deletion_id IS NULL{more})
"""
_SHOWN = f"""
    {MESSAGE_COLUMNS},
    {_SIBLINGS.format(more=" AND s.id <= m.id")} AS alternative,
    {_SIBLINGS.format(more="")} AS alternatives,
    m.parent_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM messages p WHERE p.id = m.parent_id AND p.id < m.id
    ) AS orphan
"""
_MESSAGE = f"SELECT {_SHOWN} FROM messages m LEFT JOIN replies r ON r.message_id = m.id WHERE m.id = ?"
_ALL = f"""
    SELECT {_SHOWN} FROM messages m LEFT JOIN replies r ON r.message_id = m.id
    WHERE m.conversation_id = ? AND m.deletion_id IS NULL ORDER BY m.id
"""
_PATH = f"""
    WITH RECURSIVE path(id, parent_id, depth) AS (
        SELECT id, parent_id, 1 FROM messages WHERE id = :leaf
        UNION ALL
        SELECT m.id, m.parent_id, path.depth + 1 FROM path JOIN messages m ON m.id = path.parent_id
        WHERE m.id < path.id AND (path.depth < :last OR path.id > :back_to)
    )
    SELECT {_SHOWN} FROM path JOIN messages m ON m.id = path.id LEFT JOIN replies r ON r.message_id = m.id
    ORDER BY path.depth DESC
"""
_TURNS = """
    WITH RECURSIVE path(id, parent_id, depth) AS (
        SELECT id, parent_id, 1 FROM messages WHERE id = :leaf
        UNION ALL
        SELECT m.id, m.parent_id, path.depth + 1 FROM path JOIN messages m ON m.id = path.parent_id
        WHERE m.id < path.id
    )
    SELECT m.role, m.content, CASE WHEN r.vocabulary IN (:vocabulary, :imported) THEN r.tokens END,
           CASE WHEN r.model_id = :model_id THEN r.marks END, r.vocabulary = :imported
    FROM path JOIN messages m ON m.id = path.id LEFT JOIN replies r ON r.message_id = m.id
    ORDER BY path.depth DESC
"""
_REPLIES = """
    WITH RECURSIVE path(id, parent_id, role) AS (
        SELECT id, parent_id, role FROM messages WHERE id = :leaf
        UNION ALL
        SELECT m.id, m.parent_id, m.role FROM path JOIN messages m ON m.id = path.parent_id WHERE m.id < path.id
    )
    SELECT count(*) FROM path WHERE role = 'assistant'
"""
_NEWEST_BELOW = """
    WITH RECURSIVE below(id) AS (
        SELECT :top
        UNION ALL
        SELECT (SELECT max(m.id) FROM messages m WHERE m.conversation_id = :conversation AND m.parent_id = below.id
                AND m.deletion_id IS NULL AND m.id > below.id)
        FROM below WHERE below.id IS NOT NULL
    )
    SELECT max(id) FROM below
"""
_IS_ABOVE = """
    WITH RECURSIVE path(id, parent_id) AS (
        SELECT id, parent_id FROM messages WHERE id = :leaf
        UNION ALL
        SELECT m.id, m.parent_id FROM path JOIN messages m ON m.id = path.parent_id
        WHERE m.id < path.id AND path.id > :message
    )
    SELECT EXISTS (SELECT 1 FROM path WHERE id = :message)
"""
NO_LIMIT = 2**62


def read_message(connection: sqlite3.Connection, message_id: int) -> StoredMessage | None:
    """One message with its record; None where it is not there. Deleted ones are still found."""
    row = connection.execute(_MESSAGE, (message_id,)).fetchone()
    return None if row is None else message_from(row)


def read_all(connection: sqlite3.Connection, conversation_id: int) -> Iterator[StoredMessage]:
    """All messages of a conversation that are not deleted, in the order in which they were written."""
    return map(message_from, connection.execute(_ALL, (conversation_id,)))


def read_path(
    connection: sqlite3.Connection, leaf_id: int | None, *, last: int | None, back_to: int | None = None
) -> tuple[StoredMessage, ...]:
    """The ``last`` messages of the path that ends with ``leaf_id`` (None: all of them), oldest first.

    ``back_to``: more of them where that is needed to have the message of this id among them.
    """
    wanted = {
        "leaf": leaf_id,
        "last": NO_LIMIT if last is None else last,
        "back_to": NO_LIMIT if back_to is None else back_to,
    }
    return tuple(message_from(row) for row in connection.execute(_PATH, wanted))


def read_turns(connection: sqlite3.Connection, leaf_id: int | None, card: ModelCard) -> tuple[Turn, ...]:
    """The whole path down to ``leaf_id`` as the engine takes it, see :func:`~localsteer.chat.turns.as_turn`."""
    wanted = {
        "leaf": leaf_id,
        "vocabulary": card.vocabulary,
        "imported": IMPORTED + card.vocabulary,
        "model_id": card.model_id,
    }
    return tuple(
        Turn(
            "user" if role not in {"system", "user", "assistant"} else role,
            _text(content),
            tokens=unpack_tokens(tokens) if isinstance(tokens, bytes) and tokens else None,
            marks=() if marks in {None, "[]"} or isinstance(marks, DamagedText) else marks_from_json(marks),
            foreign=bool(foreign),
        )
        for role, content, tokens, marks, foreign in map(tuple, connection.execute(_TURNS, wanted))
    )


def count_replies(connection: sqlite3.Connection, leaf_id: int | None) -> int:
    """How many replies there are on the path that ends with ``leaf_id``."""
    (count,) = connection.execute(_REPLIES, {"leaf": leaf_id}).fetchone()
    return int(count)


def newest_below(connection: sqlite3.Connection, conversation_id: int, message_id: int) -> int:
    """The leaf that is reached from a message by always taking the newest that follows."""
    (leaf,) = connection.execute(_NEWEST_BELOW, {"top": message_id, "conversation": conversation_id}).fetchone()
    return int(leaf)


def is_on_path(connection: sqlite3.Connection, message_id: int, leaf_id: int | None) -> bool:
    """Whether the path that ends with ``leaf_id`` goes through a message."""
    (found,) = connection.execute(_IS_ABOVE, {"leaf": leaf_id, "message": message_id}).fetchone()
    return bool(found)


def siblings(connection: sqlite3.Connection, conversation_id: int, parent_id: int | None) -> list[int]:
    """The ids of what follows ``parent_id`` (None: of the first messages) and is not deleted, oldest first."""
    rows = connection.execute(
        "SELECT id FROM messages WHERE conversation_id = ? AND parent_id IS ? AND deletion_id IS NULL ORDER BY id",
        (conversation_id, parent_id),
    )
    return [row["id"] for row in rows]


def sound_leaf(connection: sqlite3.Connection, conversation_id: int, leaf_id: int | None) -> int | None:
    """``leaf_id`` where it can be shown; in a damaged file the newest message that can be; None where there is none."""
    there = "SELECT max(id) FROM messages WHERE conversation_id = ? AND deletion_id IS NULL"
    if leaf_id is not None:
        (found,) = connection.execute(f"{there} AND id = ?", (conversation_id, leaf_id)).fetchone()
        if found is not None:
            return leaf_id
    (newest,) = connection.execute(there, (conversation_id,)).fetchone()
    return None if newest is None else int(newest)


def _text(content: object) -> str:
    return content if isinstance(content, str) else decode(content) if isinstance(content, bytes) else str(content)
