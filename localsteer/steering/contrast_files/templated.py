"""Prompts that somebody has put into a chat template already, taken apart into messages again.

So each model gets them in its own template, and none as broken text in another model's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from localsteer.messages import Message, Role

_BEGINS = ("<|begin_of_text|>", "<s>", "<bos>", "<|startoftext|>")
_LLAMA_3 = re.compile(
    r"<\|start_header_id\|>(system|user|assistant)<\|end_header_id\|>(?:\n\n|\Z)(.*?)(?:<\|eot_id\|>|\Z)", re.S
)
_CHATML = re.compile(r"<\|im_start\|>(system|user|assistant)(?:\n|\Z)(.*?)(?:<\|im_end\|>\n?|\Z)", re.S)
_GEMMA = re.compile(r"<start_of_turn>(user|model)(?:\n|\Z)(.*?)(?:<end_of_turn>\n?|\Z)", re.S)
_INST = re.compile(r"\[INST\] ?(?:<<SYS>>\n(.*?)\n<</SYS>>\n\n)?(.*?) ?\[/INST\] ?(.*?)(?:</s>(?:<s>)?|\Z)", re.S)
_ROLES: dict[str, Role] = {"system": "system", "user": "user", "assistant": "assistant", "model": "assistant"}


def messages_of(text: str) -> tuple[Message, ...] | None:
    """The chat that ``text`` is in the template of Llama 3, ChatML, Gemma or Llama 2; None if it is in none of them.

    An open assistant header at the end is no message: every model's template adds its own.
    """
    body = text.strip()
    for begin in _BEGINS:
        body = body.removeprefix(begin).lstrip()
    for form in (_LLAMA_3, _CHATML, _GEMMA):
        if (turns := _all_of(form, body)) is not None:
            return _written(turns)
    if (turns := _all_of(_INST, body)) is not None:
        return _written(
            (role, content)
            for system, user, reply in turns
            for role, content in (("system", system), ("user", user), ("assistant", reply))
        )
    return None


def _all_of(form: re.Pattern[str], text: str) -> list[tuple[str, ...]] | None:
    """The groups of every match, if the matches are all there is."""
    found, place = [], 0
    while place < len(text):
        match = form.match(text, place)
        if match is None or match.end() == place:
            return None
        found.append(tuple(group or "" for group in match.groups()))
        place = match.end()
    return found or None


def _written(turns: Iterable[tuple[str, ...]]) -> tuple[Message, ...] | None:
    messages = tuple(Message(_ROLES[role], content) for role, content in turns if content.strip())
    return messages or None
