"""What a model's chat template writes around messages.

A template is a Jinja program that gets the messages and prints text. To know which of that text is the template's and
which is a message's, it is run over placeholders instead of the messages: what a person typed never passes through
Jinja, and never meets the tokeniser as anything but text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from localsteer.errors import ModelError
from localsteer.llama.template_sandbox import ChatFormatter, TemplateLimit

if TYPE_CHECKING:
    from localsteer.llama.model import Model

PLAIN_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] | trim + '\n\n' }}"
    "{% elif message['role'] == 'user' %}{{ 'User: ' + message['content'] | trim + '\n\n' }}"
    "{% else %}{{ 'Assistant: ' + message['content'] | trim + '\n\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
"""For models without a chat template of their own."""

# Private-use characters, so that no template has a reason to contain or to change them.
_OPEN, _CLOSE = "\ue000", "\ue001"
_LONGEST_REASON = 200
_FRAMES_REMEMBERED, _ENDINGS_REMEMBERED = 16, 4096
_ROLES = {role[0]: role for role in ("system", "user", "assistant")}
_TRIMMED = {(left, right): (left, right) for left in (False, True) for right in (False, True)}
"""One object each, for each of thousands of messages."""
_PLACEHOLDER = re.compile(f"{_OPEN}([0-9]{{1,9}}){_CLOSE}")


@dataclass(frozen=True, slots=True)
class Frame:
    """The template's text for a list of roles: ``texts[0]`` message ``order[0]`` ``texts[1]`` message ``order[1]`` …

    ``trimmed[i]`` says whether the template cuts white space off the left and off the right of message ``order[i]``.
    """

    texts: tuple[str, ...]
    order: tuple[int, ...]
    trimmed: tuple[tuple[bool, bool], ...]


class TemplateRefusal(ValueError):
    """The template does not take this list of roles; the message is the template's own."""


class ChatTemplate:
    """The chat template of one model, or the plain form where it has none. Remembers what it has rendered."""

    def __init__(self, model: Model) -> None:
        self._name = model.name
        self._limit: TemplateLimit | None = None
        source = model.metadata.get("tokenizer.chat_template")
        self.source = source if isinstance(source, str) and source else PLAIN_TEMPLATE
        try:
            self._formatter = ChatFormatter(
                self.source,
                bos_token=model.token_text(model.begin_token),
                eos_token=model.token_text(model.end_token),
            )
        except TemplateLimit as limit:
            raise self._unusable(limit) from None
        except Exception as error:
            raise ModelError(f"The chat template of {self._name} cannot be read: {spoken(error)}.") from error
        self.frame = lru_cache(maxsize=_FRAMES_REMEMBERED)(self._frame)
        """Frame of a tuple of roles, ``open_reply``: with the beginning of a reply at the end. Raises
        TemplateRefusal.
        """
        self._ending = lru_cache(maxsize=_ENDINGS_REMEMBERED)(self._ending_of)

    def ending(self, roles: tuple[str, ...], open_reply: bool) -> str:
        """The last text of that frame. A conversation needs one for each of its replies, so these are remembered by
        the initials of their roles, which are short. Raises TemplateRefusal.
        """
        return self._ending("".join([role[0] for role in roles]), open_reply)

    def _ending_of(self, initials: str, open_reply: bool) -> str:
        roles = tuple(_ROLES[initial] for initial in initials)
        return _PLACEHOLDER.split(self._checked(roles, open_reply))[-1]

    def _frame(self, roles: tuple[str, ...], open_reply: bool) -> Frame:
        bare = self._checked(roles, open_reply)
        padded = self._print(roles, open_reply, " ")
        order = tuple(int(number) for number in _PLACEHOLDER.findall(bare))
        texts, spaced = _PLACEHOLDER.split(bare)[::2], _PLACEHOLDER.split(padded)[::2]
        if len(texts) != len(spaced):
            return Frame(_shared(texts), order, ((False, False),) * len(order))
        left = [not after.endswith(before + " ") for before, after in zip(texts[:-1], spaced[:-1], strict=True)]
        right = [not after.startswith(" " + before) for before, after in zip(texts[1:], spaced[1:], strict=True)]
        return Frame(_shared(texts), order, tuple(_TRIMMED[one] for one in zip(left, right, strict=True)))

    def _checked(self, roles: tuple[str, ...], open_reply: bool) -> str:
        """What the template prints around placeholders, each of which is there."""
        bare = self._print(roles, open_reply, "")
        missing = set(range(len(roles))) ^ {int(number) for number in _PLACEHOLDER.findall(bare)}
        if missing:
            first = min(missing)
            raise TemplateRefusal(
                f"it leaves out the {roles[first]} message" if first < len(roles) else "it is confused"
            )
        return bare

    def _print(self, roles: tuple[str, ...], open_reply: bool, padding: str) -> str:
        messages = [
            {"role": role, "content": f"{padding}{_OPEN}{number}{_CLOSE}{padding}"} for number, role in enumerate(roles)
        ]
        if self._limit is not None:
            raise self._unusable(self._limit)
        try:
            return self._formatter(messages, open_reply=open_reply, tools=None, functions=None)
        except TemplateLimit as limit:
            self._limit = limit
            raise self._unusable(limit) from None
        except Exception as error:
            # Templates raise what they like; all of it means that they do not take these messages. Some only expect a
            # list of tools, though an empty one.
            try:
                return self._formatter(messages, open_reply=open_reply, tools=[], functions="")
            except TemplateLimit as limit:
                raise self._unusable(limit) from None
            except Exception:
                raise TemplateRefusal(spoken(error)) from error

    def _unusable(self, limit: TemplateLimit) -> ModelError:
        """Not the plain form instead: a model that was trained on another one answers badly, and nobody knows why."""
        return ModelError(
            f"The chat template of {self._name} {limit}, so it is not used; take another file of this model, or write "
            "to it without a template (`localsteer say --raw`)."
        )


def _shared(texts: Iterable[str]) -> tuple[str, ...]:
    """What a template writes between messages is nearly always the same: one object for equal texts."""
    found: dict[str, str] = {}
    return tuple(found.setdefault(text, text) for text in texts)


def spoken(error: Exception) -> str:
    """What an error says, as a part of a sentence: templates choose their own words."""
    said = "".join(one if one.isprintable() else " " for one in str(error)) or type(error).__name__
    said = " ".join(said.split()).rstrip(".")
    return said if len(said) <= _LONGEST_REASON else said[: _LONGEST_REASON - 1] + "…"
