"""Two-choice questions of a contrast set, in the tokens of the loaded model."""

from __future__ import annotations

from collections.abc import Sequence

from localsteer.engine.measuring import completion_of
from localsteer.engine.positions import place_of_letters
from localsteer.errors import RecipeError
from localsteer.evaluation.effect import CompletionPair
from localsteer.evaluation.letters import Question
from localsteer.llama.model import Model
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair
from localsteer.steering.letters import letters_of


def questions_of(
    model: Model, name: str, pairs: Sequence[ContrastPair], *, system: str = "", mixed: bool = True
) -> tuple[Question, ...]:
    """Each pair as a question, asked after the message ``system`` where there is one.

    Raises RecipeError where a pair is no two-choice question, where its letters are not single tokens of this
    vocabulary, and, unless ``mixed`` is False, where the matching answer always has the same letter.
    """
    found = tuple(_question(model, name, pair, system) for pair in pairs)
    letters = {question.matching for question in found}
    if mixed and len(found) > 1 and len(letters) == 1:
        letter = model.text(list(letters)).strip()
        raise RecipeError(
            f'In the part of "{name}" that is held out the matching answer is always "{letter}"; '
            "mix the letters, or a liking for one of them would count as the behaviour."
        )
    return found


def _question(model: Model, name: str, pair: ContrastPair, system: str) -> Question:
    positive, negative = pair.positive, pair.negative
    if isinstance(positive, str) or isinstance(negative, str) or pair.position != "letter":
        raise RecipeError(f'"{name}" holds no two-choice questions; this experiment needs answers like (A) and (B).')
    first = (Message("system", system),) if system else ()
    found = completion_of(model, ContrastPair((*first, *positive), (*first, *negative), pair.position))
    answers = [side[-1].content for side in (positive, negative)]
    if found is None or not _one_token_each(model, found, [letters_of(answer) for answer in answers]):
        raise RecipeError(
            f'The answers "{answers[0]}" and "{answers[1]}" of "{name}" do not differ in one single token of '
            f"{model.name}'s vocabulary; let them be letters like (A) and (B)."
        )
    return Question(found.prompt, found.steered_from, found.positive[0], found.negative[0])


def _one_token_each(model: Model, found: CompletionPair, letters: Sequence[str]) -> bool:
    """Whether the first tokens in which the answers differ hold all of their letters, and not the same ones."""
    places = [place_of_letters(model, *side) for side in zip((found.positive, found.negative), letters, strict=True)]
    return places == [0, 0] and letters[0] != letters[1]
