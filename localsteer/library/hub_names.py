"""How a person names a model on the Hugging Face hub: ``org/repo:file.gguf``, ``org/repo:Q4_K_M``, ``org/repo``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from localsteer.errors import DownloadError
from localsteer.library.files import is_reserved

_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}")
_NO_NAME = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]|.{200}')
_ADDRESS = re.compile(r"https?://[^/]+/(?P<repo>[^/]+/[^/]+)(/(resolve|blob)/[^/]+/(?P<file>[^?#]+))?/?([?#].*)?")


@dataclass(frozen=True, slots=True)
class HubName:
    """``file``: the path of a GGUF file in the repository, a quantisation such as ``Q4_K_M``, or empty for none."""

    repo: str
    file: str = ""

    def __str__(self) -> str:
        return f"{self.repo}:{self.file}" if self.file else self.repo


def read_hub_name(text: str) -> HubName:
    """What ``text`` names: a name as above, with ``hf.co/`` before it or not, or the address of a page of the hub.

    Raises DownloadError.
    """
    address = _ADDRESS.fullmatch(text.strip())
    if address is not None:
        repo, file = address["repo"], address["file"] or ""
    else:
        repo, _, file = re.sub(r"^(hf\.co|huggingface\.co)/", "", text.strip()).partition(":")
    if not _REPO.fullmatch(repo) or ".." in repo or "--" in repo:
        raise DownloadError(
            f'"{text}" names no model on the hub; write org/repo:file.gguf, or choose one that '
            "`localsteer models pull` shows."
        )
    if file.lower().endswith(".gguf"):
        check_file(file)
    return HubName(repo, file)


def check_file(file: str) -> None:
    """Raise DownloadError for what is no path in a repository, or none that a folder on this disk can have."""
    for part in file.split("/"):
        if part in ("", ".", "..") or _NO_NAME.search(part) or part.endswith((".", " ")) or is_reserved(part):
            raise DownloadError(f'"{file}" is no path in a repository.')


def choose_file(wanted: HubName, files: Sequence[str]) -> str | None:
    """The GGUF file of ``files`` that ``wanted`` means: by its path, its name, or the quantisation in its name; None
    where it means none, or several.
    """
    if wanted.file in files:
        return wanted.file
    last = [file for file in files if file.rsplit("/", 1)[-1].lower() == wanted.file.lower()]
    if not last and wanted.file:
        word = re.compile(rf"(^|[^a-z0-9]){re.escape(wanted.file.lower())}([^a-z0-9_]|$)")
        last = [file for file in files if word.search(file.lower())]
    return last[0] if len(last) == 1 else None
