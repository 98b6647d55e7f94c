"""Rows of the database to values and back: marks and sampling as JSON, tokens as 32-bit integers."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, cast

from localsteer.chat.conversation import ReplyRecord, StoredMessage
from localsteer.engine.protocol import SCOPES, DialMark, DialSetting, FinishReason, Sampling, Scope
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
)

_SAMPLING_FIELDS = {field.name for field in fields(Sampling)}


def pack_tokens(tokens: Sequence[int]) -> bytes:
    """Token ids as little-endian int32."""
    return struct.pack(f"<{len(tokens)}i", *tokens)


def unpack_tokens(blob: bytes) -> tuple[int, ...]:
    """The reverse of :func:`pack_tokens`; a cut-off last token is left out."""
    count = len(blob) // 4
    return struct.unpack(f"<{count}i", blob[: 4 * count])


def marks_to_json(marks: Sequence[DialMark]) -> str:
    """Dial marks as a JSON list."""
    return json.dumps([asdict(mark) for mark in marks], ensure_ascii=False, separators=(",", ":"))


def marks_from_json(text: str) -> tuple[DialMark, ...]:
    """The reverse of :func:`marks_to_json`. A damaged record gives no marks: it costs itself and nothing else."""
    try:
        return tuple(
            DialMark(start=int(mark["start"]), dials=tuple(_dial(dial) for dial in mark["dials"]))
            for mark in json.loads(text)
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return ()


def _dial(found: dict[str, Any]) -> DialSetting:
    layers = found.get("layers")
    scope = found.get("scope", "reply")
    if scope not in SCOPES:
        raise ValueError(scope)
    return DialSetting(
        name=str(found["name"]),
        vector_path=str(found["vector_path"]),
        strength=float(found["strength"]),
        layers=None if layers is None else tuple(int(layer) for layer in layers),
        scope=cast("Scope", scope),
    )


def sampling_to_json(sampling: Sampling) -> str:
    """Sampling as a JSON object."""
    return json.dumps(asdict(sampling), separators=(",", ":"))


def sampling_from_json(text: str) -> Sampling:
    """The reverse of :func:`sampling_to_json`; what is unknown or damaged takes its default."""
    try:
        return Sampling(**{name: value for name, value in json.loads(text).items() if name in _SAMPLING_FIELDS})
    except (ValueError, TypeError, AttributeError):
        return Sampling()


def reply_values(record: ReplyRecord) -> tuple[object, ...]:
    """The values of :data:`REPLY_COLUMNS`, in their order."""
    return (
        record.model_name,
        record.model_path,
        record.model_id,
        record.vocabulary,
        record.system_prompt,
        sampling_to_json(record.sampling),
        record.seed,
        pack_tokens(record.tokens),
        marks_to_json(record.marks),
        record.finish_reason,
        record.prompt_tokens_evaluated,
        record.prompt_tokens_reused,
        record.tokens_per_second,
    )


def message_from(row: sqlite3.Row, alternative: int = 1, alternatives: int = 1) -> StoredMessage:
    """A message from a row of ``messages`` left-joined with ``replies``."""
    return StoredMessage(
        id=row["id"],
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        role=cast("Role", row["role"]),
        content=row["content"],
        created=row["created"],
        reply=None if row["model_name"] is None else _reply_from(row),
        alternative=alternative,
        alternatives=alternatives,
    )


def _reply_from(row: sqlite3.Row) -> ReplyRecord:
    return ReplyRecord(
        model_name=row["model_name"],
        model_path=row["model_path"],
        model_id=row["model_id"],
        vocabulary=row["vocabulary"],
        system_prompt=row["system_prompt"],
        sampling=sampling_from_json(row["sampling"]),
        seed=row["seed"],
        tokens=unpack_tokens(row["tokens"]),
        marks=marks_from_json(row["marks"]),
        finish_reason=cast("FinishReason | None", row["finish_reason"]),
        prompt_tokens_evaluated=row["prompt_tokens_evaluated"],
        prompt_tokens_reused=row["prompt_tokens_reused"],
        tokens_per_second=row["tokens_per_second"],
    )
