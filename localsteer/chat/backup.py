"""A copy of the database in one file, made while others may be writing to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from localsteer.chat.database import clear_errors
from localsteer.errors import StorageError
from localsteer.steering.whole_file import write_whole


def back_up(connection: sqlite3.Connection, path: Path, out: Path, *, overwrite: bool) -> None:
    """Copy the database at ``path``, which ``connection`` has open, to ``out``, whole or not at all.

    Raises StorageError where ``out`` exists and is not to be overwritten, and where it is the database itself.
    """
    if out.exists():
        if out.samefile(path):
            raise StorageError(f"{out} is where the conversations are kept; name another file.")
        if not overwrite:
            raise StorageError(f"{out} exists already; name another file, or say that it may be overwritten.")
    with clear_errors(path), write_whole(out) as beside, closing(sqlite3.connect(beside)) as copy:
        connection.backup(copy)
        # In WAL mode the copy would be three files as soon as somebody looks at it.
        copy.execute("PRAGMA journal_mode = DELETE")
