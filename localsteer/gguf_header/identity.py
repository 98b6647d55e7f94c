"""Short names for "this very model" and "this very vocabulary"."""

from __future__ import annotations

import hashlib
from pathlib import Path

from localsteer.gguf_header.reader import ArraySummary, GgufHeader

_SAMPLE = 64 * 1024
_DIGITS = 16


def model_id(path: Path, header: GgufHeader) -> str:
    """16 hexadecimal digits that differ between model files, without reading all of them.

    SHA-256 over the header's bytes, the file's size, and the first and last 64 KiB of the weights.
    """
    digest = hashlib.sha256(header.file_size.to_bytes(8, "little"))
    with path.open("rb") as file:
        digest.update(file.read(header.data_offset))
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
    with path.open("rb") as file:
        for key in ("tokenizer.ggml.tokens", "tokenizer.ggml.token_type"):
            array = header.metadata.get(key)
            if isinstance(array, ArraySummary):
                found = True
                file.seek(array.start)
                digest.update(file.read(array.end - array.start))
    return digest.hexdigest()[:_DIGITS] if found else ""
