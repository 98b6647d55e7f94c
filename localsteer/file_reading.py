"""Open what is to be read and nothing else: a pipe or a device in a file's place would hold the program up for good, or
never end.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from localsteer.errors import StorageError

# Without it, opening a pipe that nobody writes to waits for somebody who does.
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def open_file(path: Path) -> BufferedReader:
    """``path`` opened for reading. Raises OSError for whatever is no file: also for a folder, a pipe, a device, and for
    what cannot be a file's name.
    """
    try:
        handle = os.open(path, os.O_RDONLY | _WITHOUT_WAITING)
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have such a name", str(path)) from None
    file = open(handle, "rb")  # noqa: SIM115, PTH123
    try:
        check_is_file(handle, path)
    except OSError:
        file.close()
        raise
    return file


def check_is_file(handle: int, path: Path) -> None:
    """Raise OSError where what was opened as ``path`` is a folder, a pipe or a device."""
    mode = os.fstat(handle).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))


def read_file(path: Path, most: int) -> bytes:
    """All of ``path``. Raises OSError as :func:`open_file` does, and for a file of more than ``most`` bytes."""
    with open_file(path) as file:
        # Not by its size: it may grow meanwhile.
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it has more than {most / 1e6:.0f} MB", str(path))
    return content


def expanded(text: str | Path) -> Path:
    """A path with ``~`` for a home folder; of a home that is not there it stays as it is. Never raises."""
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def typed_path(text: str | Path) -> Path:
    """What a person names a file by, as :func:`expanded`. Raises StorageError for what no file can be called."""
    path = expanded(text)
    try:
        path.stat()
    except ValueError:
        raise StorageError(f"No file can be called {text}; check the name.") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise StorageError(f"{text} is too long to be the name of a file; check it.") from None
    return path


def real_path(path: Path) -> Path:
    """``path`` without links, as far as they lead; of links that lead in a ring the one that was asked for."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path.absolute()
