"""Contrast sets: pairs of prompts that differ in one idea."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from localsteer.errors import RecipeError
from localsteer.messages import Message

Prompt: TypeAlias = tuple[Message, ...] | str
"""Chat messages (a last assistant message is the beginning of the reply), or plain text for a base model."""

Position: TypeAlias = Literal["last", "letter", "reply"]
"""Where the hidden state of a prompt is read.

``last``: the last token of the prompt; without a beginning of the reply that is the last one of the assistant header.
``letter``: the token that holds the last letter or digit of the text: the answer letter of ``(A`` as well as of
``(A)``.
``reply``: the mean over the tokens of the reply's beginning, the assistant header left out.
"""
POSITIONS: tuple[Position, ...] = get_args(Position)
LONGEST_LABEL = 1000
"""Characters of what lists show whole: names of poles, descriptions, groups."""


@dataclass(frozen=True, slots=True)
class ContrastPair:
    """Two prompts that differ in one idea, both read at ``position``."""

    positive: Prompt
    negative: Prompt
    position: Position = "last"


@dataclass(frozen=True, slots=True)
class ContrastSet:
    """Everything that a vector is made from, independent of any model.

    ``positive`` and ``negative`` are the names of the poles ("happy", "sad"). Pairs that are the same on both sides
    show nothing and are left out; ``left_out`` is how many. Raises :class:`RecipeError` for a set without any other
    pair, for equal poles, and for a pair that cannot be read.
    """

    name: str
    description: str
    positive: str
    negative: str
    pairs: tuple[ContrastPair, ...]
    left_out: int = field(default=0, init=False, compare=False)

    def __post_init__(self) -> None:
        check_poles(self.name, self.positive, self.negative)
        if not self.pairs:
            raise RecipeError(f'The contrast set "{self.name}" is empty; give it at least one pair of prompts.')
        telling = tuple(pair for pair in self.pairs if pair.positive != pair.negative)
        if not telling:
            which = "pair 1" if len(self.pairs) == 1 else "every pair"
            raise RecipeError(
                f'Both sides of {which} of the contrast set "{self.name}" are the same, so they show no difference; '
                "write something different for both poles."
            )
        for number, pair in enumerate(self.pairs, start=1):
            _check_pair(pair, f'pair {number} of the contrast set "{self.name}"')
        object.__setattr__(self, "left_out", len(self.pairs) - len(telling))
        object.__setattr__(self, "pairs", telling)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that shapes or labels the vector: poles, prompts, positions; not of the description."""
        content = [
            "localsteer contrast set 1",
            self.positive,
            self.negative,
            [[pair.position, _plain(pair.positive), _plain(pair.negative)] for pair in self.pairs],
        ]
        return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def split_words(typed: str) -> tuple[str, str] | None:
    """The texts before and after the slash of ``Love/Hate``, with their spaces, for they count; None where these are
    no two different ones.
    """
    positive, slash, negative = typed.partition("/")
    return (positive, negative) if slash and positive.strip() and positive != negative else None


def name_of_words(positive: str, negative: str) -> str:
    """What the dial of two texts is called: ``Love-Hate``."""
    return "-".join(map(_pole_of, (positive, negative)))


def _pole_of(text: str) -> str:
    return text.strip() or "nothing"


def contrast_of_words(positive: str, negative: str) -> ContrastSet:
    """One pair of plain texts, as they are; the poles are the texts. Raises :class:`RecipeError`."""
    names = [_pole_of(text) for text in (positive, negative)]
    return ContrastSet(
        name=name_of_words(positive, negative),
        description=f"Moves from {names[1]} to {names[0]}.",
        positive=names[0],
        negative=names[1],
        pairs=(ContrastPair(positive or " ", negative or " "),),
    )


def check_poles(name: str, positive: str, negative: str) -> None:
    """Raise :class:`RecipeError` unless both poles have a name that a list has room for, and the names differ."""
    for side, pole in (("positive", positive), ("negative", negative)):
        if not pole.strip():
            raise RecipeError(f'The {side} pole of "{name}" has no name; say what this end of the dial is called.')
        if len(pole) > LONGEST_LABEL:
            raise RecipeError(
                f'The {side} pole of "{name}" has a name of {len(pole):,} characters; {LONGEST_LABEL:,} are the most.'
            )
    if positive.strip().casefold() == negative.strip().casefold():
        raise RecipeError(f'Both poles of "{name}" are called "{positive.strip()}"; a dial needs two different ends.')


def _plain(prompt: Prompt) -> str | list[list[str]]:
    return prompt if isinstance(prompt, str) else [[message.role, message.content] for message in prompt]


def _check_pair(pair: ContrastPair, where: str) -> None:
    if pair.position not in POSITIONS:
        raise RecipeError(f'There is no position "{pair.position}" ({where}); positions are {", ".join(POSITIONS)}.')
    if isinstance(pair.positive, str) is not isinstance(pair.negative, str):
        raise RecipeError(f"One side of {where} is plain text and the other a chat; make both the same kind.")
    for prompt in (pair.positive, pair.negative):
        _check_prompt(prompt, pair.position, where)


def _check_prompt(prompt: Prompt, position: Position, where: str) -> None:
    if isinstance(prompt, str):
        if not prompt:
            raise RecipeError(f"One side of {where} is an empty text; write something there.")
        if position == "reply":
            raise RecipeError(
                f'In {where} "reply" is to be read, but a plain text holds no reply; read "last" instead.'
            )
        _check_letter(prompt, position, where)
        return
    if not prompt or prompt[-1].role == "system":
        raise RecipeError(
            f"One side of {where} holds no message of a user; end it with a user message or a reply's beginning."
        )
    if any(not message.content for message in prompt):
        raise RecipeError(
            f"One side of {where} holds an empty message; write something there or leave the message out."
        )
    if position != "last" and prompt[-1].role != "assistant":
        raise RecipeError(
            f'In {where} "{position}" is to be read, but there is no beginning of a reply; add one or read "last".'
        )
    _check_letter(prompt[-1].content, position, where)


def _check_letter(text: str, position: Position, where: str) -> None:
    if position == "letter" and not any(character.isalnum() for character in text):
        raise RecipeError(f'In {where} "letter" is to be read, but "{text}" holds none; end it with the answer letter.')
