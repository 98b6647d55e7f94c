"""Folders and files that nobody but their owner can read, where the system has such modes."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from localsteer.file_reading import is_folder, is_there
from localsteer.syncing import sync_folder

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private(folder: Path) -> None:
    """Make ``folder`` and every parent that is missing, 0700 each, to last. One that is there stays as it is. Raises
    OSError.

    ``Path.mkdir(mode, parents=True)`` would give that mode to the last of them alone.
    """
    missing = []
    for one in (folder, *folder.parents):
        if is_there(one):
            break
        missing.append(one)
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
        sync_folder(one.parent)
    if not is_folder(folder):
        folder.mkdir()


def tighten(path: Path) -> None:
    """Take everybody else's rights to a file of our own away, where there are any; silent where that cannot be."""
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if os.name == "posix" and mode & OTHERS:
            path.chmod(mode & ~OTHERS)
