"""A line without end in the input: a row of it is drawn as Textual would draw it, and costs what is seen of it."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.widgets import TextArea
from textual.widgets.text_area import Selection

from localsteer.tui.widgets.writing_area import WritingArea

WIDTH, HEIGHT = 60, 12


class Both(App[None]):
    """The same text in our area and in Textual's."""

    def compose(self) -> ComposeResult:
        for kind in (WritingArea, TextArea):
            area = kind(soft_wrap=True, show_line_numbers=False)
            area.styles.height = HEIGHT
            area.cursor_blink = False
            yield area


@pytest.mark.parametrize(
    "text",
    [
        "short",
        "word " * 200,
        "x" * 1000,
        "漢字" * 300,
        "a\tbc\t" * 120,
        "👩‍👩‍👧é" * 100,
        "one\n" + "two three\t" * 100 + "\nfour",
        "",
    ],
    ids=["short", "words", "one word", "wide", "tabs", "joined", "lines", "empty"],
)
async def test_a_row_is_drawn_as_textual_draws_it(text: str) -> None:
    async with Both().run_test(size=(WIDTH, 2 * HEIGHT)) as pilot:
        ours, theirs = pilot.app.query_one(WritingArea), pilot.app.query(TextArea).last()
        assert type(theirs) is TextArea
        for area in (ours, theirs):
            area.insert(text)
        end = ours.document.end
        for selection in (Selection.cursor(end), Selection.cursor((0, 0)), Selection((0, 2), end)):
            for area in (ours, theirs):
                area.selection = selection
                area.focus()
            await pilot.pause()
            for y in range(HEIGHT - 2):
                one, other = WritingArea._render_line(ours, y), TextArea._render_line(theirs, y)
                # Where the cursor is drawn depends on the focus, which but one of them has.
                assert one.text == other.text
            for y in range(HEIGHT - 2):
                theirs.has_focus = ours.has_focus
                assert list(WritingArea._render_line(ours, y)) == list(TextArea._render_line(theirs, y))


async def test_a_row_of_a_million_characters_costs_what_is_seen_of_it() -> None:
    async with Both().run_test(size=(WIDTH, 2 * HEIGHT)) as pilot:
        area = pilot.app.query_one(WritingArea)
        area.insert("x" * 1_000_000)
        await pilot.pause()
        calls = 0

        def count(_frame: FrameType, event: str, _argument: Any) -> None:
            nonlocal calls
            calls += event == "call"

        sys.setprofile(count)
        try:
            area._render_line(HEIGHT // 2)
        finally:
            sys.setprofile(None)
        # Making each of its 17,000 rows takes a dozen.
        assert calls < 40_000
