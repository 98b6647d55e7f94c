"""A whole conversation with all its branches as one value: what is exported, and what an import adds."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localsteer.chat.conversation import ReplyRecord, TitledBy
from localsteer.chat.paths import read_all
from localsteer.chat.records import REPLY_COLUMNS, reply_values, storable
from localsteer.messages import Role


@dataclass(frozen=True, slots=True)
class TreeMessage:
    """``parent``: the place of the message that it follows, a smaller one than its own; None for a first message."""

    parent: int | None
    role: Role
    content: str
    created: float
    reply: ReplyRecord | None = None


@dataclass(frozen=True, slots=True)
class ConversationTree:
    """``messages`` in the order in which they were written; ``leaf``: the place where the chosen path ends."""

    title: str = ""
    titled_by: TitledBy = "words"
    system_prompt: str = ""
    created: float = 0.0
    updated: float = 0.0
    pinned: bool = False
    archived: bool = False
    messages: tuple[TreeMessage, ...] = ()
    leaf: int | None = None


def read_tree(connection: sqlite3.Connection, row: Mapping[str, Any], leaf_id: int | None) -> ConversationTree:
    """The tree of a row of ``conversations``, without what is deleted."""
    places: dict[int, int] = {}
    messages: list[TreeMessage] = []
    for message in read_all(connection, row["id"]):
        places[message.id] = len(messages)
        # One whose parent is gone in a damaged file begins a branch of its own.
        parent = None if message.parent_id is None else places.get(message.parent_id)
        messages.append(TreeMessage(parent, message.role, message.content, message.created, message.reply))
    return ConversationTree(
        title=row["title"],
        titled_by=row["titled_by"],
        system_prompt=row["system_prompt"],
        created=row["created"],
        updated=row["updated"],
        pinned=bool(row["pinned"]),
        archived=bool(row["archived"]),
        messages=tuple(messages),
        leaf=None if leaf_id is None else places.get(leaf_id),
    )


def write_tree(connection: sqlite3.Connection, tree: ConversationTree) -> int:
    """Add a tree as a new conversation, inside the caller's transaction. Gives the conversation's id."""
    cursor = connection.execute(
        "INSERT INTO conversations (title, titled_by, system_prompt, created, updated, pinned, archived) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            storable(tree.title),
            tree.titled_by,
            storable(tree.system_prompt),
            tree.created,
            tree.updated,
            tree.pinned,
            tree.archived,
        ),
    )
    conversation_id = inserted_id(cursor)
    ids: list[int] = []
    for message in tree.messages:
        parent_id = None if message.parent is None else ids[message.parent]
        ids.append(
            insert_message(connection, conversation_id, parent_id, message.role, message.content, message.created)
        )
        if message.reply is not None:
            insert_reply(connection, ids[-1], message.reply)
    leaf = tree.leaf if tree.leaf is not None else len(ids) - 1
    if ids:
        connection.execute("UPDATE conversations SET leaf_id = ? WHERE id = ?", (ids[leaf], conversation_id))
    return conversation_id


def insert_message(
    connection: sqlite3.Connection,
    conversation_id: int,
    parent_id: int | None,
    role: Role,
    content: str,
    created: float,
    deletion_id: int | None = None,
) -> int:
    """A row of ``messages``; gives its id."""
    return inserted_id(
        connection.execute(
            "INSERT INTO messages (conversation_id, parent_id, role, content, created, deletion_id) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (conversation_id, parent_id, role, storable(content), created, deletion_id),
        )
    )


def insert_reply(connection: sqlite3.Connection, message_id: int, record: ReplyRecord) -> None:
    """A row of ``replies``."""
    connection.execute(
        f"INSERT INTO replies (message_id, {', '.join(REPLY_COLUMNS)}) "
        f"VALUES ({', '.join('?' * (1 + len(REPLY_COLUMNS)))})",
        (message_id, *reply_values(record)),
    )


def inserted_id(cursor: sqlite3.Cursor) -> int:
    """The id of the row that was just inserted."""
    assert cursor.lastrowid is not None  # SQLite gives one for every INSERT
    return cursor.lastrowid
