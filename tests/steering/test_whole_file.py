"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from localsteer import syncing
from localsteer.errors import StorageError
from localsteer.steering.whole_file import write_whole


def test_missing_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    with write_whole(path) as beside:
        beside.write_text("new", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "new"
    assert list(path.parent.iterdir()) == [path]


def test_until_the_end_the_old_file_is_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    with write_whole(path) as beside:
        beside.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"


def test_whatever_fails_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")

    def interrupted() -> None:
        with write_whole(path) as beside:
            beside.write_text("half", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@contextmanager
def small_disk(limit: int) -> Iterator[None]:
    """No file may grow past ``limit`` bytes."""
    if sys.platform == "win32":
        pytest.skip("POSIX limits")
    import resource

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


def test_without_room_the_old_file_stays_and_one_sentence_says_so(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(StorageError, match="no room on the disk"), small_disk(1000), write_whole(path) as beside:
        beside.write_bytes(bytes(100_000))
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fills_up_at_the_last_moment_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no room on the disk"), write_whole(path) as beside:
        beside.write_text("new", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be written"), write_whole(tmp_path / "taken" / "file"):
        pass


def test_what_killed_programs_have_left_goes_when_it_is_an_hour_old(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from localsteer.steering.whole_file import write_whole\n"
        "with write_whole(Path(sys.argv[1])) as beside: beside.write_bytes(b'half'); os._exit(9)"
    )
    path = tmp_path / "file"
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60).returncode == 9
    (left,) = tmp_path.iterdir()
    beside_it = left.with_name(f"{left.name}-journal")
    beside_it.write_bytes(b"what SQLite needs")
    theirs = tmp_path / ".somebody-elses.part"
    theirs.write_bytes(b"a download")
    for _ in range(2):
        with write_whole(path) as beside:
            beside.write_text("whole", encoding="utf-8")
        assert left.exists()
    for old in (left, beside_it, theirs):
        os.utime(old, (time.time() - 3700,) * 2)
    with write_whole(path) as beside:
        beside.write_text("whole", encoding="utf-8")
    assert sorted(tmp_path.iterdir()) == [theirs, path]


def test_who_looks_at_the_old_file_for_a_moment_is_waited_for_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, replace, refused = tmp_path / "file", Path.replace, [1, 2, 3]

    def looked_at(fresh: Path, target: Path) -> Path:
        if refused:
            refused.pop()
            raise PermissionError(errno.EACCES, "in use")
        return replace(fresh, target)

    monkeypatch.setattr(Path, "replace", looked_at)
    with pytest.raises(StorageError, match="in use"), write_whole(path) as beside:
        beside.write_text("new", encoding="utf-8")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(syncing, "os", SimpleNamespace(name="nt", fsync=os.fsync))
    with write_whole(path) as beside:
        beside.write_text("new", encoding="utf-8")
    assert refused == []
    assert path.read_text(encoding="utf-8") == "new"
