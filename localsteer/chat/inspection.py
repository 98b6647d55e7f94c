"""A look at the database that changes nothing in it, whatever its state."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from localsteer.chat.database import clear_errors
from localsteer.chat.schema import version_of
from localsteer.file_reading import open_file


def inspect(path: Path) -> int:
    """How many conversations there are. Raises StorageError for a file that is damaged, newer than this localsteer or
    not to be read.
    """
    with clear_errors(path), closing(_open(path)) as connection:
        version = version_of(connection)
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            # One line of what SQLite found is enough.
            raise sqlite3.DatabaseError("malformed")
        if not version:
            return 0
        (count,) = connection.execute("SELECT count(*) FROM conversations").fetchone()
        return int(count)


def _open(path: Path) -> sqlite3.Connection:
    with open_file(path):
        # Says better than SQLite why it cannot be read.
        pass
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
