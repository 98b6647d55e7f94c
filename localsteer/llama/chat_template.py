"""From a conversation to tokens, in pieces that know whether they belong to a prompt or to a reply.

Each piece can then be evaluated under a steering of its own. A reply's header (what the template's generation prompt
adds) belongs to the reply, so that its first token is steered too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from localsteer.errors import ModelError, PromptError
from localsteer.llama.template_text import ChatTemplate, TemplateRefusal
from localsteer.llama.template_tokens import TemplateCuts, TemplateTokeniser
from localsteer.messages import Message

if TYPE_CHECKING:
    from localsteer.llama.model import Model

_STOP_TEXTS = ("\n\nUser:", "\nUser:", "\n\nAssistant:", "\nAssistant:")
_LONGEST_CHARACTER = 4
_MOST_KNOWN = 1000
_EVERY_ROLE = (("system", "user", "assistant", "user"), ("user", "assistant", "user"))
_templates: WeakKeyDictionary[Model, _Prepared] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens of a prompt (``reply`` None), or of the reply with that number: first ``header`` tokens of its header,
    then its own. ``front``: where in a prompt the text of its last user message begins; its end where there is none.
    """

    tokens: tuple[int, ...]
    reply: int | None
    header: int = 0
    front: int = 0


@dataclass(frozen=True, slots=True)
class _Prepared:
    template: ChatTemplate
    cuts: TemplateCuts
    known: dict[tuple[tuple[int, ...], str], bool] = field(default_factory=dict)
    """What :func:`are_of_reply` has said."""


def render(
    model: Model, messages: Sequence[Message], replies: Sequence[Sequence[int] | None] | None = None
) -> tuple[Piece, ...]:
    """The pieces of a conversation; the last one is the open reply: its header, and the beginning that is forced on
    it when ``messages`` end with an assistant message.

    ``replies``: for each earlier assistant message the tokens it was written as, used as they are, or None to
    tokenise its text. Assistant messages are numbered from 0; the open reply has the next number. A template without
    a header for replies (Mistral's) gives the last token before a reply to the reply.

    Raises ModelError if the template refuses the conversation, PromptError if there is none.
    """
    forced = messages[-1].content if messages and messages[-1].role == "assistant" else None
    closed = list(messages if forced is None else messages[:-1])
    prepared = _prepare(model)
    template = prepared.template
    known = list(replies or ())
    roles, contents = _accepted(model, template, closed)
    tokeniser = TemplateTokeniser(model, prepared.cuts)
    headers: list[bool] = []
    fronts: list[int] = []
    frame = template.frame(roles, True)
    number = 0
    for place, message in enumerate(frame.order):
        text = frame.texts[place]
        content = _trim(contents[message], frame.trimmed[place])
        if roles[message] != "assistant":
            tokeniser.template(text)
            if roles[message] == "user":
                fronts.append(tokeniser.n_borders)
                tokeniser.border()
            tokeniser.message(content)
            continue
        tokens = known[number] if number < len(known) else None
        text, begin = _header(template, roles[:message], text if tokens is None else None)
        tokeniser.template(text, begin)
        tokeniser.border()
        if tokens is None:
            tokeniser.message(content)
        else:
            tokeniser.given(tuple(tokens))
        tokeniser.border()
        headers.append(bool(text[begin:].strip()))
        number += 1
    text, begin = _header(template, roles, None if forced is None else _before_forced(template, roles))
    tokeniser.template(text, begin)
    tokeniser.border()
    tokeniser.message(forced or "")
    headers.append(bool(text[begin:].strip()))
    tokeniser.finish()
    return _pieces(tokeniser, headers, fronts)


def are_of_reply(model: Model, tokens: tuple[int, ...], content: str) -> bool:
    """Whether a reply that says ``content`` can have been written as ``tokens``; a record that comes from somebody else
    may say one thing and have the model read another: a mark of a turn, or words that nobody sees.

    The end of what the tokens say may be missing where the reply was broken off: what could still have become a stop
    text, or was no whole character yet. And the tokens may say less where a stop text began in the midst of one.
    """
    prepared = _prepare(model)
    found = prepared.known.get((tokens, content))
    if found is None:
        if len(prepared.known) >= _MOST_KNOWN:
            prepared.known.pop(next(iter(prepared.known)))
        found = prepared.known[tokens, content] = _are_of_reply(model, prepared.cuts, tokens, content)
    return found


def _are_of_reply(model: Model, cuts: TemplateCuts, tokens: tuple[int, ...], content: str) -> bool:
    if not all(0 <= token < model.n_vocab for token in tokens):
        return False
    if any(map(model.is_control, set(tokens))) or cuts.forged(model, tokens):
        return False
    # Records have no NUL, and a reply does not begin with the space that a vocabulary puts there.
    said, shown = (text.replace("\0", "\ufffd").lstrip(" ") for text in (model.text(tokens), content))
    held_back = max(map(len, stop_texts(model)), default=0) + _LONGEST_CHARACTER
    return shown.startswith(said) or (said.startswith(shown) and len(said) - len(shown) <= held_back)


def plain_text(model: Model, text: str) -> tuple[Piece, ...]:
    """A text that is continued without a template: all but its last token is the prompt. Raises PromptError if it is
    empty.
    """
    tokens = tuple(model.tokenize(text, start=True))
    if not tokens:
        raise PromptError("There is nothing to continue: the text is empty.")
    front = min(len(model.start_tokens), len(tokens) - 1)
    prompt = (Piece(tokens[:-1], None, front=front),) if len(tokens) > 1 else ()
    return (*prompt, Piece(tokens[-1:], 0))


def stop_texts(model: Model) -> tuple[str, ...]:
    """Texts that end a reply because the next turn would begin with them; none where a template has tokens for that."""
    return () if model.has_chat_template else _STOP_TEXTS


def _prepare(model: Model) -> _Prepared:
    prepared = _templates.get(model)
    if prepared is None:
        template, cuts = ChatTemplate(model), TemplateCuts()
        cuts.of(model, template.source)
        for roles in _EVERY_ROLE:
            # A template that puts its marks together, such as '<|' + role + '|>', does not spell them.
            with contextlib.suppress(TemplateRefusal):
                for text in template.frame(roles, True).texts:
                    cuts.of(model, text)
        prepared = _templates[model] = _Prepared(template, cuts)
    return prepared


def _accepted(
    model: Model, template: ChatTemplate, messages: Sequence[Message]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Roles and contents that the template takes: where it has no place for a system message, the next user message
    does.
    """
    roles, contents = tuple(m.role for m in messages), tuple(m.content for m in messages)
    try:
        template.frame(roles, True)
        return roles, contents
    except TemplateRefusal as refusal:
        reason = str(refusal)
    merged = _without_system(messages)
    roles, contents = tuple(m.role for m in merged), tuple(m.content for m in merged)
    try:
        template.frame(roles, True)
        return roles, contents
    except TemplateRefusal:
        raise ModelError(f"The chat template of {model.name} refuses this conversation: {reason}") from None


def _without_system(messages: Sequence[Message]) -> list[Message]:
    merged: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        if message.role == "system":
            waiting.append(message.content)
        elif message.role == "user" and waiting:
            merged.append(Message("user", "\n\n".join([*waiting, message.content])))
            waiting = []
        else:
            merged.append(message)
    return [*merged, Message("user", "\n\n".join(waiting))] if waiting else merged


def _header(template: ChatTemplate, roles: tuple[str, ...], text: str | None) -> tuple[str, int]:
    """What stands before a reply, and how many characters of it end the prompt; the rest is the reply's header.

    ``roles`` are those of the messages before it. ``text`` None: as it was when the reply was written, which is not
    always how the template writes it in a conversation that goes on.
    """
    try:
        closed, opened = template.ending(roles, False), template.ending(roles, True)
    except TemplateRefusal:
        return text or "", len(text or "")
    whole = opened if text is None else text
    return whole, _common(closed, whole)


def _common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _before_forced(template: ChatTemplate, roles: tuple[str, ...]) -> str | None:
    """What stands before a reply whose beginning is given: a template may want a space there that the model would
    write.
    """
    opened = template.ending(roles, True)
    try:
        written = template.frame((*roles, "assistant"), False).texts[-2]
    except TemplateRefusal:
        return None
    return written if written.startswith(opened) else None


def _trim(content: str, trimmed: tuple[bool, bool]) -> str:
    left, right = trimmed
    content = content.lstrip() if left else content
    return content.rstrip() if right else content


def _pieces(tokeniser: TemplateTokeniser, headers: Sequence[bool], fronts: Sequence[int]) -> tuple[Piece, ...]:
    """``fronts``: which of the borders are those before the text of a user message; the others come in threes."""
    tokens = tokeniser.tokens
    if not tokens:
        raise PromptError("There is nothing to answer: the conversation is empty.")
    begun = [tokeniser.borders[number] for number in fronts]
    borders = [border for number, border in enumerate(tokeniser.borders) if number not in set(fronts)]
    borders.append(len(tokens))
    pieces: list[Piece] = []
    at = 0
    for number, (begin, own, end) in enumerate(zip(borders[::3], borders[1::3], borders[2::3], strict=True)):
        if not headers[number] or begin == end:
            begin = max(at, min(begin, own) - 1)
        if begin > at:
            front = next((border for border in reversed(begun) if at <= border < begin), begin)
            pieces.append(Piece(tuple(tokens[at:begin]), None, front=front - at))
        pieces.append(Piece(tuple(tokens[begin:end]), number, own - begin))
        at = end
    return tuple(pieces)
