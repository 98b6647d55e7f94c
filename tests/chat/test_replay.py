"""A reply from history as the command that writes it again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from localsteer.chat.conversation import ReplyRecord
from localsteer.chat.record_json import course_document, course_from, to_json
from localsteer.chat.replay import differs_at, replay
from localsteer.engine.protocol import Course, DialMark, DialSetting, ModelCard, Sampling, Turn
from localsteer.errors import ModelError, PromptError

DIALS = (DialSetting("mood", "/v/mood.gguf", 1.5, (3,), "reply"),)
MARKS = (DialMark(0, ()), DialMark(7, DIALS))
COURSE = Course(((20, 24, 1), (1, 1, 40)), 1, 2, "I ", False, ((), DIALS), 1)
CARD = ModelCard("/m.gguf", "M", "llama", "Q8_0", 1, 1, 8, 64, 100, 512, 512, 1, 0, "id", "vocabulary", True, True)
RECORD = ReplyRecord(
    "M",
    "/m.gguf",
    "id",
    "vocabulary",
    "be kind",
    Sampling(0.5),
    7,
    (1, 2, 3),
    MARKS,
    finish_reason="end",
    course=COURSE,
)
TURNS = (Turn("system", "be rude"), Turn("user", "hello"))


def test_it_has_the_seed_the_sampling_the_marks_and_the_system_prompt_of_the_record() -> None:
    command = replay(RECORD, TURNS, CARD, 4, pace=30.0)
    assert (command.request, command.pace, command.course) == (4, 30.0, COURSE)
    assert command.turns == (Turn("system", "be kind"), Turn("user", "hello"))
    assert command.sampling == Sampling(0.5, seed=7)
    assert command.schedule == MARKS


def test_a_record_without_a_system_prompt_has_none() -> None:
    assert replay(replace(RECORD, system_prompt=""), TURNS, CARD, 4).turns == TURNS[1:]


def test_a_reply_that_was_stopped_ends_where_it_was_stopped() -> None:
    stopped = replay(replace(RECORD, finish_reason="stopped"), TURNS, CARD, 4)
    assert stopped.sampling.max_tokens == len(RECORD.tokens)


def test_another_model_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="written by M;"):
        replay(RECORD, TURNS, replace(CARD, model_id="other"), 4)


def test_a_reply_that_never_began_is_refused() -> None:
    with pytest.raises(PromptError, match="no seed"):
        replay(replace(RECORD, seed=None), TURNS, CARD, 4)


def test_where_it_came_out_differently_is_told() -> None:
    assert differs_at(RECORD, (1, 2, 3)) is None
    assert differs_at(RECORD, (1, 9, 3)) == 1
    assert differs_at(RECORD, (1, 2)) == 2
    assert differs_at(RECORD, (1, 2, 3, 4)) == 3


@pytest.mark.parametrize("course", [COURSE, Course(), None])
def test_a_course_comes_out_of_the_record_as_it_went_in(course: Course | None) -> None:
    assert course_from(json.loads(to_json(course_document(course)))) == course


@pytest.mark.parametrize(
    "document",
    [{}, [], "nonsense", course_document(replace(COURSE, side=5)), {**(course_document(COURSE) or {}), "cuts": [[1]]}],
)
def test_a_damaged_course_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"expected|missing|no such side"):
        course_from(document)


@pytest.mark.parametrize("number", [-1, 1025, 100_000, 2**63 - 1])
def test_a_number_of_threads_that_nobody_has_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="threads"):
        course_from({**course_document(COURSE), "n_threads": number})  # type: ignore[dict-item]
