"""What can still be read of a damaged database, in a new one. The damaged file is copied first and never touched."""

from __future__ import annotations

import shutil
import sqlite3
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from localsteer.chat.database import check_may_replace, connect
from localsteer.chat.loose_rows import PAGE, Row, loose_rows
from localsteer.chat.records import decode
from localsteer.chat.schema import STEPS, version_of
from localsteer.errors import StorageError
from localsteer.steering.whole_file import NO_ROOM, write_whole

_TABLES = {"conversations": "id", "messages": "id", "replies": "message_id", "deletions": "id"}
_NEEDED = {"messages": {"id", "conversation_id"}}
"""Without these columns, or its key, a table says nothing."""
_MAGIC = b"SQLite format 3\x00"
_MOST_ROWS = 5_000_000
_TRIES = 20
_LOG_HEADER = 32
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""The second: SQLite names a column as it is, and that may be no text any more."""


@dataclass(frozen=True, slots=True)
class Rescued:
    """How much of each there is in the new database. ``whole``: nothing was in the way of reading."""

    conversations: int
    messages: int
    replies: int
    whole: bool


def rescue(path: Path, out: Path, *, overwrite: bool = False) -> Rescued:
    """Write all that can be read of the database at ``path`` to ``out``, an ordinary database of conversations.

    Raises StorageError where ``out`` exists and is not to be overwritten, where parts of another database lie beside
    it, where nothing can be read, and for a file that a newer localsteer has written.
    """
    if not path.is_file():
        raise StorageError(f"There is no file {path}; there is nothing to rescue.")
    if out.exists() and (out.samefile(path) or not overwrite):
        raise StorageError(f"{out} exists already; name another file.")
    check_may_replace(out)
    with tempfile.TemporaryDirectory(prefix="localsteer-") as folder:
        copy = _copy(path, Path(folder))
        with closing(sqlite3.connect(copy, isolation_level=None)) as damaged:
            damaged.text_factory = decode
            found = _Found(damaged)
            tables = {table: found.rows(table, key) for table, key in _TABLES.items()}
        if found.lost:
            _add_loose(tables, found.lost, copy)
    if not tables["conversations"] and not tables["messages"]:
        raise StorageError(f"Nothing can be read of {path} any more; move it away to start a new one.")
    with write_whole(out) as beside:
        return _write(beside, tables, whole=not found.lost)


def _copy(path: Path, folder: Path) -> Path:
    """The file and what is not yet in it, with a header that SQLite takes."""
    copy = folder / "damaged.sqlite3"
    try:
        for _ in range(_TRIES):
            before = _state(path)
            shutil.copyfile(path, copy)
            beside, log = path.with_name(f"{path.name}-wal"), folder / f"{copy.name}-wal"
            log.unlink(missing_ok=True)
            if beside.is_file():
                shutil.copyfile(beside, log)
            # Where it is in use, what is in the log may have come into the file in between, and be in neither copy.
            if before == _state(path):
                break
        with copy.open("r+b") as file:
            size = copy.stat().st_size
            header = file.read(100)
            if len(header) == 100 and not (header.startswith(_MAGIC) and header[16:18] == struct.pack(">H", PAGE)):
                file.seek(0)
                file.write(_header(size // PAGE))
            elif size % PAGE:
                # A cut-off last page is none.
                file.truncate(size - size % PAGE)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageError(f"There is no room in {folder.parent} for a copy of {path}; make some there.") from error
        raise StorageError(f"{path} cannot be copied: {(error.strerror or str(error)).lower()}.") from error
    return copy


def _state(path: Path) -> tuple[object, ...]:
    """Another one as soon as something has come from the log into the file, or the log has begun anew."""
    file, beside = path.stat(), path.with_name(f"{path.name}-wal")
    if not beside.is_file():
        return (file.st_mtime_ns, file.st_size)
    with beside.open("rb") as log:
        return (file.st_mtime_ns, file.st_size, log.read(_LOG_HEADER))


def _header(pages: int) -> bytes:
    """A database header as SQLite writes it for our files (its file format, section 1.3)."""
    head = _MAGIC + struct.pack(">H6B", PAGE, 2, 2, 0, 64, 32, 32)
    numbers = [1, pages, 0, 0, 1, 4, 0, 0, 1, len(STEPS), 0, 0]
    return head + struct.pack(">12I", *numbers) + bytes(20) + struct.pack(">2I", 1, _sqlite_number())


def _sqlite_number() -> int:
    """The version of SQLite as its headers have it."""
    major, minor, patch = sqlite3.sqlite_version_info
    return major * 1_000_000 + minor * 1_000 + patch


class _Found:
    """Rows of a damaged database, table by table: in one go where that works, else each by its id."""

    def __init__(self, damaged: sqlite3.Connection) -> None:
        self._damaged = damaged
        self.lost: set[str] = set()
        """The tables of which something cannot be read on SQLite's way."""
        with suppress(*_UNREADABLE):
            # What is wrong with one table's definition must not hide the others.
            damaged.execute("PRAGMA writable_schema = ON")
        with suppress(*_UNREADABLE):
            version_of(damaged)

    def rows(self, table: str, key: str) -> list[Row]:
        """Those that can be read, by their ids."""
        found: dict[object, Row] = {}
        for order in ("ASC", "DESC"):
            try:
                for row in self._select(f"SELECT * FROM {table} NOT INDEXED ORDER BY {key} {order}", table, key):
                    found[row[key]] = row
            except _UNREADABLE:
                self.lost.add(table)
                continue
            return [found[one] for one in sorted(found, key=_by_id)]
        # Both ways end at something unreadable; between them the ids are tried one by one.
        for id in range(1, self._last(table, key) + 1):
            if id not in found:
                with suppress(*_UNREADABLE):
                    for row in self._select(f"SELECT * FROM {table} NOT INDEXED WHERE {key} = {id:d}", table, key):
                        found[id] = row
        return [found[one] for one in sorted(found, key=_by_id)]

    def _select(self, sql: str, table: str, key: str) -> Iterator[Row]:
        cursor = self._damaged.execute(sql)
        names = [column[0] for column in cursor.description]
        if not _NEEDED.get(table, set()) | {key} <= set(names):
            raise sqlite3.DatabaseError("what its columns are called is damaged")
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def _last(self, table: str, key: str) -> int:
        """The largest id that anything in the file speaks of."""
        questions = [f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'", f"SELECT max({key}) FROM {table}"]
        if table in {"messages", "replies"}:
            questions += [
                "SELECT seq FROM sqlite_sequence WHERE name = 'messages'",
                "SELECT max(leaf_id) FROM conversations",
                "SELECT max(message_id) FROM replies",
                "SELECT max(id) FROM unindexed",
                "SELECT max(id) FROM messages",
            ]
        last = 0
        for question in questions:
            with suppress(*_UNREADABLE):
                for (number,) in self._damaged.execute(question):
                    last = max(last, number if isinstance(number, int) else 0)
        return min(last, _MOST_ROWS)


def _add_loose(tables: dict[str, list[Row]], lost: set[str], copy: Path) -> None:
    """Rows to which SQLite finds no way any more. Of one that lies there as it is and as it was, replies growing while
    they are written, the longest is taken.
    """
    there = {table: {row[_TABLES[table]] for row in tables[table]} for table in lost}
    loose: dict[str, dict[object, Row]] = {table: {} for table in lost}
    for table, row in loose_rows(copy):
        id = row[_TABLES[table]]
        if table in lost and id not in there[table]:
            loose[table][id] = max(loose[table].get(id, row), row, key=_length)
    for table, rows in loose.items():
        tables[table] = sorted((*tables[table], *rows.values()), key=lambda row: _by_id(row[_TABLES[table]]))


def _length(row: Row) -> int:
    return sum(len(value) for value in row.values() if isinstance(value, str | bytes))


def _by_id(id: object) -> int:
    return id if isinstance(id, int) else 0


def _write(path: Path, tables: dict[str, list[Row]], *, whole: bool) -> Rescued:
    now = time.time()
    messages = {row["id"] for row in tables["messages"]}
    known = {row["id"] for row in tables["conversations"]}
    for id in sorted({_by_id(row["conversation_id"]) for row in tables["messages"]} - known):
        tables["conversations"].append(
            {"id": id, "title": f"Rescued conversation {id}", "titled_by": "hand", "created": now, "updated": now}
        )
    tables["replies"] = [row for row in tables["replies"] if row["message_id"] in messages]
    with closing(connect(path)) as rescued:
        rescued.execute("PRAGMA foreign_keys = OFF")
        rescued.execute("PRAGMA ignore_check_constraints = ON")
        rescued.execute("BEGIN")
        for table in _TABLES:
            columns = {row["name"]: row for row in rescued.execute(f"PRAGMA table_info({table})")}
            for row in tables[table]:
                _insert(rescued, table, columns, row)
        rescued.execute("COMMIT")
        # What a damaged row says of another one that is gone.
        rescued.execute("UPDATE conversations SET leaf_id = NULL WHERE leaf_id NOT IN (SELECT id FROM messages)")
        rescued.execute("PRAGMA journal_mode = DELETE")
    return Rescued(len(tables["conversations"]), len(messages), len(tables["replies"]), whole)


def _insert(rescued: sqlite3.Connection, table: str, columns: dict[str, sqlite3.Row], row: Row) -> None:
    """A row, with what it has; where a column that must hold something is empty, nothing stands there."""
    values = {name: value for name, value in row.items() if name in columns}
    for name, column in columns.items():
        if column["notnull"] and column["dflt_value"] is None and values.get(name) is None:
            values[name] = 0 if column["type"] in {"REAL", "INTEGER"} else ""
        elif column["notnull"] and name in values and values[name] is None:
            del values[name]
    rescued.execute(
        f"INSERT OR IGNORE INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
        tuple(values.values()),
    )
