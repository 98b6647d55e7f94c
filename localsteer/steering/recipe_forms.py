"""The forms in which a recipe may write its contrasts, and how each is expanded into pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, TypeAlias

from localsteer.errors import RecipeError
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, Position, Prompt

QUESTION = "{question}\n\n(A) {a}\n(B) {b}"
ANSWER = "({letter}"


@dataclass(frozen=True, slots=True)
class Personas:
    """Wordings of both poles × user messages × beginnings of the reply, by templates that say where the wording stands.

    Wordings are matched: the first positive with the first negative, and so on. ``{persona}`` stands for the wording,
    ``{message}`` for the user message, ``{beginning}`` for the beginning of the reply. A template that comes out empty
    leaves its message out, so the wording "" is a prompt without any persona.
    """

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    messages: tuple[str, ...]
    beginnings: tuple[str, ...] = ("",)
    system: str = "{persona}"
    user: str = "{message}"
    reply: str = "{beginning}"
    read: Position = "last"

    def __len__(self) -> int:
        return len(self.positive) * len(self.messages) * len(self.beginnings)

    def check(self, where: str) -> None:
        check_matched(self.positive, self.negative, where)
        if not self.messages:
            raise RecipeError(f'{where} has no user messages; list some under "messages".')
        if not self.beginnings:
            raise RecipeError(f'"beginnings" of {where} is empty; leave it out, or write [""] for no beginning.')
        templates = self.system + self.user + self.reply
        if "{persona}" not in templates:
            raise RecipeError(f"No template of {where} holds {{persona}}, so both poles would be the same.")
        if "{message}" not in templates:
            raise RecipeError(f"No template of {where} holds {{message}}, so the user messages would not be used.")

    def pairs(self) -> Iterator[ContrastPair]:
        wordings = zip(self.positive, self.negative, strict=True)
        for (positive, negative), message, beginning in product(wordings, self.messages, self.beginnings):
            yield ContrastPair(
                self._prompt(positive, message, beginning), self._prompt(negative, message, beginning), self.read
            )

    def _prompt(self, persona: str, message: str, beginning: str) -> Prompt:
        values = {"persona": persona, "message": message, "beginning": beginning}
        return chat(system=fill(self.system, values), user=fill(self.user, values), reply=fill(self.reply, values))


@dataclass(frozen=True, slots=True)
class ExplicitPair:
    """One pair of conversations, written out."""

    positive: tuple[Message, ...]
    negative: tuple[Message, ...]
    read: Position = "last"

    def __len__(self) -> int:
        return 1

    def check(self, where: str) -> None:
        check_sides(self.positive, self.negative, where)

    def pairs(self) -> Iterator[ContrastPair]:
        yield ContrastPair(self.positive, self.negative, self.read)


@dataclass(frozen=True, slots=True)
class Question:
    """A question with one answer for each pole."""

    question: str
    positive: str
    negative: str


@dataclass(frozen=True, slots=True)
class Questions:
    """Two-choice questions in the form of CAA (arXiv 2312.06681): both letters are given in turn, read at the letter.

    Each question makes two pairs, with the positive answer once as (A) and once as (B): the letters cancel out.
    """

    ask: tuple[Question, ...]
    system: str = ""
    template: str = QUESTION
    reply: str = ANSWER
    read: Position = "letter"

    def __len__(self) -> int:
        return 2 * len(self.ask)

    def check(self, where: str) -> None:
        if not self.ask:
            raise RecipeError(f'{where} asks nothing; list questions under "ask".')
        for placeholder in ("{question}", "{a}", "{b}"):
            if placeholder not in self.template:
                raise RecipeError(f"The template of {where} lacks {placeholder}.")
        if "{letter}" not in self.reply:
            raise RecipeError(f"The reply of {where} lacks {{letter}}, so both answers would be the same.")
        for question in self.ask:
            if question.positive == question.negative:
                raise RecipeError(
                    f'Both answers to "{question.question}" in {where} are the same; write one for each pole.'
                )

    def pairs(self) -> Iterator[ContrastPair]:
        for question in self.ask:
            yield self._pair(question, a=question.positive, b=question.negative, positive="A", negative="B")
            yield self._pair(question, a=question.negative, b=question.positive, positive="B", negative="A")

    def _pair(self, question: Question, *, a: str, b: str, positive: str, negative: str) -> ContrastPair:
        asked = fill(self.template, {"question": question.question, "a": a, "b": b})
        return ContrastPair(
            chat(self.system, asked, fill(self.reply, {"letter": positive})),
            chat(self.system, asked, fill(self.reply, {"letter": negative})),
            self.read,
        )


@dataclass(frozen=True, slots=True)
class Texts:
    """Plain texts, for models without a chat template: matched lists, each text followed by each ending."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    endings: tuple[str, ...] = ("",)
    read: Literal["last", "letter"] = "last"

    def __len__(self) -> int:
        return len(self.positive) * len(self.endings)

    def check(self, where: str) -> None:
        check_matched(self.positive, self.negative, where)
        if not self.endings:
            raise RecipeError(f'"endings" of {where} is empty; leave it out, or write [""] for no ending.')

    def pairs(self) -> Iterator[ContrastPair]:
        for (positive, negative), ending in product(zip(self.positive, self.negative, strict=True), self.endings):
            yield ContrastPair(positive + ending, negative + ending, self.read)


Form: TypeAlias = Personas | ExplicitPair | Questions | Texts


def fill(template: str, values: dict[str, str]) -> str:
    """``template`` with each ``{name}`` replaced by its value; every other brace, also inside a value, stays."""
    filled = template.split("{")
    out = [filled[0]]
    for part in filled[1:]:
        name, brace, rest = part.partition("}")
        out.append(values[name] + rest if brace and name in values else "{" + part)
    return "".join(out)


def chat(system: str, user: str, reply: str) -> tuple[Message, ...]:
    """One exchange; an empty text leaves its message out."""
    written = (Message("system", system), Message("user", user), Message("assistant", reply))
    return tuple(message for message in written if message.content)


def check_sides(positive: tuple[object, ...], negative: tuple[object, ...], where: str) -> None:
    """Raise :class:`RecipeError` unless both sides hold something."""
    if not positive and not negative:
        raise RecipeError(f"{where} is empty; write something for both poles.")
    for side, items in (("positive", positive), ("negative", negative)):
        if not items:
            raise RecipeError(f"{where} is one-sided; write something for the {side} pole too.")


def check_matched(positive: tuple[str, ...], negative: tuple[str, ...], where: str) -> None:
    """Raise :class:`RecipeError` unless both sides hold equally many texts, some at least."""
    check_sides(positive, negative, where)
    if len(positive) != len(negative):
        raise RecipeError(
            f"{where} has {len(positive)} positive but {len(negative)} negative wordings; "
            "they are matched one by one, so write equally many."
        )
