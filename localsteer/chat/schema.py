"""The database's shape, version by version. ``PRAGMA user_version`` says how many of the steps a file has taken."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from localsteer.errors import StorageError

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE conversations (
        id            INTEGER PRIMARY KEY AUTOINCREMENT,
        title         TEXT NOT NULL DEFAULT '',
        system_prompt TEXT NOT NULL DEFAULT '',
        created       REAL NOT NULL,
        updated       REAL NOT NULL,
        pinned        INTEGER NOT NULL DEFAULT 0,
        archived      INTEGER NOT NULL DEFAULT 0,
        leaf_id       INTEGER REFERENCES messages(id) ON DELETE SET NULL
    );
    CREATE TABLE messages (
        id              INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
        -- deferred and without a cascade: SQLite would give up on a chain of more than 1,000 messages
        parent_id       INTEGER REFERENCES messages(id) DEFERRABLE INITIALLY DEFERRED,
        role            TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
        content         TEXT NOT NULL,
        created         REAL NOT NULL
    );
    CREATE INDEX messages_by_parent ON messages(parent_id, id);
    CREATE INDEX messages_by_conversation ON messages(conversation_id, parent_id, id);
    CREATE INDEX conversations_by_time ON conversations(updated);
    CREATE TABLE replies (
        message_id              INTEGER PRIMARY KEY REFERENCES messages(id) ON DELETE CASCADE,
        model_name              TEXT NOT NULL,
        model_path              TEXT NOT NULL,
        model_id                TEXT NOT NULL,
        vocabulary              TEXT NOT NULL,
        system_prompt           TEXT NOT NULL,
        sampling                TEXT NOT NULL,           -- JSON object
        seed                    INTEGER,
        tokens                  BLOB NOT NULL DEFAULT x'', -- int32, little-endian
        marks                   TEXT NOT NULL,           -- JSON list
        finish_reason           TEXT,                    -- NULL: still being written when the app ended
        prompt_tokens_evaluated INTEGER NOT NULL DEFAULT 0,
        prompt_tokens_reused    INTEGER NOT NULL DEFAULT 0,
        tokens_per_second       REAL NOT NULL DEFAULT 0
    );
    """,
    """
    ALTER TABLE replies ADD COLUMN seconds_to_first REAL;
    ALTER TABLE replies ADD COLUMN seconds REAL;
    ALTER TABLE replies ADD COLUMN context_size INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE replies ADD COLUMN written_with TEXT NOT NULL DEFAULT '';
    ALTER TABLE replies ADD COLUMN read_as TEXT;           -- JSON object: see ReadAs
    ALTER TABLE conversations ADD COLUMN titled_by TEXT NOT NULL DEFAULT 'words';
    ALTER TABLE conversations ADD COLUMN deletion_id INTEGER;  -- of the deletion that hides it
    ALTER TABLE messages ADD COLUMN deletion_id INTEGER;
    CREATE TABLE deletions (
        id              INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
        message_id      INTEGER,                           -- NULL: the whole conversation
        leaf_id         INTEGER,                           -- the chosen leaf, where it went with the rest
        deleted         REAL NOT NULL
    );
    DROP INDEX messages_by_conversation;
    CREATE INDEX messages_by_conversation ON messages(conversation_id);
    CREATE INDEX messages_there ON messages(conversation_id, parent_id, id) WHERE deletion_id IS NULL;
    CREATE INDEX messages_deleted ON messages(deletion_id) WHERE deletion_id IS NOT NULL;

    -- What the words of the search do not know yet: ids of messages, and for titles minus the id of the conversation.
    -- The words themselves (see searching.py) are made where SQLite has FTS5; nothing here may need it.
    CREATE TABLE unindexed (id INTEGER PRIMARY KEY);
    INSERT INTO unindexed SELECT id FROM messages UNION ALL SELECT -id FROM conversations;
    CREATE TRIGGER message_written AFTER INSERT ON messages BEGIN
        INSERT OR IGNORE INTO unindexed VALUES (new.id);
    END;
    CREATE TRIGGER message_changed AFTER UPDATE OF content, deletion_id ON messages BEGIN
        INSERT OR IGNORE INTO unindexed VALUES (new.id);
    END;
    CREATE TRIGGER message_gone AFTER DELETE ON messages BEGIN
        INSERT OR IGNORE INTO unindexed VALUES (old.id);
    END;
    CREATE TRIGGER title_written AFTER INSERT ON conversations BEGIN
        INSERT OR IGNORE INTO unindexed VALUES (-new.id);
    END;
    CREATE TRIGGER title_changed AFTER UPDATE OF title ON conversations WHEN new.title IS NOT old.title BEGIN
        INSERT OR IGNORE INTO unindexed VALUES (-new.id);
    END;
    CREATE TRIGGER conversation_hidden AFTER UPDATE OF deletion_id ON conversations BEGIN
        INSERT OR IGNORE INTO unindexed SELECT id FROM messages WHERE conversation_id = new.id;
        INSERT OR IGNORE INTO unindexed VALUES (-new.id);
    END;
    CREATE TRIGGER conversation_gone AFTER DELETE ON conversations BEGIN
        INSERT OR IGNORE INTO unindexed VALUES (-old.id);
    END;
    """,
    """
    ALTER TABLE replies ADD COLUMN mark_places TEXT NOT NULL DEFAULT '[]';  -- JSON list of whole numbers
    ALTER TABLE replies ADD COLUMN course TEXT;  -- JSON object: see Course
    """,
)


_NEEDED = {
    "conversations": "id, title, titled_by, system_prompt, created, updated, pinned, archived, leaf_id, deletion_id",
    "messages": "id, conversation_id, parent_id, role, content, created, deletion_id",
    "replies": "message_id, model_name, sampling, tokens, marks, read_as, mark_places, course",
    "deletions": "id, conversation_id, message_id, leaf_id, deleted",
    "unindexed": "id",
}


def check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StorageError for a database of another program, before anything in it is touched."""
    version, tables = connection.execute(
        # At one moment: two copies of the app may begin the same new file.
        "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
    ).fetchone()
    if version < 0 or (version == 0 and tables):
        raise StorageError(
            f"{path} is a database of another program; move it away, or set LOCALSTEER_HOME to another folder."
        )


def check_columns(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.Error where a table or column that is read everywhere is missing."""
    for table, columns in _NEEDED.items():
        connection.execute(f"SELECT {columns} FROM {table} LIMIT 0")


def version_of(connection: sqlite3.Connection) -> int:
    """The steps that this file has taken. Raises StorageError where a newer localsteer has taken more than there are
    here.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(STEPS):
        raise StorageError(
            f"The conversations were written by a newer localsteer (schema {version}, this one knows {len(STEPS)}); "
            "install that version again, or set LOCALSTEER_HOME to another folder."
        )
    return int(version)


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Take the steps that this file has not taken yet, each whole or not at all.

    Raises StorageError for a file that a newer localsteer has written: it is left as it is.
    """
    version = version_of(connection)
    while version < len(STEPS):
        # Two copies of the app may arrive here at once: look again once the file is ours alone.
        connection.execute("BEGIN IMMEDIATE")
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version < len(STEPS):
                for statement in statements(STEPS[version]):
                    connection.execute(statement)
                version += 1
                connection.execute(f"PRAGMA user_version = {version:d}")
            connection.execute("COMMIT")
        except BaseException:
            # On a full disk SQLite may have rolled back by itself.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def statements(script: str) -> list[str]:
    """The single statements of a script (``executescript`` would commit on its own)."""
    found, begun = [], ""
    for line in script.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            found.append(begun)
            begun = ""
    return found
