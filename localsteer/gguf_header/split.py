"""Models in several files: ``NAME-00001-of-00003.gguf`` and so on, as llama.cpp's ``gguf-split`` names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeVar

from localsteer.errors import ModelError
from localsteer.file_reading import is_file

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})", re.S)
_MOST_PARTS = 999

AnyPath = TypeVar("AnyPath", bound=PurePath)


@dataclass(frozen=True, slots=True)
class Part:
    """What a file's name says: part ``number`` of ``count``, counted from 1, of the model called ``stem``."""

    stem: str
    number: int
    count: int


def part_named(name: str) -> Part | None:
    """The part that a file's name (or its stem) speaks of; None for a model in one file."""
    found = _PART.fullmatch(re.sub(r"\.gguf$", "", name, flags=re.I))
    if found is None:
        return None
    part = Part(found["stem"], int(found["number"]), int(found["count"]))
    return part if 1 <= part.number <= part.count <= _MOST_PARTS and part.count > 1 else None


def parts_of(path: AnyPath) -> tuple[AnyPath, ...]:
    """Every part of the model that ``path`` is a part of, whether it is there or not; ``path`` alone if it is whole."""
    part = part_named(path.name)
    if part is None:
        return (path,)
    return tuple(
        path.with_name(f"{part.stem}-{number:05}-of-{part.count:05}{path.suffix}")
        for number in range(1, part.count + 1)
    )


def size_of_parts(path: Path) -> int:
    """Bytes of all parts that are there; 0 where none can be read."""
    return sum(_size(part) for part in parts_of(path))


def check_parts(path: Path) -> None:
    """Raise ModelError that names the first part that is missing."""
    parts = parts_of(path)
    for number, part in enumerate(parts, 1):
        if not is_file(part):
            raise ModelError(
                f"Part {number} of {len(parts)} of the model is missing: there is no file {part}. "
                "Get it and put it beside the others."
            )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
