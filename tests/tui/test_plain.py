"""Foreign text is painted, not obeyed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from localsteer.tui.mends import Harmless
from localsteer.tui.plain import PlainStream, plain

NASTY = st.text(alphabet=st.sampled_from("ab\n\r\t[];?0m1\x07\x1b\\PX^_ äß\x9b\u202e\ud800"), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[Hgone?", "gone?"),
        ("bell\x07 back\x08 nul\x00 del\x7f", "bell back nul del"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("\u202eesrever", "esrever"),
        ("half \ud800", "half \ufffd"),
        ("a\tb", "a    b"),
        ("[b]not markup[/b] & <i>", "[b]not markup[/b] & <i>"),
        ("ordinary – äöü 漢字 👩‍👩‍👧 नमस्ते", "ordinary – äöü 漢字 👩‍👩‍👧 नमस्ते"),
        ("\x1b]never ends, " + "x" * 600, "]never ends, " + "x" * 600),
    ],
)
def test_sequences_and_control_characters_go_and_words_stay(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(NASTY)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert all(character == "\n" or character.isprintable() for character in plain(text))


@given(NASTY, st.lists(st.integers(0, 60), max_size=6))
def test_pieces_give_what_the_whole_gives(text: str, cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    stream = PlainStream()
    shown = "".join(stream.feed(text[start:end]) for start, end in pairwise(edges)) + stream.rest()
    assert shown == plain(text)


def test_a_painted_line_stays_as_wide_as_it_was() -> None:
    for text in (
        "a\x1b]0;x\x07b",
        "\U0001f469\u200d\x00\U0001f469",
        "\u3164x\u00ad\u200by",
        "\u4f60\x85\u597d",
        "plain",
    ):
        (line,) = Harmless().apply([Segment(text)], Color(0, 0, 0))
        assert cell_len(line.text) == cell_len(text)
        assert not set(line.text) & set("\x00\x07\x1b\x85\u200b\u3164")
