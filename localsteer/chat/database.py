"""One SQLite file: opened privately, in WAL mode, with errors that say what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from localsteer.chat.records import decode
from localsteer.chat.schema import bring_up_to_date, check_columns, check_ours
from localsteer.errors import StorageError
from localsteer.file_reading import check_is_file, hold, is_there, let_go
from localsteer.private import make_private, tighten

BUSY_SECONDS = 5.0
_MOMENT = 0.02
_CACHE_KIB = 512
"""Of a database so much is held in memory. The system holds the file anyway, and a conversation reads its end."""
_DAMAGED = "{path} is damaged; `localsteer chats rescue OUT` writes what can still be read to a new file."


def connect(path: Path) -> sqlite3.Connection:
    """Open or create the database at ``path`` and bring its schema up to date. Raises StorageError."""
    with clear_errors(path):
        make_private(path.parent)
        _create(path)
        for one in (path, *(path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm"))):
            tighten(one)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, factory=_Held)
        connection.hold(path)
        try:
            connection.row_factory = sqlite3.Row
            connection.text_factory = decode
            check_ours(connection, path)
            connection.execute("PRAGMA foreign_keys = ON")
            _log_ahead(connection)
            # Each commit reaches the disk: a power cut costs no more than what was not yet saved.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # on macOS, see syncing.py; elsewhere it means nothing
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            bring_up_to_date(connection)
            check_columns(connection)
        except BaseException:
            connection.close()
            raise
    return connection


class _Held(sqlite3.Connection):
    """Nothing else in this process opens the database's files until it is closed."""

    _path: Path | None = None

    def hold(self, path: Path) -> None:
        self._path = path
        hold(path)

    def close(self) -> None:
        """See sqlite3's."""
        super().close()
        if self._path is not None:
            let_go(self._path)
            self._path = None


def _create(path: Path) -> None:
    """Have the file there: created by us and not by SQLite, so that nobody else ever can read it; -wal and -shm take
    its mode. One that is there is not opened, see :func:`~localsteer.file_reading.hold`. Raises OSError.
    """
    with suppress(FileExistsError):
        # Where links lead nowhere yet, the file is made at their end.
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    check_is_file(path.stat().st_mode, path)
    if not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _log_ahead(connection: sqlite3.Connection) -> None:
    """WAL. SQLite does not wait with this where others are about to do the same to an older file, or a new one."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_MOMENT)


def check_may_replace(out: Path) -> None:
    """Raise StorageError where parts of another database lie beside ``out``: SQLite would take them for parts of what
    is put there, and what they hold for newer.
    """
    for ending in ("-wal", "-journal"):
        beside = out.with_name(f"{out.name}{ending}")
        if is_there(beside):
            raise StorageError(f"{beside} belongs to another database; name another file, or move it away.")


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """All of it or nothing. Raises StorageError."""
    with clear_errors(path), atomic(connection):
        yield connection


@contextmanager
def atomic(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of it or nothing. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        # On a full disk SQLite may have rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as one sentence for a person."""
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(_explain(error, path)) from error
    except UnicodeDecodeError as error:  # SQLite quotes what is damaged, as it is
        raise StorageError(_DAMAGED.format(path=path)) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(
            f"The conversations at {path} cannot be opened: {reason}; mend that, or set LOCALSTEER_HOME "
            "to another folder."
        ) from error


def _explain(error: sqlite3.Error, path: Path) -> str:
    said = str(error).lower()
    if "full" in said:
        return f"There is no room on the disk for {path}; make some: what is on the screen is not lost yet."
    if "disk i/o" in said:
        return (
            f"There is no room on the disk for {path}, or it fails; make some: what is on the screen is not lost yet."
        )
    if "locked" in said or "busy" in said:
        return f"{path} is in use by another program; close it there and try again."
    if "readonly" in said or "unable to open" in said:
        return f"Not allowed to write {path}; set LOCALSTEER_HOME to a folder of your own."
    if "not a database" in said or "malformed" in said:
        return _DAMAGED.format(path=path)
    return f"The conversations at {path} could not be read or written: {error}."
