"""Sampling, dials and marks as JSON and back, checked: what is not as it should be is a ValueError, never a guess."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any, cast

from localsteer.chat.conversation import ReadAs
from localsteer.engine.protocol import SCOPES, Course, DialMark, DialSetting, Sampling, Scope

_SAMPLING_FIELDS = {field.name for field in fields(Sampling)}
_FRACTIONS = ("temperature", "top_p", "min_p", "repeat_penalty")
_LARGEST = 2**63
_MOST_THREADS = 1024


def to_json(value: object) -> str:
    """One line of ASCII, so that even half a surrogate pair in a file's name survives."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def marks_document(marks: Sequence[DialMark]) -> list[dict[str, Any]]:
    """Dial marks as what JSON can hold."""
    return [asdict(mark) for mark in marks]


def marks_from(document: object) -> tuple[DialMark, ...]:
    """The reverse of :func:`marks_document`. Raises ValueError."""
    return tuple(
        DialMark(start=whole_number(mark["start"]), dials=dials_from(mark["dials"]))
        for mark in (_object(one) for one in _list(document))
        if _has(mark, "start", "dials")
    )


def dials_from(document: object) -> tuple[DialSetting, ...]:
    """Dials from a JSON list. Raises ValueError."""
    return tuple(_dial(_object(one)) for one in _list(document))


def sampling_from(document: object) -> Sampling:
    """Sampling from a JSON object; unknown names are passed over. Raises ValueError."""
    values = {name: value for name, value in _object(document).items() if name in _SAMPLING_FIELDS}
    for name, value in values.items():
        if name in _FRACTIONS:
            values[name] = number(value)
        elif value is not None or name == "top_k":
            values[name] = whole_number(value)
    return Sampling(**values)


def read_as_document(read_as: ReadAs | None) -> dict[str, Any] | None:
    """As what JSON can hold."""
    return None if read_as is None else asdict(read_as)


def read_as_from(document: object) -> ReadAs | None:
    """The reverse of :func:`read_as_document`. Raises ValueError."""
    if document is None:
        return None
    found = _object(document)
    _has(found, "replies", "dials")
    return ReadAs(whole_number(found["replies"]), dials_from(found["dials"]))


def course_document(course: Course | None) -> dict[str, Any] | None:
    """As what JSON can hold."""
    return None if course is None else asdict(course)


def course_from(document: object) -> Course | None:
    """The reverse of :func:`course_document`. Raises ValueError."""
    if document is None:
        return None
    found = _object(document)
    _has(found, *(field.name for field in fields(Course)))
    sides, side = tuple(dials_from(dials) for dials in _list(found["sides"])), whole_number(found["side"])
    if not 0 <= side < max(1, len(sides)):
        raise ValueError("there is no such side")
    return Course(
        cuts=tuple(_cut(_list(cut)) for cut in _list(found["cuts"])),
        n_threads=_threads(found["n_threads"]),
        dropped=whole_number(found["dropped"]),
        prefix=_text(found["prefix"]),
        afresh=found["afresh"] is True,
        sides=sides,
        side=side,
    )


def _threads(value: object) -> int:
    """As many as llama.cpp takes; it ends its process for what it cannot have."""
    if not 0 <= (number := whole_number(value)) <= _MOST_THREADS:
        raise ValueError("there is no such number of threads")
    return number


def _cut(numbers: list[Any]) -> tuple[int, int, int]:
    if len(numbers) != 3:
        raise ValueError("three numbers are expected")
    return _shared(*map(whole_number, numbers))


@lru_cache(maxsize=1024)
def _shared(kept: int, length: int, times: int) -> tuple[int, int, int]:
    """One object for cuts that are equal: many are, and a reply has dozens."""
    return kept, length, times


def places_from(document: object) -> tuple[int, ...]:
    """Characters of a text from a JSON list, none for None. Raises ValueError."""
    return () if document is None else tuple(whole_number(one) for one in _list(document))


def number(value: object) -> float:
    """A finite number. Raises ValueError."""
    try:
        if not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    except OverflowError:  # a whole number of a thousand digits
        pass
    raise ValueError("a number is expected")


def whole_number(value: object) -> int:
    """A whole number that the database can hold. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or not -_LARGEST <= value < _LARGEST:
        raise ValueError("a whole number is expected")
    return value


def _dial(found: dict[str, Any]) -> DialSetting:
    _has(found, "name", "vector_path", "strength")
    layers, scope = found.get("layers"), found.get("scope", "reply")
    if scope not in SCOPES:
        raise ValueError(f"a scope is expected ({', '.join(SCOPES)})")
    return DialSetting(
        name=_text(found["name"]),
        vector_path=_text(found["vector_path"]),
        strength=number(found["strength"]),
        layers=None if layers is None else tuple(whole_number(layer) for layer in _list(layers)),
        scope=cast("Scope", scope),
    )


def _has(found: dict[str, Any], *names: str) -> bool:
    for name in names:
        if name not in found:
            raise ValueError(f'"{name}" is missing')
    return True


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("an object is expected")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError("a list is expected")
    return list(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is expected")
    return value
