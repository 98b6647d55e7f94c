"""The layout of the Hugging Face hub's cache, so that what is downloaded here is found by every program that knows it.

``models--ORG--REPO/blobs/ETAG`` holds the content, ``snapshots/COMMIT/FILE`` is a symbolic link to it (the content
itself where the system has no links), ``refs/main`` names the commit. Described in the documentation of
huggingface_hub, whose own download throws a partial file away when it ends, so that is done here.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from localsteer.errors import StorageError
from localsteer.file_reading import is_there
from localsteer.library.hub import HubVersion
from localsteer.steering.whole_file import write_whole


@dataclass(frozen=True, slots=True)
class CachePlace:
    """Where one version of one file lies, or is to lie, in the cache folder ``cache``."""

    cache: Path
    version: HubVersion

    @property
    def repository(self) -> Path:
        return self.cache / self._folder_name

    @property
    def blob(self) -> Path:
        """The content."""
        return self.repository / "blobs" / self.version.etag

    @property
    def partial(self) -> Path:
        """The content as far as it has come."""
        return self.repository / "blobs" / f"{self.version.etag}.incomplete"

    @property
    def pointer(self) -> Path:
        """The file under its own name."""
        return self.repository / "snapshots" / self.version.commit / Path(*self.version.file.split("/"))

    @property
    def lock(self) -> Path:
        """Held by whoever downloads the content."""
        return self.cache / ".locks" / self._folder_name / f"{self.version.etag}.lock"

    @property
    def _folder_name(self) -> str:
        return "--".join(["models", *self.version.repo.split("/")])

    def present(self) -> bool:
        """Whether the file is there, whole."""
        try:
            return self.pointer.stat().st_size == self.version.size_bytes
        except OSError:
            return False

    def make_folders(self) -> None:
        """Raises StorageError."""
        try:
            for folder in (self.blob.parent, self.pointer.parent, self.lock.parent):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StorageError(f"The folder {self.cache} cannot be written: {reason}; HF_HOME moves it.") from error

    def finish(self) -> Path:
        """Give the blob, which is there, its name in the snapshot. Raises StorageError."""
        try:
            if self.pointer.is_symlink() or is_there(self.pointer):
                self.pointer.unlink()
            target = os.path.relpath(self.blob, self.pointer.parent)
            try:
                self.pointer.symlink_to(target)
            except OSError:
                # Windows without developer mode: the cache's own way is to move the content there.
                shutil.move(self.blob, self.pointer)
            with write_whole(self.repository / "refs" / "main") as beside:
                beside.write_text(self.version.commit, encoding="ascii")
        except OSError as error:
            raise StorageError(f"{self.pointer} cannot be made: {(error.strerror or str(error)).lower()}.") from error
        return self.pointer
