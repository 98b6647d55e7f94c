"""What a model's chat template writes around messages.

A template is a Jinja program that gets the messages and prints text. To know which of that text is the template's and
which is a message's, it is run over placeholders instead of the messages: what a person typed never passes through
Jinja, and never meets the tokeniser as anything but text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from localsteer.errors import ModelError

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
_PLACEHOLDER = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


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
        source = model.metadata.get("tokenizer.chat_template")
        self.source = source if isinstance(source, str) and source else PLAIN_TEMPLATE
        try:
            self._formatter = Jinja2ChatFormatter(
                self.source,
                bos_token=model.token_text(model.begin_token),
                eos_token=model.token_text(model.end_token),
            )
        except Exception as error:
            raise ModelError(f"The chat template of {model.name} cannot be read: {error}.") from error
        self.frame = lru_cache(maxsize=512)(self._frame)
        """Frame of a tuple of roles, ``open_reply``: with the beginning of a reply at the end. Raises
        TemplateRefusal.
        """

    def _frame(self, roles: tuple[str, ...], open_reply: bool) -> Frame:
        bare = self._print(roles, open_reply, "")
        padded = self._print(roles, open_reply, " ")
        order = tuple(int(number) for number in _PLACEHOLDER.findall(bare))
        if set(order) != set(range(len(roles))):
            missing = sorted(set(range(len(roles))) - set(order))
            raise TemplateRefusal(f"it leaves out the {roles[missing[0]]} message" if missing else "it is confused")
        texts, spaced = _PLACEHOLDER.split(bare)[::2], _PLACEHOLDER.split(padded)[::2]
        if len(texts) != len(spaced):
            return Frame(tuple(texts), order, ((False, False),) * len(order))
        left = [not after.endswith(before + " ") for before, after in zip(texts[:-1], spaced[:-1], strict=True)]
        right = [not after.startswith(" " + before) for before, after in zip(texts[1:], spaced[1:], strict=True)]
        return Frame(tuple(texts), order, tuple(zip(left, right, strict=True)))

    def _print(self, roles: tuple[str, ...], open_reply: bool, padding: str) -> str:
        messages = [
            {"role": role, "content": f"{padding}{_OPEN}{number}{_CLOSE}{padding}"} for number, role in enumerate(roles)
        ]
        self._formatter.add_generation_prompt = open_reply
        try:
            return self._run(messages)
        except Exception as error:
            # Templates raise what they like; all of it means that they do not take these messages. Some only expect a
            # list of tools, though an empty one.
            try:
                return self._run(messages, tools=[], functions="")
            except Exception:
                raise TemplateRefusal(str(error)) from error

    def _run(self, messages: list[dict[str, str]], **tools: object) -> str:
        return str(self._formatter(messages=messages, **tools).prompt)  # type: ignore[arg-type, unused-ignore]
