"""Signs in a reply where dials were turned: at the right word, whatever Markdown is around it, and never copied."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.theme import Theme

from localsteer.chat.marks_in_text import places_in_text
from localsteer.engine.protocol import DialMark, DialSetting
from localsteer.tui.markdown import FinishedMarkdown
from localsteer.tui.signs import BOTH, DOWN, UP, Sign, copied, signs_of, without_stand_ins


def at(strength: float, other: float = 0.0) -> tuple[DialSetting, ...]:
    return DialSetting("mood", "/m.gguf", strength), DialSetting("register", "/r.gguf", other)


def console() -> Console:
    return Console(file=io.StringIO(), width=60, theme=Theme({"chat.quiet": ""}))


def painted(text: str, *signs: Sign) -> str:
    lines = console().render_lines(FinishedMarkdown(text, dark=True, signs=signs), pad=False)
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines).strip()


def test_a_mark_of_a_token_is_at_the_character_where_its_text_begins() -> None:
    marks = (DialMark(0, ()), DialMark(2, at(1)), DialMark(9, at(0)))
    assert places_in_text(marks, ("Oh", ",", " it", " was")) == (0, 3, 10)


def test_up_down_and_both_have_their_signs_and_what_changed_nothing_has_none() -> None:
    marks = (
        DialMark(0, at(0)),
        DialMark(1, at(1)),
        DialMark(2, at(-1)),
        DialMark(3, at(0, -1)),
        DialMark(4, at(0, -1)),
        DialMark(5, at(2, -1)),
        DialMark(5, at(0, -1)),
    )
    assert [(sign.place, sign.glyph, sign.colour) for sign in signs_of(marks, (0, 5, 9, 20, 30, 40, 40))] == [
        (5, UP, "pole-positive"),
        (9, DOWN, "pole-negative"),
        (20, BOTH, "primary"),
    ]
    assert signs_of((), ()) == ()


@pytest.mark.parametrize(
    ("text", "place", "shown"),
    [
        ("It was lovely.", 6, "It was ▴lovely."),
        ("It was **lovely**.", 6, "It was ▴lovely."),
        ("Peas:\n\n- cool\n- rain", 6, "Peas:\n\n • ▴cool\n • rain"),
        ("First\n\n1. one\n2. two", 5, "First\n\n 1 ▴one\n 2 two"),
        ("It was lovely.", 14, "It was lovely."),
    ],
)
def test_it_stands_before_the_word_and_leaves_the_markdown_as_it_is(text: str, place: int, shown: str) -> None:
    assert painted(text, Sign(place, UP, "quiet")) == shown
    assert painted(text, Sign(place, UP, "quiet")).replace(UP, "") == painted(text)


def test_a_line_is_copied_without_it() -> None:
    (line,) = console().render_lines(
        FinishedMarkdown("It was lovely.", dark=True, signs=[Sign(6, UP, "quiet")]), pad=False
    )
    assert without_stand_ins(copied(line)).rstrip() == "It was lovely."
