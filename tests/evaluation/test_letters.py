"""Two-choice questions: the share of the matching letter, as the backend's own logits give it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from localsteer.engine.experiments.questions import questions_of
from localsteer.errors import RecipeError
from localsteer.evaluation.knowledge import KNOWLEDGE
from localsteer.evaluation.letters import LetterMeter, Question
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.steering import UNSTEERED
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair


@pytest.fixture(scope="module")
def model(random_bpe_model: Path) -> Iterator[Model]:
    with Model(random_bpe_model) as model:
        yield model


def asked(positive: str, negative: str) -> ContrastPair:
    user = Message("user", "What do you say?\n(A) Yes.\n(B) No.")
    return ContrastPair((user, Message("assistant", positive)), (user, Message("assistant", negative)), "letter")


def test_the_share_is_that_of_the_two_letters_alone(model: Model) -> None:
    prompt = tuple(model.tokenize("the people could", start=True))
    with LetterMeter(model, [Question(prompt, len(prompt) - 1, 5, 6), Question(prompt, 1, 6, 5)]) as meter:
        found = meter.at(None)
    with Context(model, n_ctx=64) as context:
        context.evaluate([(list(prompt), UNSTEERED)])
        logits = context.logits().astype(np.float64)
    expected = np.exp(logits[5]) / (np.exp(logits[5]) + np.exp(logits[6]))
    assert found[0] == pytest.approx(expected, abs=5e-3)  # other batch sizes round otherwise
    assert found.sum() == pytest.approx(1.0, abs=5e-3)


def test_questions_stop_right_before_the_letter(model: Model) -> None:
    (question, _) = questions_of(model, "set", [asked("(A)", "(B)"), asked("(B)", "(A)")])
    assert "A" in model.text([question.matching])
    assert "B" in model.text([question.other])
    assert model.text(list(question.prompt)).rstrip("(").endswith("\n\n")
    assert question.steered_from < len(question.prompt)


def test_a_system_prompt_goes_in_front(model: Model) -> None:
    pairs = [asked("(A)", "(B)"), asked("(B)", "(A)")]
    plain, told = (questions_of(model, "set", pairs, system=system)[0].prompt for system in ("", "Be glad."))
    assert len(told) > len(plain)
    assert "Be glad." in model.text(list(told))


@pytest.mark.parametrize(("positive", "negative"), [("(yes indeed)", "(no)"), ("(A1)", "(A2)"), ("(A)", "(A).")])
def test_answers_that_are_no_single_letters_are_refused(model: Model, positive: str, negative: str) -> None:
    with pytest.raises(RecipeError, match="single token"):
        questions_of(model, "set", [asked(positive, negative)])


def test_a_held_out_part_with_one_letter_only_is_refused(model: Model) -> None:
    pairs = [asked("(A)", "(B)")] * 3
    with pytest.raises(RecipeError, match="always"):
        questions_of(model, "set", pairs)
    assert len(questions_of(model, "set", pairs, mixed=False)) == 3


def test_what_is_no_two_choice_question_is_refused(model: Model) -> None:
    with pytest.raises(RecipeError, match="no two-choice questions"):
        questions_of(model, "set", [ContrastPair("one text", "another")])


def test_the_knowledge_check_has_right_answers_on_both_letters(model: Model) -> None:
    letters = [pair.positive[-1].content for pair in KNOWLEDGE if not isinstance(pair.positive, str)]
    assert letters.count("(A)") == letters.count("(B)") == 20
    assert len({pair.positive[0] for pair in KNOWLEDGE}) == len(KNOWLEDGE)
    assert len(questions_of(model, "knowledge", KNOWLEDGE)) == 40
