"""Rows of the database to values and back: marks and sampling as JSON, tokens as 32-bit integers.

A damaged value costs itself: it is read as far as possible, and the message says in one sentence what is wrong with it.
"""

from __future__ import annotations

import json
import math
import sqlite3
import struct
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache
from itertools import takewhile
from typing import Any, TypeVar, cast, get_args

from localsteer.chat.conversation import ReplyRecord, StoredMessage, TitledBy
from localsteer.chat.record_json import (
    course_document,
    course_from,
    marks_document,
    marks_from,
    places_from,
    read_as_document,
    read_as_from,
    sampling_from,
    to_json,
)
from localsteer.engine.protocol import DialMark, FinishReason, Sampling
from localsteer.messages import Role

REPLY_COLUMNS = (
    "model_name",
    "model_path",
    "model_id",
    "vocabulary",
    "system_prompt",
    "sampling",
    "seed",
    "tokens",
    "marks",
    "finish_reason",
    "prompt_tokens_evaluated",
    "prompt_tokens_reused",
    "tokens_per_second",
    "seconds_to_first",
    "seconds",
    "context_size",
    "written_with",
    "read_as",
    "mark_places",
    "course",
)

MESSAGE_COLUMNS = (
    "m.id, m.conversation_id, m.parent_id, m.role, m.content, m.created, r.message_id AS reply_id, "
    + ", ".join(f"r.{column}" for column in REPLY_COLUMNS)
)
"""For ``messages m LEFT JOIN replies r``."""

MISSING_BEFORE = "What was said before this message is missing."

_FINISH_REASONS = get_args(FinishReason)
_UNSTORABLE = {0: "\ufffd", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}

Value = TypeVar("Value")


class DamagedText(str):
    """A text that was no UTF-8 in the database, with a replacement character for each wrong byte."""

    __slots__ = ()


def decode(stored: bytes) -> str:
    """SQLite's text as Python's; never fails."""
    try:
        return stored.decode("utf-8")
    except UnicodeDecodeError:
        return DamagedText(stored.decode("utf-8", "replace"))


def storable(text: str) -> str:
    """A text that SQLite can keep: NUL and halves of surrogate pairs become replacement characters."""
    return text if text.isascii() and "\0" not in text else text.translate(_UNSTORABLE)


def pack_tokens(tokens: Sequence[int]) -> bytes:
    """Token ids as little-endian int32."""
    return struct.pack(f"<{len(tokens)}i", *tokens)


def unpack_tokens(blob: bytes) -> tuple[int, ...]:
    """The reverse of :func:`pack_tokens`; a cut-off last token is left out."""
    count = len(blob) // 4
    return struct.unpack(f"<{count}i", blob[: 4 * count])


@lru_cache(maxsize=128)
def marks_from_json(text: str) -> tuple[DialMark, ...]:
    """Dial marks of the column ``marks``; none where it is damaged."""
    return _Columns({"marks": text}).json("marks", marks_from, ())


def reply_values(record: ReplyRecord) -> tuple[object, ...]:
    """The values of :data:`REPLY_COLUMNS`, in their order."""
    return (
        storable(record.model_name),
        storable(record.model_path),
        storable(record.model_id),
        storable(record.vocabulary),
        storable(record.system_prompt),
        to_json(asdict(record.sampling)),
        record.seed,
        pack_tokens(record.tokens),
        to_json(marks_document(record.marks)),
        record.finish_reason,
        record.prompt_tokens_evaluated,
        record.prompt_tokens_reused,
        record.tokens_per_second,
        record.seconds_to_first,
        record.seconds,
        record.context_size,
        storable(record.written_with),
        None if record.read_as is None else to_json(read_as_document(record.read_as)),
        to_json(record.mark_places),
        None if record.course is None else to_json(course_document(record.course)),
    )


def conversation_row(row: sqlite3.Row) -> dict[str, Any]:
    """A row of ``conversations``, or a part of one, with sound values in the place of damaged ones."""
    columns, sound = _Columns(dict(row)), dict(row)
    for name in sound.keys() & {"title", "system_prompt"}:
        sound[name] = columns.text(name)
    for name in sound.keys() & {"created", "updated"}:
        sound[name] = columns.number(name)
    for name in sound.keys() & {"pinned", "archived"}:
        sound[name] = sound[name] not in {0, None}
    if "titled_by" in sound:
        sound["titled_by"] = columns.one_of("titled_by", get_args(TitledBy), "words")
    if "leaf_id" in sound:
        sound["leaf_id"] = sound["leaf_id"] if isinstance(sound["leaf_id"], int) else None
    return sound


def message_from(row: sqlite3.Row) -> StoredMessage:
    """A message from a row of :data:`MESSAGE_COLUMNS`, ``alternative``, ``alternatives`` and ``orphan``."""
    columns = _Columns(dict(row))
    role = columns.one_of("role", get_args(Role), "user")
    content = columns.text("content")
    created = columns.number("created")
    reply = None if row["reply_id"] is None else _reply_from(columns)
    return StoredMessage(
        id=row["id"],
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        role=cast("Role", role),
        content=content,
        created=created,
        reply=reply,
        alternative=max(row["alternative"], 1),
        alternatives=max(row["alternatives"], 1),
        damage=" ".join(filter(None, (columns.damage, MISSING_BEFORE if row["orphan"] else ""))),
        orphan=bool(row["orphan"]),
    )


def _reply_from(columns: _Columns) -> ReplyRecord:
    return ReplyRecord(
        model_name=columns.text("model_name"),
        model_path=columns.text("model_path"),
        model_id=columns.text("model_id"),
        vocabulary=columns.text("vocabulary"),
        system_prompt=columns.text("system_prompt"),
        sampling=columns.json("sampling", sampling_from, Sampling()),
        seed=columns.whole_or_none("seed"),
        tokens=columns.tokens("tokens"),
        marks=columns.json("marks", marks_from, ()),
        finish_reason=cast("FinishReason | None", columns.one_of("finish_reason", (None, *_FINISH_REASONS), None)),
        prompt_tokens_evaluated=columns.count("prompt_tokens_evaluated"),
        prompt_tokens_reused=columns.count("prompt_tokens_reused"),
        tokens_per_second=columns.number("tokens_per_second"),
        seconds_to_first=columns.number_or_none("seconds_to_first"),
        seconds=columns.number_or_none("seconds"),
        context_size=columns.count("context_size"),
        written_with=columns.text("written_with"),
        read_as=columns.json("read_as", read_as_from, None),
        mark_places=columns.json("mark_places", places_from, ()),
        course=columns.json("course", course_from, None),
    )


class _Columns:
    """A row that is read column by column, remembering which ones were damaged."""

    def __init__(self, row: dict[str, object]) -> None:
        self._row = row
        self._damaged: list[str] = []

    @property
    def damage(self) -> str:
        """One sentence, "" for none."""
        if not self._damaged:
            return ""
        spoken = ", ".join(name.replace("_", " ") for name in self._damaged)
        return f"Damaged in this record: {spoken}; the rest is shown."

    def text(self, name: str) -> str:
        value = self._row[name]
        if isinstance(value, DamagedText) or not isinstance(value, str):
            self._damaged.append(name)
            return decode(value) if isinstance(value, bytes) else "" if value is None else str(value)
        return value

    def number(self, name: str) -> float:
        value = self._row[name]
        if isinstance(value, int | float) and math.isfinite(value):
            return float(value)
        self._damaged.append(name)
        return 0.0

    def count(self, name: str) -> int:
        """A whole number from 0 that SQLite could have."""
        value = self.number(name)
        if not 0 <= value < 2**63:
            self._damaged.append(name)
            return 0
        return int(value)

    def number_or_none(self, name: str) -> float | None:
        return None if self._row[name] is None else self.number(name)

    def whole_or_none(self, name: str) -> int | None:
        value = self._row[name]
        if value is None or isinstance(value, int):
            return value
        self._damaged.append(name)
        return None

    def one_of(self, name: str, known: Sequence[str | None], default: str | None) -> str | None:
        value = self._row[name]
        if (value is None or isinstance(value, str)) and value in known:
            return value
        self._damaged.append(name)
        return default

    def tokens(self, name: str) -> tuple[int, ...]:
        value = self._row[name]
        tokens = unpack_tokens(value) if isinstance(value, bytes) else ()
        if not isinstance(value, bytes) or len(value) % 4 or any(token < 0 for token in tokens):
            self._damaged.append(name)
        # As far as they are tokens: there is none below 0.
        return tuple(takewhile(lambda token: token >= 0, tokens))

    def json(self, name: str, read: Callable[[object], Value], default: Value) -> Value:
        value = self._row[name]
        if value is None and default is None:
            return default
        try:
            if not isinstance(value, str) or isinstance(value, DamagedText):
                raise ValueError("no JSON")
            return read(json.loads(value))
        except (ValueError, RecursionError):
            self._damaged.append(name)
            return default
