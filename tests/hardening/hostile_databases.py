"""Databases of conversations with something wrong: bytes, pages, length, values, shape, or whose they are."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from localsteer.chat.exporting import exported
from localsteer.chat.foot import foot_of
from localsteer.chat.records import REPLY_COLUMNS
from localsteer.chat.store import ConversationStore
from localsteer.errors import LocalsteerError
from tests.chat.conftest import CARD, finished, record
from tests.hardening.hostile_texts import STRINGS

_PAGE = 4096
_COLUMNS = {
    "conversations": (
        *("title", "system_prompt", "created", "updated", "pinned", "archived", "leaf_id", "titled_by"),
        "deletion_id",
    ),
    "messages": ("conversation_id", "parent_id", "role", "content", "created", "deletion_id"),
    "replies": REPLY_COLUMNS,
    "deletions": ("conversation_id", "message_id", "leaf_id", "deleted"),
}
_VALUES = (
    "NULL",
    "-1",
    "0",
    "1",
    "9223372036854775807",
    "-9223372036854775808",
    "1e308",
    "9e999",
    "-9e999",
    "''",
    "x''",
    "x'ff00'",
    "CAST(x'ff41' AS TEXT)",
    "'text'",
    "'[]'",
    "'{}'",
    "'null'",
    "'[1,2,[3]]'",
    "'" + "[" * 5000 + "'",
    "zeroblob(100000)",
    "'{\"temperature\":1e999}'",
)


def sound_database(path: Path) -> bytes:
    """Three conversations with replies, branches, a deletion, as one file."""
    with ConversationStore(path) as store:
        for number in range(3):
            talk = store.new_conversation("Be kind.")
            parent = None
            for asked, answered in (("Hello there", "Hello **you**"), ("Tea?", "Yes"), ("And then?", "Nothing")):
                parent = store.add_message(talk.id, "user", asked, parent).id
                running = store.begin_reply(talk.id, parent, record())
                reply = running.finish(finished(answered, (1, 2, 3)))
                again = store.begin_reply(talk.id, parent, record())
                parent = again.finish(finished(answered + "!", (1, 2))).id
            if number == 1:
                store.delete_message(reply.id)
        store.prepare_search()
        store.backup(path.with_suffix(".copy"))
    content = path.with_suffix(".copy").read_bytes()
    path.with_suffix(".copy").unlink()
    return content


def spoilt_database(rng: random.Random, sound: bytes, folder: Path) -> bytes:
    """One thing wrong with it; ``folder`` to work in."""
    size = len(sound)
    draw = rng.randrange(12)
    if draw == 0:
        return sound[: rng.randrange(size)]
    if draw == 1:
        page = rng.randrange(size // _PAGE) * _PAGE
        return sound[:page] + bytes(_PAGE) + sound[page + _PAGE :]
    if draw == 2:
        pages = [rng.randrange(size // _PAGE) * _PAGE for _ in range(2)]
        one = sound[pages[0] : pages[0] + _PAGE]
        return sound[: pages[1]] + one + sound[pages[1] + _PAGE :]
    if draw == 3:
        return rng.choice(
            [b"", b"\0" * 100, rng.randbytes(5000), b"SQLite format 3\0", b"GGUF", sound[:16] + bytes(9000)]
        )
    if draw < 6:
        changed = bytearray(sound)
        for _ in range(rng.choice([1, 4, 40])):
            changed[rng.choice([rng.randrange(size), rng.randrange(100)])] = rng.randrange(256)
        return bytes(changed)
    return _spoilt_by_sql(rng, sound, folder)


def _spoilt_by_sql(rng: random.Random, sound: bytes, folder: Path) -> bytes:
    path = folder / "spoilt.sqlite3"
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    if rng.random() < 0.1:
        # Somebody else's.
        with closing(sqlite3.connect(path)) as other:
            script = [
                "CREATE TABLE conversations (id, other)",
                "CREATE TABLE songs (id)",
                "CREATE VIEW messages AS SELECT 1",
            ]
            for statement in rng.sample(script, rng.randrange(1, 4)):
                other.execute(statement)
            other.commit()
        return path.read_bytes()
    path.write_bytes(sound)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("PRAGMA writable_schema = ON")
        for _ in range(rng.choice([1, 1, 2, 4])):
            with suppress(sqlite3.Error):
                _one_statement(rng, connection)
    return path.read_bytes()


def _one_statement(rng: random.Random, connection: sqlite3.Connection) -> None:
    table = rng.choice(list(_COLUMNS))
    where = rng.choice(["", f" WHERE rowid % {rng.randrange(1, 4)} = 0"])
    match rng.randrange(8):
        case 0:
            connection.execute(f"PRAGMA user_version = {rng.choice([0, 1, 2, 99, 2**31 - 1, -1])}")
        case 1:
            connection.execute(f"DROP TABLE {table}")
        case 2:
            connection.execute(f"DELETE FROM {table}{where}")
        case 3:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {rng.choice(_COLUMNS[table])}")
        case 4:
            # NOT NULL holds even here: the schema says otherwise from now on.
            connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'")
            connection.execute(f"UPDATE {table} SET {rng.choice(_COLUMNS[table])} = {rng.choice(_VALUES)}{where}")
        case 5:
            text = rng.choice(STRINGS).encode("utf-8", "replace").decode()
            connection.execute(f"UPDATE {table} SET {rng.choice(_COLUMNS[table])} = ?{where}", (text,))
        case _:
            connection.execute(f"UPDATE {table} SET {rng.choice(_COLUMNS[table])} = {rng.choice(_VALUES)}{where}")


def use(path: Path) -> None:
    """All that the app and the command line do with a database; each part even where another could not be done."""
    with ConversationStore(path) as store:
        _tried(store.damage)
        found = store.summaries() + store.summaries(archived=True)
        _tried(lambda: store.search("hello"))
        _tried(lambda: store.latest())
        _tried(lambda: store.deletions())
        for talk in found:
            _tried(lambda talk=talk: _one(store, talk.id, path))  # type: ignore[misc]
        _tried(lambda: store.new_conversation("x", "y"))
        _tried(lambda: store.purge())
        _tried(lambda: store.backup(path.with_name("backup.sqlite3"), overwrite=True))


def _one(store: ConversationStore, talk: int, path: Path) -> None:
    conversation = store.open(talk)
    for message in conversation.messages:
        foot_of(message)
        if message.reply is not None:
            _tried(lambda message=message: store.turns_again(message.id, CARD))  # type: ignore[misc]
        _tried(lambda message=message: store.alternatives(message.id))  # type: ignore[misc]
        _tried(lambda message=message: store.step(message.id, 1))  # type: ignore[misc]
    _tried(lambda: store.turns(talk, CARD))
    for form in (".md", ".html", ".json"):
        _tried(lambda form=form: exported(store, talk, path.with_suffix(form)))  # type: ignore[misc]
    last = conversation.messages[-1].id if conversation.messages else None
    _tried(lambda: store.add_message(talk, "user", "Go on", last))
    _tried(lambda: store.set_title(talk, "New"))
    _tried(lambda: store.pin(talk))
    if last is not None:
        _tried(lambda: store.undo(store.delete_message(last)))
    _tried(lambda: store.undo(store.delete_conversation(talk)))


def _tried(work: Callable[[], object]) -> None:
    with suppress(LocalsteerError):
        work()
