"""Which of the earlier turns the engine is given."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from localsteer.chat.conversation import ReadAs
from localsteer.chat.turns import conversation_turns, earlier, within_reach
from localsteer.engine.protocol import DialMark, DialSetting, Turn

DIALS = (DialSetting("mood", "/mood.gguf", 1.0),)


def turn(number: int, length: int) -> Turn:
    """A message of the person's for a length of 0, else a reply of so many tokens."""
    if length == 0:
        return Turn("user", f"message {number}")
    return Turn("assistant", f"reply {number}", tokens=tuple(range(length)), marks=(DialMark(0, ()),))


paths = st.lists(st.sampled_from((0, 0, 1, 2, 5)), max_size=120).map(
    lambda lengths: [turn(number, length) for number, length in enumerate(lengths)]
)


@given(paths, st.integers(1, 30), st.integers(0, 120), st.sampled_from(("", "Be kind.")), st.integers(0, 40))
def test_what_was_said_long_ago_can_be_left_out_from_the_beginning(
    path: list[Turn], n_ctx: int, cut: int, system_prompt: str, replies: int
) -> None:
    read_as = ReadAs(replies, DIALS)
    whole = within_reach(conversation_turns(system_prompt, path, read_as), n_ctx)
    begun = earlier(path[:cut], n_ctx)
    known = [*begun.turns, *path[cut:]]
    less = ReadAs(max(0, replies - begun.replies_before), DIALS)
    assert within_reach(conversation_turns(system_prompt, known, less), n_ctx, begun.tokens_before) == whole


@given(paths, st.integers(1, 30), st.integers(0, 120), st.integers(0, 120))
def test_a_beginning_that_becomes_longer_is_what_it_would_be_if_it_were_read_as_a_whole(
    path: list[Turn], n_ctx: int, first: int, second: int
) -> None:
    begun = earlier(path[:first], n_ctx)
    assert earlier(path[first : first + second], n_ctx, begun) == earlier(path[: first + second], n_ctx)


def test_of_a_long_path_little_is_kept() -> None:
    path = [turn(number, number % 2) for number in range(10_000)]
    begun = earlier(path, 100)
    assert 100 < len(begun.turns) < 300
    assert begun.replies_before == (10_000 - len(begun.turns)) // 2
