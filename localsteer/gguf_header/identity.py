"""Short names for "this very model" and "this very vocabulary"."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from localsteer.file_reading import open_file
from localsteer.gguf_header.reader import ArraySummary, GgufHeader

_SAMPLE = 64 * 1024
_DIGITS = 16


def model_id(path: Path, header: GgufHeader) -> str:
    """16 hexadecimal digits that differ between model files, without reading all of them.

    SHA-256 over the header's bytes, the file's size, and the first and last 64 KiB of the weights.
    """
    digest = hashlib.sha256(header.file_size.to_bytes(8, "little"))
    with open_file(path) as file:
        _add(digest, file, header.data_offset)
        digest.update(file.read(_SAMPLE))
        file.seek(max(header.data_offset, header.file_size - _SAMPLE))
        digest.update(file.read(_SAMPLE))
    return digest.hexdigest()[:_DIGITS]


def vocabulary_fingerprint(path: Path, header: GgufHeader) -> str:
    """16 hexadecimal digits over the token texts and types, so that models of one family share them. Empty without a
    vocabulary.

    ``header`` must have been read without ``arrays``.
    """
    digest = hashlib.sha256()
    found = False
    with open_file(path) as file:
        for key in ("tokenizer.ggml.tokens", "tokenizer.ggml.token_type"):
            array = header.metadata.get(key)
            if isinstance(array, ArraySummary):
                found = True
                file.seek(array.start)
                _add(digest, file, array.end - array.start)
    return digest.hexdigest()[:_DIGITS] if found else ""


def _add(digest: hashlib._Hash, file: BinaryIO, nbytes: int) -> None:
    """The next ``nbytes`` of ``file``, or what there is of them."""
    while nbytes > 0 and (content := file.read(min(nbytes, _SAMPLE))):
        digest.update(content)
        nbytes -= len(content)
