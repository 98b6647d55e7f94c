"""Reading what a model answers when it is asked for contrasting statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsteer.tui.workshop.asking import FEWEST, Written, read_statements

PAIRS = (
    ("You talk like a pirate.", "You talk like a clerk."),
    ("You love the open sea.", "You love your desk."),
    ("You swear by your ship.", "You swear by the rules."),
)


def lines(between: str, mark: str = "") -> str:
    return "\n".join(f"{mark.format(number)}{one}{between}{other}" for number, (one, other) in enumerate(PAIRS, 1))


@pytest.mark.parametrize(
    "answer",
    [
        lines(" | "),
        "Opposite: clerk\n" + lines(" | "),
        "Sure! Here they are:\n\n" + lines(" | ", "{}. ") + "\n\nI hope this helps.",
        lines(" | ", "- **") + "\n",
        lines("\t"),
        lines(" vs. ", "* "),
        "| First | Second |\n|---|---|\n" + "\n".join(f"| {one} | {other} |" for one, other in PAIRS),
        "\n".join(f'{n}) Positive: "{one}" | Negative: "{other}"' for n, (one, other) in enumerate(PAIRS, 1)),
        "First kind:\n"
        + "\n".join(f"- {one}" for one, _ in PAIRS)
        + "\n\nSecond kind:\n"
        + "\n".join(f"- {other}" for _, other in PAIRS),
    ],
)
def test_statements_are_found_in_whatever_list_the_model_makes_of_them(answer: str) -> None:
    written = read_statements(answer)
    assert written is not None
    assert written.rows == PAIRS


def test_the_opposite_is_taken_from_its_line() -> None:
    assert read_statements("**Opposite:** office clerk.\n" + lines(" | ")) == Written("office clerk", PAIRS)
    assert read_statements('The opposite of "pirate" is: clerk\n' + lines(" | ")) == Written("clerk", PAIRS)


@pytest.mark.parametrize(
    "answer",
    ["", "I would prefer not to be disturbed.", lines(" | ").splitlines()[0], "You are glad. | You are glad.\n" * 9],
)
def test_too_little_is_no_answer(answer: str) -> None:
    assert read_statements(answer) is None


_PIECES = st.sampled_from([" | ", "|", "\n", "\t", "- ", "1. ", "Opposite: ", "You are glad.", ":", "**", "\x1b[31m"])


@given(st.one_of(st.text(), st.lists(st.one_of(_PIECES, st.text(max_size=5))).map("".join)))
def test_whatever_a_model_writes_is_read_without_an_error_and_gives_whole_pairs_or_nothing(answer: str) -> None:
    written = read_statements(answer)
    if written is not None:
        assert len(written.rows) >= FEWEST
        for one, other in written.rows:
            assert one.strip()
            assert other.strip()
            assert one != other
            assert "\n" not in one + other
            assert "\x1b" not in one + other
