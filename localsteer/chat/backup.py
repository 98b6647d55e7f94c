"""A copy of the database in one file, made while others may be writing to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from localsteer.chat.database import check_may_replace, clear_errors
from localsteer.errors import StorageError
from localsteer.file_reading import is_there
from localsteer.steering.whole_file import write_whole


def back_up(connection: sqlite3.Connection, path: Path, out: Path, *, overwrite: bool) -> None:
    """Copy the database at ``path``, which ``connection`` has open, to ``out``, whole or not at all.

    Raises StorageError where ``out`` exists and is not to be overwritten, where it is the database itself, and where
    parts of another one lie beside it.
    """
    if is_there(out):
        if out.samefile(path):
            raise StorageError(f"{out} is where the conversations are kept; name another file.")
        if not overwrite:
            raise StorageError(f"{out} exists already; name another file, or say that it may be overwritten.")
    check_may_replace(out)
    with clear_errors(path), write_whole(out) as beside, closing(sqlite3.connect(beside)) as copy:
        try:
            connection.backup(copy)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
                raise StorageError(
                    f"There is no room on the disk for {out}; make some, or name another file."
                ) from error
            raise
        # In WAL mode the copy would be three files as soon as somebody looks at it.
        copy.execute("PRAGMA journal_mode = DELETE")
