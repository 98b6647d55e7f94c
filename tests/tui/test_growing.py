"""A reply that grows looks at every moment as the whole text so far would, and costs no more for being long."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment

from localsteer.tui import growing as module
from localsteer.tui.growing import Growing
from localsteer.tui.markdown import FinishedMarkdown

BLOCKS = (
    "A paragraph with **bold** and `code`,\nand a second line.",
    "# A heading",
    "## Another one",
    "- one\n- two\n  - inside\n- three",
    "1. first\n2. second",
    "> quoted\n> twice",
    "```python\ndef f(x):\n    return x\n\n# more\n```",
    "| a | b |\n| --- | --- |\n| 1 | 2 |",
    "---",
    "Plain words, and so many of them that they need more than a line of this narrow console, which is sixty wide.",
)


def console(width: int = 60) -> Console:
    return Console(width=width, color_system=None, legacy_windows=False)


def lines_of(growing: Growing) -> list[str]:
    return texts([growing.line(y) for y in range(growing.height)])


def whole(text: str, width: int = 60) -> list[str]:
    at = console(width)
    return texts(at.render_lines(FinishedMarkdown(text, dark=True), pad=False))


def texts(lines: Sequence[list[Segment]]) -> list[str]:
    """Without what cannot be seen at the end, where a heading may be about to come."""
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines).rstrip().split("\n")


def begun(width: int = 60) -> Growing:
    growing = Growing(dark=True)
    at = console(width)
    growing.draw_for(at, at.options)
    return growing


@given(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=6), st.integers(0, 2**16))
@example([BLOCKS[0], BLOCKS[4], BLOCKS[4]], 199)
@settings(max_examples=25, deadline=None)
def test_wherever_it_is_cut_it_looks_like_the_whole_text_so_far(blocks: list[str], seed: int) -> None:
    text, draw = "\n\n".join(blocks), random.Random(seed)
    growing, at = begun(), 0
    while at < len(text):
        step = draw.randint(5, 60)
        before = [growing.line(y) for y in range(growing.height)]
        first = growing.add(text[at : at + step])
        at += step
        assert lines_of(growing) == whole(text[:at])
        assert [growing.line(y) for y in range(first)] == before[:first]


def test_at_another_width_everything_is_drawn_again() -> None:
    text = "\n\n".join(BLOCKS)
    growing = Growing(dark=True)
    growing.add(text)
    for width in (60, 31, 90):
        at = console(width)
        growing.draw_for(at, at.options)
        assert lines_of(growing) == whole(text, width)


@pytest.mark.parametrize(
    "text",
    [
        "word and word, " * 300,
        "one line\nand one more\n" * 200,
        "```python\n" + "value = 1\n" * 300 + "```",
        "- an item of a list\n" * 200,
    ],
    ids=["a paragraph without an end", "lines", "code", "a list"],
)
def test_a_block_that_does_not_end_is_drawn_in_parts(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def counted(text: str, *, dark: bool) -> FinishedMarkdown:
        drawn.append(len(text))
        return FinishedMarkdown(text, dark=dark)

    monkeypatch.setattr(module, "FinishedMarkdown", counted)
    growing = begun()
    for at in range(0, len(text), 200):
        growing.add(text[at : at + 200])
    assert max(drawn) <= 1200
    assert lines_of(growing) == whole(text)
