"""The chosen path of a conversation as Markdown."""

from __future__ import annotations

import re

from localsteer.chat.conversation import Conversation
from localsteer.chat.foot import day_and_time, foot_of, speaker
from localsteer.visible import without_controls

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)")
_SPECIAL = re.compile(r"([\\`*_\[\]<>#&])")


def as_markdown(conversation: Conversation) -> str:
    """All messages of ``conversation``; what they say is Markdown already and stays as it is."""
    parts = [f"# {_escaped(conversation.title or 'Conversation')}", _escaped(day_and_time(conversation.created))]
    if conversation.system_prompt.strip():
        prompt = without_controls(conversation.system_prompt).strip()
        quoted = "\n".join(f"> {line}".rstrip() for line in prompt.split("\n"))
        parts += ["**System prompt**", quoted]
    for message in conversation.messages:
        parts += [f"## {_escaped(speaker(message))}", _closed(without_controls(message.content).strip("\n"))]
        if foot := foot_of(message):
            parts.append(f"*{_escaped(foot)}*")
    return "\n\n".join(part for part in parts if part) + "\n"


def _closed(text: str) -> str:
    """A code block that a reply left open would swallow everything after it."""
    open_fence = ""
    for line in text.split("\n"):
        found = _FENCE.fullmatch(line)
        if found is None:
            continue
        fence, rest = found.groups()
        if not open_fence:
            open_fence = "" if fence[0] == "`" and "`" in rest else fence
        elif fence[0] == open_fence[0] and len(fence) >= len(open_fence) and not rest.strip():
            open_fence = ""
    return f"{text}\n{open_fence}" if open_fence else text


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(without_controls(text).split()))
