"""Our own JSON for one conversation: every branch, record and token, so that reading it gives back what was written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar, cast, get_args

from localsteer import __version__
from localsteer.chat.conversation import IMPORTED, ReplyRecord, TitledBy
from localsteer.chat.record_json import (
    course_document,
    course_from,
    marks_document,
    marks_from,
    number,
    places_from,
    read_as_document,
    read_as_from,
    sampling_from,
    whole_number,
)
from localsteer.chat.tree import ConversationTree, TreeMessage
from localsteer.engine.protocol import FinishReason
from localsteer.errors import StorageError, quoted
from localsteer.messages import Role
from localsteer.visible import json_escaped

FORMAT = "localsteer conversation"
VERSION = 1

Value = TypeVar("Value")


def as_own_json(tree: ConversationTree) -> str:
    """The conversation as one JSON document, a line for each message."""
    head: dict[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "written_with": __version__,
        "title": tree.title,
        "titled_by": tree.titled_by,
        "system_prompt": tree.system_prompt,
        "created": tree.created,
        "updated": tree.updated,
        "pinned": tree.pinned,
        "archived": tree.archived,
        "leaf": tree.leaf,
    }
    lines = [f"  {_json(key)}: {_json(value)}," for key, value in head.items()]
    messages = ",\n".join(f"    {_json(_message_document(message))}" for message in tree.messages)
    return "\n".join(["{", *lines, '  "messages": [', *([messages] if messages else []), "  ]", "}"]) + "\n"


def is_own_json(document: object) -> bool:
    """Whether a document says that it is ours, of whatever version."""
    return isinstance(document, dict) and document.get("format") == FORMAT


def tree_from_own_json(document: Mapping[str, Any]) -> ConversationTree:
    """The reverse of :func:`as_own_json`. Raises StorageError that says what is wrong and where."""
    version = document.get("version")
    if version != VERSION:
        raise StorageError(
            f"it is of version {quoted(version)} and this localsteer reads version {VERSION}; "
            "install the one that wrote it."
        )
    fields = _Fields(document, "")
    found = fields.get("messages", _list)
    messages: list[TreeMessage] = []
    for place, one in enumerate(found):
        messages.append(_message(_Fields(one, f"messages[{place}]"), place))
    leaf = fields.get("leaf", _or_none(whole_number))
    if leaf is not None and not 0 <= leaf < len(messages):
        raise StorageError(f'"leaf" names message {leaf}, and there are {len(messages)}.')
    return ConversationTree(
        title=fields.get("title", _text),
        titled_by=cast("TitledBy", fields.get("titled_by", _one_of(*get_args(TitledBy)))),
        system_prompt=fields.get("system_prompt", _text),
        created=fields.get("created", number),
        updated=fields.get("updated", number),
        pinned=fields.get("pinned", _truth),
        archived=fields.get("archived", _truth),
        messages=tuple(messages),
        leaf=leaf,
    )


def _message_document(message: TreeMessage) -> dict[str, object]:
    record = message.reply
    return {
        "parent": message.parent,
        "role": message.role,
        "content": message.content,
        "created": message.created,
        "reply": None if record is None else _record_document(record),
    }


def _record_document(record: ReplyRecord) -> dict[str, object]:
    plain = {name: getattr(record, name) for name in (*_TEXTS, *_WHOLE_NUMBERS, *_NUMBERS)}
    return plain | {
        "vocabulary": record.vocabulary.removeprefix(IMPORTED),
        "tokens": record.tokens,
        "seed": record.seed,
        "finish_reason": record.finish_reason,
        "sampling": asdict(record.sampling),
        "marks": marks_document(record.marks),
        "read_as": read_as_document(record.read_as),
        "mark_places": record.mark_places,
        "course": course_document(record.course),
    }


def _message(fields: _Fields, place: int) -> TreeMessage:
    parent = fields.get("parent", _or_none(whole_number))
    if parent is not None and not 0 <= parent < place:
        raise StorageError(f"{fields.where}.parent must be the number of an earlier message, not {parent}.")
    reply = fields.get("reply", lambda value: value)
    return TreeMessage(
        parent=parent,
        role=cast("Role", fields.get("role", _one_of(*get_args(Role)))),
        content=fields.get("content", _text),
        created=fields.get("created", number),
        reply=None if reply is None else _record(_Fields(reply, f"{fields.where}.reply")),
    )


_TEXTS = ("model_name", "model_path", "model_id", "vocabulary", "system_prompt", "written_with")
_WHOLE_NUMBERS = ("prompt_tokens_evaluated", "prompt_tokens_reused", "context_size")
_NUMBERS = ("tokens_per_second", "seconds_to_first", "seconds")


def _record(fields: _Fields) -> ReplyRecord:
    values: dict[str, Any] = {name: fields.get(name, _text) for name in _TEXTS}
    values |= {name: fields.get(name, whole_number) for name in _WHOLE_NUMBERS}
    values |= {name: fields.get(name, _or_none(number)) for name in _NUMBERS[1:]}
    return ReplyRecord(
        **values,
        tokens_per_second=fields.get("tokens_per_second", number),
        tokens=fields.get("tokens", _tokens),
        seed=fields.get("seed", _or_none(whole_number)),
        finish_reason=cast(
            "FinishReason | None", fields.get("finish_reason", _or_none(_one_of(*get_args(FinishReason))))
        ),
        sampling=fields.get("sampling", sampling_from),
        marks=fields.get("marks", marks_from),
        read_as=fields.get("read_as", read_as_from),
        mark_places=fields.get("mark_places", places_from, None),
        course=fields.get("course", course_from, None),
    )


class _Fields:
    """An object of the document, and where it stands."""

    def __init__(self, found: object, where: str) -> None:
        if not isinstance(found, Mapping):
            raise StorageError(f"{where} must be an object.")
        self._found = found
        self.where = where

    def get(self, name: str, read: Callable[[Any], Value], *default: object) -> Value:
        """A value, checked. Raises StorageError that names its place. ``default``: what is read where there is none."""
        place = f"{self.where}.{name}" if self.where else name
        if name not in self._found and default:
            return read(default[0])
        if name not in self._found:
            raise StorageError(f"{place} is missing.")
        try:
            return read(self._found[name])
        except ValueError as error:
            raise StorageError(f"{place}: {error}.") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is expected")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("a list is expected")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


def _tokens(value: object) -> tuple[int, ...]:
    found = tuple(whole_number(token) for token in _list(value))
    if any(not 0 <= token < 2**31 for token in found):
        raise ValueError("token ids are expected")
    return found


def _one_of(*known: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"one of {', '.join(known)} is expected")
        return value

    return read


def _or_none(read: Callable[[Any], Value]) -> Callable[[Any], Value | None]:
    return lambda value: None if value is None else read(value)


def _json(value: object) -> str:
    # Somebody will look at the file in a terminal.
    return json_escaped(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))
