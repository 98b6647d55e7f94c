"""Asking the Hugging Face hub what it has. Nothing here is called unless somebody asked for a download."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from localsteer.errors import DownloadError
from localsteer.gguf_header import part_named, parts_of
from localsteer.library.hub_errors import host, hub_errors
from localsteer.library.hub_names import HubName, check_file, choose_file

DEFAULT_ENDPOINT = "https://huggingface.co"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ETAG = re.compile(r"[\w-]{8,128}")
_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository. ``size_bytes`` 0 and ``sha256`` empty where the hub does not say."""

    repo: str
    file: str
    size_bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class HubVersion:
    """One version of a file, as the hub's cache knows it: ``etag`` names its content, ``commit`` the repository's
    state.
    """

    repo: str
    file: str
    address: str
    size_bytes: int
    etag: str
    commit: str

    @property
    def sha256(self) -> str:
        """The content's SHA-256 (hex); empty for a small file that the hub keeps in Git itself."""
        return self.etag if _SHA256.fullmatch(self.etag) else ""


def hub_endpoint(environment: Mapping[str, str] | None = None) -> str:
    """``HF_ENDPOINT``, or the hub itself."""
    environment = os.environ if environment is None else environment
    return (environment.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")


def list_gguf_files(repo: str, endpoint: str) -> tuple[HubFile, ...]:
    """The GGUF models of a repository, in the order of their names. Raises DownloadError.

    A model in several files stands there once, by its first one and with all of its size; vision projectors that go
    with a model do not.
    """
    from huggingface_hub import HfApi

    with hub_errors(endpoint, repo):
        info = HfApi(endpoint=endpoint).model_info(repo, files_metadata=True, timeout=_SECONDS)
    files = [
        HubFile(repo, one.rfilename, one.size or 0, one.lfs.sha256 if one.lfs else "")
        for one in info.siblings or ()
        if one.rfilename.lower().endswith(".gguf") and "mmproj" not in one.rfilename.lower()
    ]
    return tuple(_whole(sorted(files, key=lambda file: file.file)))


def _whole(files: list[HubFile]) -> Iterator[HubFile]:
    sizes = {file.file: file.size_bytes for file in files}
    for file in files:
        part = part_named(file.file)
        if part is None:
            yield file
        elif part.number == 1:
            parts = [path.as_posix() for path in parts_of(PurePosixPath(file.file))]
            yield replace(file, size_bytes=sum(sizes.get(name, 0) for name in parts), sha256="")


def find_file(wanted: HubName, endpoint: str) -> str:
    """The file that ``wanted`` means, asking the hub for a list where it is no full name. Raises DownloadError."""
    if wanted.file.lower().endswith(".gguf"):
        return wanted.file
    chosen = choose_file(wanted, [file.file for file in list_gguf_files(wanted.repo, endpoint)])
    if chosen is None:
        raise DownloadError(
            f'"{wanted.file}" means no one file of {wanted.repo}; `localsteer models pull {wanted.repo}` lists them.'
        )
    # What the hub says becomes the name of a file here.
    check_file(chosen)
    return chosen


def find_version(repo: str, file: str, endpoint: str) -> HubVersion:
    """The present version of a file. Raises DownloadError."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    with hub_errors(endpoint, repo, file):
        address = hf_hub_url(repo, file, endpoint=endpoint)
        found = get_hf_file_metadata(address, timeout=_SECONDS, endpoint=endpoint)
    commit, etag = found.commit_hash or "", found.etag or ""
    # Both become names of files.
    if not (_COMMIT.fullmatch(commit) and _ETAG.fullmatch(etag) and found.size):
        raise DownloadError(f"{host(endpoint)} does not answer as a Hugging Face hub does; check HF_ENDPOINT.")
    return HubVersion(repo, file, address, found.size, etag, commit)
