"""What was written outlasts a power cut."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

_SECONDS_FOR_LOOKERS = 2.0


def sync(handle: int) -> None:
    """Return when all that was written to the open file ``handle`` is on the disk. Raises OSError."""
    if sys.platform == "darwin":
        import fcntl

        # Its fsync is content with the disk's own memory, which a power cut empties. Network disks know no better.
        with suppress(OSError):
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)


def take_place(fresh: Path, path: Path) -> None:
    """Give ``fresh`` the name ``path``, in the place of what is there. Raises OSError.

    Windows refuses that as long as anybody has the file open, and what looks at new files there does so for moments.
    """
    end = time.monotonic() + _SECONDS_FOR_LOOKERS
    while True:
        try:
            fresh.replace(path)
        except PermissionError:
            if os.name != "nt" or time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def sync_folder(folder: Path) -> None:
    """Let a name that was given in ``folder`` last, where the system has a way to: Windows opens no folders."""
    directory = getattr(os, "O_DIRECTORY", None)
    if directory is None:
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | directory)
        try:
            sync(handle)
        finally:
            os.close(handle)
