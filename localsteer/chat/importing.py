"""Conversations from files: our own JSON, and lists of messages as OpenAI's interface takes them."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any, cast

from localsteer.chat.conversation import IMPORTED, title_from
from localsteer.chat.own_json import is_own_json, tree_from_own_json
from localsteer.chat.tree import ConversationTree, TreeMessage
from localsteer.errors import StorageError
from localsteer.file_reading import read_file
from localsteer.messages import Role

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",  # its newer name
    "user": "user",
    "assistant": "assistant",
}
_MOST_BYTES = 500_000_000
_ELSEWHERE = re.compile(r"[\\/]{2}(?![?.][\\/][A-Za-z]:)")
_LEFT_OUT = frozenset({"tool", "function"})
_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})


@dataclass(frozen=True, slots=True)
class Imported:
    """What is in a file. ``notes``: a sentence each about what of it has no place here."""

    tree: ConversationTree
    notes: tuple[str, ...] = ()


def read_conversation_file(path: Path) -> Imported:
    """As :func:`read_conversation`, from a file. Raises StorageError."""
    try:
        content = read_file(path, _MOST_BYTES)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    return read_conversation(content, str(path))


def read_conversation(content: bytes, name: str) -> Imported:
    """The conversation in a file, which ``name`` stands for in messages; nothing is stored yet.

    Raises StorageError that says what is wrong with the file, and where.
    """
    try:
        document = json.loads(content.decode("utf-8-sig"), parse_constant=_no_number, object_hook=_not_elsewhere)
    except UnicodeDecodeError as error:
        raise StorageError(f"{name} is not UTF-8 text; save it as UTF-8 and try again.") from error
    except json.JSONDecodeError as error:
        raise StorageError(
            f"{name} is not JSON: {error.msg.lower()} in line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise StorageError(f"{name} is nested too deeply to be a conversation.") from error
    except ValueError as error:
        raise StorageError(f"{name} is not JSON: {error}.") from error
    try:
        if is_own_json(document):
            return Imported(as_imported(tree_from_own_json(document)))
        return _from_messages(document)
    except StorageError as error:
        raise StorageError(f"{name} cannot be imported: {error}") from error


def as_imported(tree: ConversationTree) -> ConversationTree:
    """With what a stranger may have put there marked as that."""
    return replace(tree, messages=tuple(map(_marked, tree.messages)))


def _marked(message: TreeMessage) -> TreeMessage:
    record = message.reply
    if record is None:
        return message
    return replace(message, reply=replace(record, vocabulary=IMPORTED + record.vocabulary.removeprefix(IMPORTED)))


def _not_elsewhere(found: dict[str, Any]) -> dict[str, Any]:
    """A vector of another computer is asked for by nobody: Windows would go there and say who one is."""
    path = found.get("vector_path")
    if isinstance(path, str) and _ELSEWHERE.match(path):
        found["vector_path"] = PureWindowsPath(path).name
    return found


def _from_messages(document: object) -> Imported:
    title = ""
    if isinstance(document, Mapping):
        if not isinstance(document.get("messages"), list):
            raise StorageError('it is neither a conversation of localsteer nor an object with a list of "messages".')
        title = document["title"] if isinstance(document.get("title"), str) else ""
        document = document["messages"]
    if not isinstance(document, list):
        raise StorageError('it holds neither an object with "messages" nor a list of messages.')
    left_out: Counter[str] = Counter()
    said: list[tuple[Role, str]] = []
    for place, message in enumerate(document):
        one = _message(message, f"messages[{place}]", left_out)
        if one is not None:
            said.append(one)
    system_prompt = ""
    if said and said[0][0] == "system":
        system_prompt = said.pop(0)[1]
    if not said:
        raise StorageError("it has no messages of a user or an assistant.")
    now = time.time()
    first = next((content for role, content in said if role == "user"), said[0][1])
    tree = ConversationTree(
        title=title_from(title or first),
        titled_by="hand" if title else "words",
        system_prompt=system_prompt,
        created=now,
        updated=now,
        messages=tuple(
            TreeMessage(place - 1 if place else None, role, content, now) for place, (role, content) in enumerate(said)
        ),
        leaf=len(said) - 1,
    )
    return Imported(tree, _notes(left_out))


def _message(message: Any, where: str, left_out: Counter[str]) -> tuple[Role, str] | None:
    if not isinstance(message, Mapping):
        raise StorageError(f'{where} must be an object with "role" and "content".')
    role = message.get("role")
    if isinstance(role, str) and role in _LEFT_OUT:
        left_out[f"of the role {role}"] += 1
        return None
    if not isinstance(role, str) or role not in _ROLES:
        known = ", ".join(sorted({*_ROLES, *_LEFT_OUT}))
        raise StorageError(f"{where}.role is {json.dumps(role)[:40]}; known are {known}.")
    content = message.get("content")
    if content is None and (message.get("tool_calls") or message.get("function_call")):
        left_out["that only call a tool"] += 1
        return None
    return _ROLES[role], _content(content, where, left_out)


def _content(content: object, where: str, left_out: Counter[str]) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise StorageError(f"{where}.content must be a text or a list of text parts.")
    texts: list[str] = []
    for place, part in enumerate(content):
        kind = part.get("type") if isinstance(part, Mapping) else None
        if not isinstance(kind, str):
            raise StorageError(f'{where}.content[{place}] must be an object with a "type".')
        if kind not in _TEXT_PARTS:
            left_out[f"of the type {kind[:30]}"] += 1
            continue
        if not isinstance(part.get("text"), str):
            raise StorageError(f"{where}.content[{place}].text must be a text.")
        texts.append(cast("str", part["text"]))
    return "\n\n".join(texts)


def _notes(left_out: Counter[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    kinds: Sequence[str] = [f"{count} {kind}" for kind, count in sorted(left_out.items())]
    return (f"Left out, because only texts can be kept here: {', '.join(kinds)}.",)


def _no_number(written: str) -> None:
    raise ValueError(f"{written} is no number there")
