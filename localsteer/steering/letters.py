"""Two-choice questions whose answers can be told apart by their letters alone."""

from __future__ import annotations

from collections.abc import Sequence

from localsteer.steering.contrast import ContrastPair, ContrastSet, Prompt
from localsteer.steering.layers import held_out


def letters_of(text: str) -> str:
    """The letters and digits of ``text``, and nothing between them."""
    return "".join(character for character in text if character.isalnum())


def last_letter(text: str) -> str:
    """The last letter or digit of ``text``, at whose token an answer is read; "" where it has none."""
    return letters_of(text)[-1:]


def lopsided_letters(contrast: ContrastSet) -> str | None:
    """A sentence of warning where the letter says as much as the meaning: in all questions, or in those that are held
    back to measure the AUC.
    """
    asked = [pair for pair in contrast.pairs if pair.position == "letter"]
    letter = _one_letter(asked)
    if letter:
        return (
            f'The positive answer of every question in "{contrast.name}" is {letter}, so the vector may stand for that '
            "letter; give the positive answer under the other letter, too."
        )
    tried = [pair for pair, kept in zip(contrast.pairs, held_out(len(contrast.pairs)), strict=True) if kept]
    letter = _one_letter(tried)
    if letter and len(asked) == len(contrast.pairs):
        return (
            f'The positive answer of all {len(tried)} questions of "{contrast.name}" that are held back for the AUC is '
            f"{letter}, so the AUC may be that of the letter; put the questions in another order."
        )
    return None


def _one_letter(pairs: Sequence[ContrastPair]) -> str:
    """The letter that all positive sides and no negative one ends with; "" unless there are several pairs and one."""
    positive = {last_letter(_end(pair.positive)) for pair in pairs}
    negative = {last_letter(_end(pair.negative)) for pair in pairs}
    return positive.pop() if len(pairs) > 1 and len(positive) == 1 and not positive & negative else ""


def _end(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else prompt[-1].content
