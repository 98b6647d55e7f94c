"""From the prompts of a contrast set to tokens, and to the token positions at which their hidden states are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from localsteer.errors import RecipeError
from localsteer.llama.chat_template import plain_text, render
from localsteer.llama.model import Model
from localsteer.steering.contrast import Position, Prompt
from localsteer.steering.letters import last_letter, letters_of


@dataclass(frozen=True, slots=True)
class Tokens:
    """A prompt as tokens. From ``reply`` on they belong to the open reply: its header, and from ``beginning`` on what
    is forced. At ``front`` the text of the last user message begins."""

    tokens: tuple[int, ...]
    reply: int
    beginning: int
    front: int = 0


def tokens_of(model: Model, prompt: Prompt) -> Tokens:
    """``prompt`` as ``model`` takes it: chat messages through its template, plain text as it is (its last token is
    the reply's)."""
    pieces = plain_text(model, prompt) if isinstance(prompt, str) else render(model, prompt)
    tokens = tuple(token for piece in pieces for token in piece.tokens)
    reply = len(tokens) - len(pieces[-1].tokens)
    prompts = [number for number, piece in enumerate(pieces) if piece.reply is None]
    last = prompts[-1] if prompts else 0
    front = sum(len(piece.tokens) for piece in pieces[:last]) + pieces[last].front
    return Tokens(tokens, reply, reply + pieces[-1].header, front)


def span_of(model: Model, prompt: Prompt, position: Position) -> tuple[Tokens, tuple[int, int]]:
    """``prompt`` as tokens, and the span [begin, end) of them whose mean hidden state stands for it.

    Raises RecipeError where a letter is to be read that is no single token.
    """
    found = tokens_of(model, prompt)
    begin, end = 0 if isinstance(prompt, str) else found.beginning, len(found.tokens)
    match position:
        case "letter":
            letter = last_letter(prompt if isinstance(prompt, str) else prompt[-1].content)
            place = place_of_letters(model, found.tokens[begin:], letter)
            if place is None:
                raise RecipeError(
                    f'The answer letter "{letter}" is no single token in the vocabulary of {model.name}; answer with '
                    'letters like A and B, or read "last" instead of "letter".'
                )
            return found, (begin + place, begin + place + 1)
        case "reply":
            return found, (min(begin, end - 1), end)
        case "last":
            return found, (end - 1, end)


def place_of_letters(model: Model, tokens: Sequence[int], letters: str) -> int | None:
    """Where the last of ``tokens`` stands that holds letters or digits; None unless it holds all of ``letters``."""
    for place in range(len(tokens) - 1, -1, -1):
        found = letters_of(model.piece(tokens[place]).decode("utf-8", "ignore"))
        if found:
            return place if letters in found else None
    return None
