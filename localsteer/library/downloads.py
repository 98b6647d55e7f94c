"""Fetching a model from the Hugging Face hub into its cache: resumed where it was cut off, checked when it is there.

Nothing is printed: whoever asked gets :class:`DownloadProgress` some ten times a second and may stop at any of them.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from localsteer.errors import DownloadError, Stopped, StorageError
from localsteer.file_reading import home_folder, is_file, is_folder
from localsteer.gguf_header import parts_of
from localsteer.library.byte_rate import ByteRate
from localsteer.library.hub import find_file, find_version, hub_endpoint
from localsteer.library.hub_cache import CachePlace
from localsteer.library.hub_errors import ConnectionLost, host, hub_errors
from localsteer.library.hub_names import HubName
from localsteer.library.model_places import hugging_face_folders
from localsteer.syncing import sync, sync_folder, take_place

Stage: TypeAlias = Literal["fetching", "waiting", "checking"]

PAUSES = (0.2, 1.0, 3.0, 8.0)
"""Seconds before the next try when the connection breaks; from the first one again when something has come."""

_BLOCK = 4 << 20
_TIMES_A_SECOND = 10
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """``done`` of ``total`` bytes of the whole model are there, or have been checked; ``file`` is at work.

    ``waiting``: the connection broke and is tried again in a moment. ``bytes_per_second`` None until it is known.
    """

    stage: Stage
    file: str
    done: int
    total: int
    bytes_per_second: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """None where it cannot be told."""
        if self.stage != "fetching" or not self.bytes_per_second:
            return None
        return (self.total - self.done) / self.bytes_per_second


def download_model(
    wanted: HubName,
    *,
    progress: Callable[[DownloadProgress], None] | None = None,
    stopped: Callable[[], bool] | None = None,
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> Path:
    """The file of ``wanted`` in the hub's cache, all parts of it; what is there already is not fetched again.

    ``wanted.file`` is a file or a quantisation. ``stopped`` is asked often; when it says yes Stopped is raised and
    what has come is kept, as it is when the connection or the process ends: the same call goes on from there.
    Raises DownloadError, and StorageError where the disk has too little room (before anything is fetched).
    """
    environment = os.environ if environment is None else environment
    endpoint = hub_endpoint(environment)
    cache = hugging_face_folders(environment, home_folder() if home is None else home)[0]
    file = find_file(wanted, endpoint)
    places = [CachePlace(cache, find_version(wanted.repo, part, endpoint)) for part in _all_parts(file)]
    return _Download(endpoint, places, progress, stopped).run()


def _all_parts(file: str) -> list[str]:
    return [path.as_posix() for path in parts_of(PurePosixPath(file))]


class _Download:
    """All parts of one model, one after the other."""

    def __init__(
        self,
        endpoint: str,
        places: list[CachePlace],
        progress: Callable[[DownloadProgress], None] | None,
        stopped: Callable[[], bool] | None,
    ) -> None:
        self._endpoint = endpoint
        self._places = places
        self._progress = progress
        self._stopped = stopped or (lambda: False)
        self._total = sum(place.version.size_bytes for place in places)
        self._before = 0
        self._rate = ByteRate()
        self._told = 0.0

    def run(self) -> Path:
        self._check_room()
        for place in self._places:
            if not place.present():
                place.make_folders()
                with _locked(place):
                    if not _has(place.blob, place.version.size_bytes):
                        self._fetch(place)
                        self._check(place)
                        _rename(place)
                    place.finish()
            self._before += place.version.size_bytes
        return self._places[0].pointer

    def _check_room(self) -> None:
        missing = [place for place in self._places if not (place.present() or is_file(place.blob))]
        needed = sum(max(0, place.version.size_bytes - _size(place.partial)) for place in missing)
        cache = self._places[0].cache
        standing = next((folder for folder in (cache, *cache.parents) if is_folder(folder)), None)
        free = shutil.disk_usage(standing).free if standing is not None else needed
        if needed > free:
            raise StorageError(
                f"{self._places[0].version.file} needs {needed / 1e9:,.1f} GB, and the disk with {cache} has "
                f"{free / 1e9:,.1f} GB free; make room, or set HF_HOME to a folder on another disk."
            )

    def _fetch(self, place: CachePlace) -> None:
        total, tries = place.version.size_bytes, 0
        while (done := _size(place.partial)) != total:
            try:
                self._fetch_on(place, done if done < total else 0)
                if _size(place.partial) < total:
                    raise ConnectionLost("It ended too early.")
            except ConnectionLost as error:
                tries = 0 if _size(place.partial) > done else tries + 1
                if tries >= len(PAUSES):
                    raise _lost(place, self._endpoint) from error
                self._wait(place, PAUSES[tries])
            if _size(place.partial) > total:
                raise _damaged(place, self._endpoint)

    def _fetch_on(self, place: CachePlace, done: int) -> None:
        """Fetch from byte ``done`` on, to the end or until the connection breaks."""
        from huggingface_hub import get_session
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

        version = place.version
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if done:
            headers["Range"] = f"bytes={done}-"
        with (
            hub_errors(self._endpoint, version.repo, version.file),
            get_session().stream(
                "GET", version.address, headers=headers, follow_redirects=True, timeout=_SECONDS
            ) as answer,
        ):
            hf_raise_for_status(answer)
            if answer.status_code != 206:
                done = 0
            self._write(place, done, answer.iter_bytes())

    def _write(self, place: CachePlace, done: int, chunks: Iterator[bytes]) -> None:
        with _disk_errors(place), place.partial.open("ab") as file:
            file.truncate(done)
            for chunk in chunks:
                file.write(chunk)
                done += len(chunk)
                self._rate.count(len(chunk))
                self._tell("fetching", place, done)
                if done > place.version.size_bytes:
                    break

    def _check(self, place: CachePlace) -> None:
        version = place.version
        if not version.sha256:
            return
        digest, done = hashlib.sha256(), 0
        with _disk_errors(place), place.partial.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                done += len(block)
                self._tell("checking", place, done)
        if digest.hexdigest() != version.sha256:
            raise _damaged(place, self._endpoint)

    def _wait(self, place: CachePlace, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._tell("waiting", place, _size(place.partial))
            time.sleep(min(left, 1 / _TIMES_A_SECOND))

    def _tell(self, stage: Stage, place: CachePlace, done: int) -> None:
        if self._stopped():
            raise Stopped
        now = time.monotonic()
        if self._progress is None or (now - self._told < 1 / _TIMES_A_SECOND and done != place.version.size_bytes):
            return
        self._told = now
        rate = self._rate.per_second() if stage == "fetching" else None
        self._progress(DownloadProgress(stage, place.version.file, self._before + done, self._total, rate))


def _lost(place: CachePlace, endpoint: str) -> DownloadError:
    done, total = _size(place.partial), place.version.size_bytes
    return DownloadError(
        f"The connection to {host(endpoint)} is lost at {done / 1e6:,.1f} of {total / 1e6:,.1f} MB. "
        "What has come is kept: run the same command again to go on."
    )


def _damaged(place: CachePlace, endpoint: str) -> DownloadError:
    with _disk_errors(place):
        place.partial.unlink()
    return DownloadError(
        f"{place.version.file} came damaged: it is not what {host(endpoint)} says it is (size or checksum). "
        "It was deleted; run the same command again."
    )


@contextmanager
def _locked(place: CachePlace) -> Iterator[None]:
    from huggingface_hub.utils import WeakFileLock

    lock = WeakFileLock(place.lock, timeout=0.5)
    try:
        lock.__enter__()
    except TimeoutError:
        raise DownloadError(
            f"{place.version.file} is being downloaded by another program; wait until that is done."
        ) from None
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


@contextmanager
def _disk_errors(place: CachePlace) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageError(
                f"The disk with {place.cache} is full. What has come is kept: make room and run the same command again."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO):
            raise StorageError(f"{place.partial} cannot be written: {error.strerror}.") from error
        raise


def _rename(place: CachePlace) -> None:
    with _disk_errors(place):
        # What has the final name is taken for whole by its size, also after a power cut.
        with place.partial.open("r+b") as file:
            sync(file.fileno())
        take_place(place.partial, place.blob)
        sync_folder(place.blob.parent)


def _has(path: Path, size: int) -> bool:
    return is_file(path) and _size(path) == size


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
