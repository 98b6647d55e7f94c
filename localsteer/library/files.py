"""Files of one's own: readable by their owner only, whole or not there at all, with names that stay in their folder."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from localsteer.errors import StorageError
from localsteer.file_reading import is_folder, open_file
from localsteer.private import make_private, tighten
from localsteer.steering.whole_file import ABANDONED_SECONDS as ABANDONED_SECONDS
from localsteer.steering.whole_file import UNFINISHED as UNFINISHED
from localsteer.steering.whole_file import write_whole
from localsteer.syncing import sync, sync_folder

Owner = TypeVar("Owner")
Given = ParamSpec("Given")
Result = TypeVar("Result")

_SAFE_NAME = re.compile(r"[^\W_][\w.+ ()-]{0,99}")
_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3]|conin\$|conout\$", re.IGNORECASE)
_MOST_BYTES = 200
"""Systems allow 255, and a name gets endings, and a few letters more while its file is written."""


def is_safe_name(name: str) -> bool:
    """True for a name that can be a file's name on every system, with an ending, and cannot leave its folder."""
    return (
        _SAFE_NAME.fullmatch(name) is not None
        and ".." not in name
        and not name.endswith((".", " "))
        and not is_reserved(name)
        and len(name.encode("utf-8")) <= _MOST_BYTES
    )


def is_reserved(name: str) -> bool:
    """True for the names of devices on Windows, whatever their ending: ``CON``, ``nul.txt``."""
    return _DEVICE.fullmatch(name.split(".")[0].strip()) is not None


def private_folder(path: Path) -> Path:
    """``path``, created with its parents where it is missing; 0700 where the system has modes. Raises StorageError."""
    try:
        if not is_folder(path):
            make_private(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(
            f"The folder {path} cannot be made: {reason}. Set LOCALSTEER_HOME to a folder of your own."
        ) from error
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, whole or not at all, 0600; its folder is created. Raises StorageError."""
    private_folder(path.parent)
    with write_whole(path) as beside:
        beside.write_bytes(content)


@contextmanager
def changing(path: Path, patience: float = 3.0) -> Iterator[None]:
    """Read ``path`` inside and write it again: no other process that asks in this way does so meanwhile, so that
    nothing that it writes is lost. Raises StorageError where one takes longer over it than ``patience`` seconds.
    """
    # Only those who change something need it.
    from filelock import FileLock, Timeout

    if not is_folder(path.parent):
        # Nothing is there that could be lost, and what comes to nothing leaves nothing.
        yield
        return
    lock = FileLock(path.parent / ".lock", timeout=patience, mode=0o600)
    try:
        lock.acquire()
    except Timeout as error:
        raise StorageError(f"Another localsteer is changing {path}; try again in a moment.") from error
    except (OSError, NotImplementedError):
        # A disk that knows no locks, or nothing may be written: the writing itself will tell.
        pass
    try:
        yield
    finally:
        with suppress(OSError):
            lock.release()


def changes(
    path: Callable[[Owner], Path],
) -> Callable[[Callable[Concatenate[Owner, Given], Result]], Callable[Concatenate[Owner, Given], Result]]:
    """Of a function that changes a file: it does so as :func:`changing` says. ``path`` tells the file by the function's
    first argument.
    """

    def decorated(change: Callable[Concatenate[Owner, Given], Result]) -> Callable[Concatenate[Owner, Given], Result]:
        @wraps(change)
        def alone(owner: Owner, /, *args: Given.args, **named: Given.kwargs) -> Result:
            with changing(path(owner)):
                return change(owner, *args, **named)

        return alone

    return decorated


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all. Raises StorageError."""
    with write_whole(target) as beside:
        shutil.copyfile(source, beside)


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of all that is in a file. Raises StorageError."""
    try:
        with open_file(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file of one's own and sync it; after half a line a new one is begun. Raises StorageError."""
    private_folder(path.parent)
    try:
        path.touch(mode=0o600)
        tighten(path)
        with path.open("ab+") as file:
            new = file.seek(0, os.SEEK_END) == 0
            whole = new or (file.seek(-1, os.SEEK_END) >= 0 and file.read(1) == b"\n")
            file.write((b"" if whole else b"\n") + line + b"\n")
            file.flush()
            sync(file.fileno())
        if new:
            sync_folder(path.parent)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.") from error
