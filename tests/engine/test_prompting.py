"""Plain prompting is asked of the same completions, under the contrasts' own prompts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localsteer.engine.measuring import Completion, completions
from localsteer.engine.prompting import SIDES, prompted
from localsteer.llama.chat_template import render
from localsteer.llama.model import Model
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, ContrastSet

HAPPY, SAD = Message("system", "be happy"), Message("system", "be sad")
DAY, SEA = Message("user", "the day"), Message("user", "the sea")


@pytest.fixture(scope="module")
def model(random_bpe_model: Path) -> Iterator[Model]:
    with Model(random_bpe_model) as model:
        yield model


def found_in(model: Model, *pairs: ContrastPair) -> tuple[ContrastSet, tuple[Completion, ...]]:
    contrast = ContrastSet("mood", "", "happy", "sad", pairs)
    return contrast, completions(model, contrast, n_tokens=6, n_threads=1)


def rendered(model: Model, *messages: Message) -> tuple[int, ...]:
    return tuple(token for piece in render(model, messages) for token in piece.tokens)


def test_a_pole_in_the_system_message_is_that_system_message(model: Model) -> None:
    contrast, found = found_in(model, ContrastPair((HAPPY, DAY), (SAD, DAY)), ContrastPair((HAPPY, SEA), (SAD, SEA)))
    for side, system in zip(SIDES, (HAPPY, SAD), strict=True):
        pairs = prompted(model, contrast, found, side)
        assert pairs is not None
        assert [pair.prompt for pair in pairs] == [rendered(model, system, DAY), rendered(model, system, SEA)]
        assert [(pair.positive, pair.negative) for pair in pairs] == [
            (one.pair.positive, one.pair.negative) for one in found
        ]


def test_a_pole_in_the_users_message_is_asked_as_it_is(model: Model) -> None:
    happy, sad = Message("user", "be happy"), Message("user", "be sad")
    beginning = Message("assistant", "I am")
    contrast, found = found_in(model, ContrastPair((happy, beginning), (sad, beginning)))
    (pair,) = prompted(model, contrast, found, "negative") or ()
    assert pair.prompt == rendered(model, sad)
    assert (pair.positive, pair.negative) == (found[0].pair.positive, found[0].pair.negative)


def test_answers_that_a_pair_writes_are_asked_under_a_system_message_of_the_set(model: Model) -> None:
    letters = ContrastPair((DAY, Message("assistant", "(A")), (DAY, Message("assistant", "(B")), "letter")
    contrast, found = found_in(model, letters, ContrastPair((HAPPY, SEA), (SAD, SEA)))
    written, _ = found
    pair, _ = prompted(model, contrast, found, "positive") or ()
    assert (pair.positive, pair.negative) == (written.pair.positive, written.pair.negative)
    whole = rendered(model, HAPPY, DAY, Message("assistant", "(A"))
    assert pair.prompt + pair.positive == whole


@pytest.mark.parametrize(
    "pair",
    [
        ContrastPair("I love", "I hate"),
        ContrastPair((DAY, Message("assistant", "Sure")), (DAY, Message("assistant", "No")), "reply"),
    ],
    ids=["plain texts", "beginnings of replies"],
)
def test_there_is_none_where_the_set_has_no_prompt(model: Model, pair: ContrastPair) -> None:
    contrast, found = found_in(model, pair)
    assert [prompted(model, contrast, found, side) for side in SIDES] == [None, None]


def test_there_is_none_where_one_of_the_completions_has_no_prompt(model: Model) -> None:
    contrast, found = found_in(model, ContrastPair("I love", "I hate"), ContrastPair((HAPPY, DAY), (SAD, DAY)))
    assert len(found) == 2
    assert prompted(model, contrast, found, "positive") is None


def test_where_the_pairs_that_are_kept_back_end_alike_others_are_measured_on(model: Model) -> None:
    alike = ContrastPair("the sea", "the seas")
    pairs = [ContrastPair(f"{word} I love", f"{word} I hate") for word in ("the", "a", "one", "two")]
    _, found = found_in(model, *pairs, alike)
    assert found
    assert all(one.contrast in pairs for one in found)
