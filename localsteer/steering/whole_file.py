"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from localsteer.errors import StorageError
from localsteer.file_reading import is_folder
from localsteer.private import make_private
from localsteer.syncing import sync, sync_folder, take_place

_ENDING = ".localsteer-part"
UNFINISHED = f".*{_ENDING}*"
"""What stands beside a file while it is written, as a pattern; with what SQLite lays beside that."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a system says where a disk, or one person's share of it, is full."""
ABANDONED_SECONDS = 3600.0
"""A file beside that nobody has written to for so long belongs to a program that was killed."""


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Give a file beside ``path`` to write to; when the block ends well it is synced and takes the name ``path``.

    Missing folders are made, for their owner only, as the file is. Whatever fails, an older file at ``path`` stays as
    it was and nothing is left beside it; what a killed process has left goes an hour later, when the next file is
    written there. Raises :class:`StorageError` where the disk refuses.
    """
    beside: Path | None = None
    try:
        make_private(path.parent)
        if is_folder(path):
            raise StorageError(f"{path} is a folder; name a file to write.")
        _clear_away(path.parent)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=_ENDING, dir=path.parent)
        os.close(handle)
        beside = Path(name)
        yield beside
        with beside.open("r+b") as written:
            sync(written.fileno())
        take_place(beside, path)
        beside = None
        sync_folder(path.parent)
    except OSError as error:
        raise StorageError(_refusal(path, error)) from error
    finally:
        if beside is not None:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def _clear_away(folder: Path) -> None:
    """What was begun in this folder and never finished."""
    now = time.time()
    for left in folder.glob(UNFINISHED):
        with suppress(OSError):
            if now - left.stat().st_mtime > ABANDONED_SECONDS:
                left.unlink()


def _refusal(path: Path, error: OSError) -> str:
    if error.errno in NO_ROOM:
        return f"There is no room on the disk for {path}; make some and try again."
    return f"{path} cannot be written: {error.strerror or error}."
