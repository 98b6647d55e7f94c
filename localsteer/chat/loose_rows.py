"""Rows of conversations straight from the pages of an SQLite file: where the schema or the upper pages of a table are
destroyed, SQLite finds the way to none of them, however whole they are.

Names of sections are those of the file format, https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import mmap
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path

from localsteer.chat.records import decode
from localsteer.chat.schema import STEPS

PAGE = 4096
_LEAF_OF_A_TABLE = 13
_MOST_HERE = PAGE - 35
_LEAST_HERE = (PAGE - 12) * 32 // 255 - 23
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_CONSTANTS = {0: None, 8: 0, 9: 1}
_KINDS: dict[str, type | tuple[type, ...]] = {"INTEGER": int, "REAL": (int, float), "TEXT": str, "BLOB": bytes}

Row = dict[str, object]
Value = int | float | str | bytes | None


def loose_rows(path: Path) -> Iterator[tuple[str, Row]]:
    """Each row that lies whole in the file at ``path``, with the table that it must be of by its shape.

    What a page that is in use no more still holds is among them, so that a row may come twice, as it is and as it was.
    """
    if path.stat().st_size < PAGE:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for begin in range(0, len(content) - PAGE + 1, PAGE):
            for id, values in _rows_of_page(content, begin):
                for table, shape in _shapes().items():
                    if shape.fits(values):
                        yield table, {**dict(zip(shape.columns, values, strict=False)), shape.columns[0]: id}


# ---------------------------------------------------------------- 1.6 B-tree pages, 2.1 record format


def _rows_of_page(content: mmap.mmap, begin: int) -> Iterator[tuple[int, list[Value]]]:
    """Id and values of the rows on the page at ``begin``, where it is the leaf of a table."""
    head = begin + (100 if begin == 0 else 0)
    if content[head] != _LEAF_OF_A_TABLE:
        return
    (cells,) = struct.unpack_from(">H", content, head + 3)
    for cell in range(min(cells, PAGE // 4)):
        # On a damaged page anything may stand in a number's place.
        with suppress(ValueError, IndexError, struct.error):
            (at,) = struct.unpack_from(">H", content, head + 8 + 2 * cell)
            size, at = _varint(content, begin + at)
            id, at = _varint(content, at)
            yield id, _values(_payload(content, at, size))


def _payload(content: mmap.mmap, at: int, size: int) -> bytes:
    """What a row holds: on its own page, and what does not fit there on pages that lead to each other."""
    if size > len(content):
        raise ValueError
    here = size
    if size > _MOST_HERE:
        here = _LEAST_HERE + (size - _LEAST_HERE) % (PAGE - 4)
        here = here if here <= _MOST_HERE else _LEAST_HERE
    parts, at, left = [content[at : at + here]], at + here, size - here
    while left > 0:
        (page,) = struct.unpack_from(">I", content, at)
        at = (page - 1) * PAGE
        if page < 1:
            raise ValueError
        parts.append(content[at + 4 : at + 4 + min(left, PAGE - 4)])
        left -= PAGE - 4
    payload = b"".join(parts)
    if len(payload) != size:
        raise ValueError
    return payload


def _values(payload: bytes) -> list[Value]:
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    return values


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind in _INTEGER_BYTES:
        end = at + _INTEGER_BYTES[kind]
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind == 7:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    if kind >= 12:
        end = at + (kind - 12) // 2
        if end > len(payload):
            raise ValueError
        return decode(payload[at:end]) if kind % 2 else payload[at:end], end
    if kind not in _CONSTANTS:
        raise ValueError
    return _CONSTANTS[kind], at


def _varint(data: bytes | mmap.mmap, at: int) -> tuple[int, int]:
    number = 0
    for place in range(9):
        byte = data[at + place]
        if place == 8:
            return number << 8 | byte, at + 9
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at + place + 1
    raise AssertionError


# ---------------------------------------------------------------- whose row it is


class _Shape:
    """What the rows of a table look like, whichever version of localsteer wrote them."""

    def __init__(self, columns: tuple[str, ...], kinds: tuple[str, ...], needed: tuple[bool, ...], fewest: int) -> None:
        self.columns = columns
        self._kinds, self._needed, self._fewest = kinds, needed, fewest

    def fits(self, values: list[Value]) -> bool:
        # The first column is the id, which is kept beside the row and not in it.
        if not self._fewest <= len(values) <= len(self.columns) or values[0] is not None:
            return False
        return all(
            not needed if value is None else isinstance(value, _KINDS[kind])
            for value, kind, needed in list(zip(values, self._kinds, self._needed, strict=False))[1:]
        )


@lru_cache(maxsize=1)
def _shapes() -> dict[str, _Shape]:
    """By table. A row that was written before a column was added is shorter by it."""
    shapes: dict[str, _Shape] = {}
    fewest: dict[str, int] = {}
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in STEPS:
            connection.executescript(step)
            for table in ("conversations", "messages", "replies", "deletions"):
                found = list(connection.execute(f"PRAGMA table_info({table})"))
                if found:
                    _, names, kinds, needed, *_ = zip(*found, strict=True)
                    count = fewest.setdefault(table, len(found))
                    shapes[table] = _Shape(names, kinds, tuple(map(bool, needed)), count)
    return shapes
