"""Text comes as soon as it is certain, and never in halves of a character."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from localsteer.llama.text import ReplyText

whole_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]


@given(text=whole_text, cuts=st.lists(st.integers(0, 200), max_size=8))
def test_a_text_cut_anywhere_comes_out_whole(text: str, cuts: list[int]) -> None:
    reply = ReplyText()
    given_out = [reply.feed(piece) for piece in pieces(text.encode(), cuts)]
    assert "".join(given_out) + reply.finish() == text
    assert "\ufffd" not in "".join(given_out) or "\ufffd" in text


def test_half_a_character_waits_for_the_other_half() -> None:
    reply = ReplyText()
    first, second = "ü".encode()[:1], "ü".encode()[1:]
    assert reply.feed(b"gr" + first) == "gr"
    assert reply.feed(second) == "ü"


def test_half_a_character_at_the_end_is_shown_as_such() -> None:
    reply = ReplyText()
    assert reply.feed(b"gr\xc3") == "gr"
    assert reply.finish() == "\ufffd"


@given(before=st.text("ab\nUser:", max_size=20), cuts=st.lists(st.integers(0, 60), max_size=8))
def test_a_stop_text_ends_the_reply_however_it_is_cut(before: str, cuts: list[int]) -> None:
    whole = f"{before}\nUser:and more"
    reply = ReplyText(["\nUser:"])
    text = "".join(reply.feed(piece) for piece in pieces(whole.encode(), cuts)) + reply.finish()
    assert reply.stopped
    assert text == whole[: whole.index("\nUser:")]


def test_what_only_looked_like_a_stop_text_comes_out_after_all() -> None:
    reply = ReplyText(["\nUser:"])
    assert reply.feed(b"one\nUs") == "one"
    assert reply.feed(b"e it") == "\nUse it"
    assert reply.feed(b"\nUser") == ""
    assert reply.finish() == "\nUser"
    assert not reply.stopped


def test_the_space_before_the_first_word_can_be_dropped() -> None:
    reply = ReplyText(strip_start=True)
    assert [reply.feed(piece) for piece in (b" ", b" Hello", b" you")] == ["", "Hello", " you"]
