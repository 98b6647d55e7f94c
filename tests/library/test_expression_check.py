"""What an expression comes to while it is typed: the place that is wrong, and what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from localsteer.library.expression_check import check_expression, name_problem
from localsteer.library.places import Places

MODEL = "m" * 16


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(data=tmp_path, config=tmp_path, logs=tmp_path)


@pytest.mark.parametrize("text", ["", "mood", "mo", "moo", "Love/Hate", "the sea"])
def test_what_is_meant_as_a_name_is_no_expression(places: Places, text: str) -> None:
    assert check_expression(text, MODEL, places) is None


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("mood*", "", "is missing"),
        ("mood * * register", "*", "is missing"),
        ("mood*1.2 - 0.5*regster", "regster", "did you mean register?"),
        ('  2*"a b"', '"a b"', 'no dial named "a b"'),
        ("mood * register", "*", "Two vectors cannot be multiplied"),
        ("mood*2 @layer 3", "@layer", "Only @layers and @scope"),
        ("mood*2 @layers x", "x", "Layers are wanted"),
        ('mood*"', '"', "never closed"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(places: Places, text: str, where: str, problem: str) -> None:
    check = check_expression(text, MODEL, places)
    assert check is not None
    assert problem in check.problem
    assert check.problem[0].isupper() or check.problem[0] == "@"
    assert check.problem.endswith((".", "?"))
    assert text[check.start : check.end].startswith(where or "")
    assert bool(where) == (check.start < check.end)


def test_a_good_expression_names_what_has_to_be_made_first(places: Places) -> None:
    check = check_expression("mood*1.2 - 0.5*register + mood @layers 3", MODEL, places)
    assert check is not None
    assert check.problem == ""
    assert check.to_make == ("mood", "register")


def test_a_name_that_is_taken_is_said_without_a_word_of_the_command_line(places: Places) -> None:
    assert name_problem("2*mood", "bright", MODEL, places) == ""
    for name in ("mood", "register", "a/b"):
        problem = name_problem("2*mood", name, MODEL, places)
        assert problem
        assert "--" not in problem
