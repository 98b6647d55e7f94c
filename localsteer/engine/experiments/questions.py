"""Two-choice questions of a contrast set, in the tokens of the loaded model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from localsteer.engine.positions import tokens_of
from localsteer.errors import RecipeError
from localsteer.evaluation.letters import Question
from localsteer.llama.model import Model
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, ContrastSet


def questions_of(
    model: Model, name: str, pairs: Sequence[ContrastPair], *, system: str = "", mixed: bool = True
) -> tuple[Question, ...]:
    """Each pair as a question, asked after the message ``system`` where there is one.

    Raises RecipeError where a pair is no two-choice question, where its letters are not single tokens of this
    vocabulary, and, unless ``mixed`` is False, where the matching answer always has the same letter.
    """
    found = tuple(_question(model, name, pair, system) for pair in pairs)
    letters = Counter(question.matching for question in found)
    if mixed and len(found) > 1 and len(letters) == 1:
        raise RecipeError(
            f'In the part of "{name}" that is held out the matching answer is always "{_letter(model, found[0])}"; '
            "mix the letters, or a liking for one of them would count as the behaviour."
        )
    return found


def _question(model: Model, name: str, pair: ContrastPair, system: str) -> Question:
    positive, negative = pair.positive, pair.negative
    if isinstance(positive, str) or isinstance(negative, str) or pair.position != "letter":
        raise RecipeError(f'"{name}" holds no two-choice questions; this experiment needs answers like (A) and (B).')
    first = (Message("system", system),) if system else ()
    sides = [tokens_of(model, (*first, *prompt)) for prompt in (positive, negative)]
    shared = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(*(s.tokens for s in sides), strict=False)))
    ends = [side.tokens[shared:] for side in sides]
    answers = [side[-1].content for side in (positive, negative)]
    if not all(ends) or not _one_token_each(model, [end[0] for end in ends], answers):
        raise RecipeError(
            f'The answers "{answers[0]}" and "{answers[1]}" of "{name}" do not differ in one single token of '
            f"{model.name}'s vocabulary; let them be letters like (A) and (B)."
        )
    return Question(sides[0].tokens[:shared], min(sides[0].reply, shared - 1), ends[0][0], ends[1][0])


def _one_token_each(model: Model, tokens: Sequence[int], answers: Sequence[str]) -> bool:
    """Whether each token holds exactly the one letter in which the answers differ."""
    letters = ["".join(c for c in model.text([token]) if c.isalnum()) for token in tokens]
    wanted = ["".join(c for c in answer if c.isalnum()) for answer in answers]
    return letters == wanted and letters[0] != letters[1]


def _letter(model: Model, question: Question) -> str:
    return model.text([question.matching]).strip()


def name_of(contrast: ContrastSet, name: str) -> str:
    """What the set is called in a table."""
    return name or contrast.name
