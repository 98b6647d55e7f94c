"""Deleting marks and hides; undoing takes the mark away; purging empties for good. All inside the caller's transaction.

A message takes everything below it along. What had been deleted below it before keeps its own mark, so that each
deletion is undone by itself, the later ones first.
"""

from __future__ import annotations

import sqlite3
import time

from localsteer.chat.conversation import Deletion, title_from
from localsteer.chat.paths import is_on_path, newest_below, siblings
from localsteer.errors import StorageError

_MARK_BELOW = """
    WITH RECURSIVE below(id) AS (
        SELECT :top
        UNION ALL
        SELECT m.id FROM below JOIN messages m ON m.parent_id = below.id AND m.id > below.id
        WHERE m.deletion_id IS NULL
    )
    UPDATE messages SET deletion_id = :deletion WHERE id IN below AND deletion_id IS NULL
"""
_DELETIONS = """
    SELECT d.id, d.conversation_id, d.message_id, d.deleted,
           CASE WHEN d.message_id IS NULL
                THEN (SELECT count(*) FROM messages m WHERE m.conversation_id = d.conversation_id)
                ELSE (SELECT count(*) FROM messages m WHERE m.deletion_id = d.id) END AS messages,
           coalesce(CASE WHEN d.message_id IS NULL THEN c.title
                ELSE (SELECT m.content FROM messages m WHERE m.id = d.message_id) END, '') AS words
    FROM deletions d JOIN conversations c ON c.id = d.conversation_id
"""


def delete_below(connection: sqlite3.Connection, message_id: int) -> int:
    """Hide a message with everything below it; where the chosen path went through it, choose its nearest alternative,
    else end at the message before. Gives the deletion's id. Raises StorageError where it is not there.
    """
    row = connection.execute(
        "SELECT m.conversation_id, m.parent_id, c.leaf_id FROM messages m JOIN conversations c "
        "ON c.id = m.conversation_id WHERE m.id = ? AND m.deletion_id IS NULL",
        (message_id,),
    ).fetchone()
    if row is None:
        raise StorageError(f"Message {message_id} is not there any more.")
    conversation_id, parent_id, leaf_id = row
    chosen = is_on_path(connection, message_id, leaf_id)
    deletion = _insert(connection, conversation_id, message_id, leaf_id if chosen else None)
    connection.execute(_MARK_BELOW, {"top": message_id, "deletion": deletion})
    if chosen:
        left = siblings(connection, conversation_id, parent_id)
        nearest = max((one for one in left if one < message_id), default=min(left, default=None))
        leaf = parent_id if nearest is None else newest_below(connection, conversation_id, nearest)
        connection.execute("UPDATE conversations SET leaf_id = ? WHERE id = ?", (leaf, conversation_id))
    return deletion


def delete_whole(connection: sqlite3.Connection, conversation_id: int) -> int:
    """Hide a conversation. Gives the deletion's id. Raises StorageError where it is not there."""
    deletion = _insert(connection, conversation_id, None, None)
    changed = connection.execute(
        "UPDATE conversations SET deletion_id = ? WHERE id = ? AND deletion_id IS NULL", (deletion, conversation_id)
    )
    if changed.rowcount == 0:
        raise StorageError(f"Conversation {conversation_id} is not there any more.")
    return deletion


def undo_deletion(connection: sqlite3.Connection, deletion_id: int) -> int:
    """Have back what a deletion hid, and the chosen path with it. Gives the conversation's id.

    Raises StorageError where it was undone or purged already, or where what it hung on is deleted, too.
    """
    row = connection.execute(
        "SELECT d.*, m.parent_id, (SELECT p.deletion_id FROM messages p WHERE p.id = m.parent_id) AS above, "
        "c.deletion_id AS hidden FROM deletions d JOIN conversations c ON c.id = d.conversation_id "
        "LEFT JOIN messages m ON m.id = d.message_id WHERE d.id = ?",
        (deletion_id,),
    ).fetchone()
    if row is None:
        raise StorageError("That deletion cannot be undone: it was undone already, or emptied for good.")
    if row["message_id"] is not None and (row["above"] is not None or row["hidden"] is not None):
        raise StorageError("What this hung on was deleted later; undo that first.")
    if row["message_id"] is None:
        connection.execute("UPDATE conversations SET deletion_id = NULL WHERE deletion_id = ?", (deletion_id,))
    else:
        connection.execute("UPDATE messages SET deletion_id = NULL WHERE deletion_id = ?", (deletion_id,))
    if row["leaf_id"] is not None:
        connection.execute(
            "UPDATE conversations SET leaf_id = ? WHERE id = ?", (row["leaf_id"], row["conversation_id"])
        )
    connection.execute("DELETE FROM deletions WHERE id = ?", (deletion_id,))
    return int(row["conversation_id"])


def list_deletions(
    connection: sqlite3.Connection, *, conversation_id: int | None = None, deletion_id: int | None = None
) -> tuple[Deletion, ...]:
    """What can be undone, the latest first; of one conversation, or this one deletion."""
    where: str = ""
    value: tuple[int, ...] = ()
    if conversation_id is not None:
        where, value = "WHERE d.conversation_id = ?", (conversation_id,)
    elif deletion_id is not None:
        where, value = "WHERE d.id = ?", (deletion_id,)
    rows = connection.execute(f"{_DELETIONS} {where} ORDER BY d.id DESC", value)
    return tuple(
        Deletion(
            row["id"],
            row["conversation_id"],
            row["message_id"],
            row["deleted"],
            row["messages"],
            title_from(str(row["words"])),
        )
        for row in rows
    )


def purge_deletions(connection: sqlite3.Connection, before: float) -> int:
    """Empty for good what was deleted until ``before`` (seconds since 1970). Gives how many deletions that were."""
    # By id and not by time: what was deleted first may lie below what was deleted later, and clocks go backwards.
    (last,) = connection.execute("SELECT max(id) FROM deletions WHERE deleted <= ?", (before,)).fetchone()
    if last is None:
        return 0
    (count,) = connection.execute("SELECT count(*) FROM deletions WHERE id <= ?", (last,)).fetchone()
    connection.execute("DELETE FROM conversations WHERE deletion_id <= ?", (last,))
    connection.execute("DELETE FROM messages WHERE deletion_id <= ?", (last,))
    connection.execute("DELETE FROM deletions WHERE id <= ?", (last,))
    return int(count)


def _insert(connection: sqlite3.Connection, conversation_id: int, message_id: int | None, leaf_id: int | None) -> int:
    if connection.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation_id,)).fetchone() is None:
        raise StorageError(f"Conversation {conversation_id} is not there any more.")
    cursor = connection.execute(
        "INSERT INTO deletions (conversation_id, message_id, leaf_id, deleted) VALUES (?, ?, ?, ?)",
        (conversation_id, message_id, leaf_id, time.time()),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid
