"""Letters that give the answers away are noticed, in all questions and in those that are held back."""

from __future__ import annotations

import re

import pytest

from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, ContrastSet
from localsteer.steering.letters import last_letter, lopsided_letters


def asked(positive: str) -> ContrastSet:
    """A question for each letter of ``positive``, which is the positive answer."""
    pairs = [
        ContrastPair(
            (Message("user", f"{number}?"), Message("assistant", f"({letter})")),
            (Message("user", f"{number}?"), Message("assistant", f"({'B' if letter == 'A' else 'A'})")),
            "letter",
        )
        for number, letter in enumerate(positive)
    ]
    return ContrastSet("caa", "", "yes", "no", tuple(pairs))


@pytest.mark.parametrize(("text", "letter"), [("(A", "A"), ("(A)", "A"), ("(10) ", "0"), ("Жёлтый.", "й"), ("((", "")])
def test_the_last_letter_is_the_last_letter_or_digit(text: str, letter: str) -> None:
    assert last_letter(text) == letter


@pytest.mark.parametrize(
    ("positive", "says"),
    [
        ("AAA", "every question"),
        ("BBBBBBBBBB", "every question"),
        ("ABABAABABA", "all 2 questions of .* held back"),
        ("ABABABABAB", None),
        ("A", None),
        ("ABABA", None),
    ],
)
def test_answers_under_one_letter_are_warned_about(positive: str, says: str | None) -> None:
    warning = lopsided_letters(asked(positive))
    if says is None:
        assert warning is None
    else:
        assert warning is not None
        assert re.search(says, warning)


def test_other_contrasts_have_no_letters() -> None:
    pairs = tuple(ContrastPair(f"{word} A", f"{word} B") for word in "abc")
    assert lopsided_letters(ContrastSet("x", "", "a", "b", pairs)) is None
