"""What a file is by its first bytes, so that a wrong one can be called by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from localsteer.file_reading import open_file

LOOKED_AT = 4096


@dataclass(frozen=True, slots=True)
class FileKind:
    """``name``: "a PNG picture"; ``advice``: what to do about it, a clause, where there is more to say than "another
    file".
    """

    name: str
    advice: str = ""

    def instead_of(self, path: Path, wanted: str) -> str:
        """The sentence that says so."""
        return f"{path} is {self.name}, not {wanted}{f'; {self.advice}' if self.advice else ''}."


EMPTY = FileKind("empty")
GGUF = FileKind("a GGUF file, a model or a vector")
JSON = FileKind("JSON")
RECIPE = FileKind("a recipe (TOML)", "`localsteer extract` makes a vector from it")
LFS_POINTER = FileKind(
    "a Git LFS pointer that stands for the file itself", "fetch that with `git lfs pull` or download it again"
)
HTML = FileKind(
    "an HTML page", "a download that went wrong often leaves the page with the error; download the file again"
)
_WEIGHTS = "localsteer needs models as GGUF"
_SIGNATURES: tuple[tuple[bytes, FileKind], ...] = (
    (b"GGUF", GGUF),
    (b"version https://git-lfs.github.com/spec/", LFS_POINTER),
    (b"\x89PNG\r\n\x1a\n", FileKind("a PNG picture")),
    (b"\xff\xd8\xff", FileKind("a JPEG picture")),
    (b"GIF8", FileKind("a GIF picture")),
    (b"%PDF-", FileKind("a PDF document")),
    (b"PK\x03\x04", FileKind("a ZIP archive", "unpack it first; PyTorch's .pt and .bin are such archives, too")),
    (b"\x1f\x8b", FileKind("a gzip archive", "unpack it first")),
    (b"\xfd7zXZ\x00", FileKind("an xz archive", "unpack it first")),
    (b"\x28\xb5\x2f\xfd", FileKind("a Zstandard archive", "unpack it first")),
    (b"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive", "unpack it first")),
    (b"SQLite format 3\x00", FileKind("an SQLite database")),
    (b"\x93NUMPY", FileKind("a NumPy array")),
    (b"\x80\x02", FileKind("a Python pickle", _WEIGHTS)),
    (b"\x80\x04", FileKind("a Python pickle", _WEIGHTS)),
    (b"lmgg", FileKind("a model in GGML's old format", "convert it to GGUF with llama.cpp's tools")),
    (b"tjgg", FileKind("a model in GGML's old format", "convert it to GGUF with llama.cpp's tools")),
)
_SAFETENSORS = re.compile(rb".{8}\{\s*\"", re.S)
_HTML = re.compile(r"<(!doctype html|html|head|body)\b", re.I)
_JSON = re.compile(r'\{\s*["}]|\[\s*(\{|"|\[\s*"|\])')
_RECIPE = re.compile(r"^\s*(\[poles\]|poles\s*=|\[\[(personas|pairs|questions|texts)\]\])", re.M)


def kind_of(beginning: bytes) -> FileKind | None:
    """The kind of a file that begins so (with its first :data:`LOOKED_AT` bytes); None for what could be anything."""
    if not beginning:
        return EMPTY
    for signature, kind in _SIGNATURES:
        if beginning.startswith(signature):
            return kind
    if _SAFETENSORS.match(beginning) and beginning[7:8] == b"\x00":
        return FileKind("a safetensors file", _WEIGHTS)
    text = beginning.decode("utf-8-sig", "replace").lstrip()
    if _HTML.match(text):
        return HTML
    if _JSON.match(text):
        return JSON
    return RECIPE if _RECIPE.search(text) else None


def kind_of_file(path: Path) -> FileKind | None:
    """The same for a file; None for one that cannot be read."""
    try:
        with open_file(path) as file:
            return kind_of(file.read(LOOKED_AT))
    except OSError:
        return None
