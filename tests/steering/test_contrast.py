"""A contrast set holds pairs that can make a vector, and its digest changes with whatever shapes that vector."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from localsteer.errors import RecipeError
from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, ContrastSet, Position, Prompt

HAPPY = (Message("system", "You are happy."), Message("user", "Hello"))
SAD = (Message("system", "You are sad."), Message("user", "Hello"))
MOOD = ContrastSet("mood", "Sad to happy.", "happy", "sad", (ContrastPair(HAPPY, SAD),))


def mood(positive: Prompt, negative: Prompt, position: Position = "last") -> ContrastSet:
    return replace(MOOD, pairs=(ContrastPair(positive, negative, position),))


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(RecipeError, match="is empty"):
        replace(MOOD, pairs=())


@pytest.mark.parametrize(("positive", "negative"), [("happy", "happy"), ("Happy", " happy ")])
def test_poles_of_one_name_are_refused(positive: str, negative: str) -> None:
    with pytest.raises(RecipeError, match="two different ends"):
        replace(MOOD, positive=positive, negative=negative)


def test_a_pole_without_a_name_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"negative pole of .* has no name"):
        replace(MOOD, negative="  ")


@pytest.mark.parametrize(
    ("contrast", "complaint"),
    [
        ((HAPPY, HAPPY, "last"), "are the same"),
        ((HAPPY, "I am sad.", "last"), "plain text and the other a chat"),
        (("", "I am sad.", "last"), "empty text"),
        ((HAPPY, (), "last"), "no message of a user"),
        ((HAPPY, (Message("system", "You are sad."),), "last"), "no message of a user"),
        ((HAPPY, (Message("user", ""),), "last"), "empty message"),
        ((HAPPY, SAD, "reply"), "no beginning of a reply"),
        ((HAPPY, SAD, "letter"), "no beginning of a reply"),
        (("I am happy.", "I am sad.", "reply"), "holds no reply"),
        (("((", "I am sad", "letter"), "holds none"),
        ((HAPPY, SAD, "middle"), "no position"),
    ],
)
def test_a_pair_that_cannot_be_read_is_refused_by_its_number(
    contrast: tuple[Prompt, Prompt, str], complaint: str
) -> None:
    positive, negative, position = contrast
    with pytest.raises(RecipeError, match=complaint) as refused:
        mood(positive, negative, cast(Position, position))
    assert 'pair 1 of the contrast set "mood"' in str(refused.value)


def test_pairs_that_are_the_same_on_both_sides_are_left_out_and_counted() -> None:
    same = ContrastPair(HAPPY, HAPPY)
    contrast = replace(MOOD, pairs=(same, *MOOD.pairs, same))
    assert (contrast.pairs, contrast.left_out) == (MOOD.pairs, 2)
    assert contrast.digest == MOOD.digest
    with pytest.raises(RecipeError, match=r"every pair .* are the same"):
        replace(MOOD, pairs=(same, same))


def test_the_digest_changes_with_everything_that_shapes_or_labels_the_vector() -> None:
    reply = (Message("assistant", "I"),)
    sets = [
        MOOD,
        replace(MOOD, positive="merry"),
        replace(MOOD, negative="gloomy"),
        mood(SAD, HAPPY),
        mood(HAPPY + reply, SAD + reply),
        mood(HAPPY + reply, SAD + reply, "reply"),
        mood("Hello", "Bye"),
        replace(MOOD, pairs=MOOD.pairs * 2),
    ]
    assert len({contrast.digest for contrast in sets}) == len(sets)


def test_the_digest_stays_when_only_the_name_or_the_description_changes() -> None:
    assert replace(MOOD, name="my-mood", description="Another sentence.").digest == MOOD.digest
