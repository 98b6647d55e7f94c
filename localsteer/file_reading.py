"""Open what is to be read and nothing else: a pipe or a device in a file's place would hold the program up for good, or
never end.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from localsteer.errors import StorageError

# Without it, opening a pipe that nobody writes to waits for somebody who does.
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


_held: Counter[str] = Counter()
_holding = threading.Lock()


def hold(path: Path) -> None:
    """A database that this process has open from now on, until it is as often given to :func:`let_go`. No other part of
    the process may open its files: closing them would drop the locks that SQLite has on them (POSIX takes away every
    lock that a process has on a file), and another process could then do away with what is not in the file itself yet.
    """
    with _holding:
        _held[os.path.realpath(path)] += 1


def let_go(path: Path) -> None:
    """See :func:`hold`."""
    with _holding:
        _held[os.path.realpath(path)] -= 1


def is_held(path: Path) -> bool:
    """Whether this is a file of a database that this process has open."""
    if not +_held:
        return False
    real = os.path.realpath(path)
    return any(_held[real.removesuffix(ending)] > 0 for ending in ("", "-wal", "-shm"))


def open_file(path: Path) -> BufferedReader:
    """``path`` opened for reading. Raises OSError for whatever is no file: also for a folder, a pipe, a device, and for
    what cannot be a file's name; and for a database that is in use here.
    """
    try:
        if is_held(path):
            raise OSError(errno.EBUSY, "it is the database that localsteer is using", str(path))
        handle = os.open(path, os.O_RDONLY | _WITHOUT_WAITING)
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have such a name", str(path)) from None
    file = open(handle, "rb")  # noqa: SIM115, PTH123
    try:
        check_is_file(os.fstat(handle).st_mode, path)
    except OSError:
        file.close()
        raise
    return file


def check_is_file(mode: int, path: Path) -> None:
    """Raise OSError where ``mode`` says that ``path`` is a folder, a pipe or a device."""
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


def is_file(path: Path | str) -> bool:
    """Whether there is such a file. False, and no error as Path's raise, where nobody may look: in somebody else's
    folder, or by a name that no file can have.
    """
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path | str) -> bool:
    """Whether there is such a folder; see :func:`is_file`."""
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: Path | str) -> bool:
    """Whether there is anything of this name; see :func:`is_file`."""
    return os.path.exists(path)  # noqa: PTH110


def walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """:func:`os.walk`; nothing where nobody may look, or no folder can have such a name."""
    with suppress(ValueError):
        yield from os.walk(folder)


def home_folder() -> Path:
    """The person's; where the system knows of none, a place in which nothing is."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(os.devnull)


def matching(folder: Path, pattern: str) -> list[Path]:
    """What is in ``folder`` and looks like ``pattern``, in the order of the names; nothing where nobody may look."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
