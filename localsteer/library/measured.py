"""What a sweep measured of a vector, kept beside the vector for as long as that stays the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localsteer.errors import StorageError
from localsteer.file_reading import read_file
from localsteer.library.files import file_digest, write_private
from localsteer.plots.curve import Curve

_MOST_BYTES = 200_000_000
_ENDING = ".sweep.json"
_DIGEST = "vector_digest"


def measured_path(vector: Path) -> Path:
    """Where the last sweep of the vector file ``vector`` is kept."""
    return vector.with_suffix(_ENDING)


def keep_sweep(vector: Path, document: Mapping[str, Any]) -> None:
    """Keep the document of ``sweep --json`` beside the vector file that it speaks of. Raises StorageError."""
    content = json.dumps({**document, _DIGEST: file_digest(vector)}, ensure_ascii=True)
    write_private(measured_path(vector), content.encode())


def kept_sweep(vector: Path) -> Curve | None:
    """The sweep that was kept for the vector file ``vector``; None where there is none, or the vector was made again
    since.
    """
    try:
        document = _document(measured_path(vector))
        if document.get(_DIGEST) != file_digest(vector):
            return None
    except (StorageError, OSError, ValueError, RecursionError):
        return None
    return Curve.read(document)


def read_sweep(path: Path) -> Curve:
    """What ``sweep --json`` printed, from a file. Raises StorageError with one sentence for anything else."""
    try:
        document = _document(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    except (ValueError, RecursionError):
        document = {}
    curve = Curve.read(document)
    if not curve.windows:
        raise StorageError(f"{path} holds no sweep; write one with `localsteer sweep NAME --json > {path.name}`.")
    return curve


def _document(path: Path) -> dict[str, Any]:
    document = json.loads(read_file(path, _MOST_BYTES))
    return document if isinstance(document, dict) else {}
