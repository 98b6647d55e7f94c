"""Which tokens are evaluated under whose dials, and which turns go when the context is full."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from localsteer.engine.protocol import DialMark, DialSetting, Turn
from localsteer.engine.turns import Stretch, fit, stretches
from localsteer.errors import PromptError
from localsteer.llama.chat_template import Piece

HAPPY = (DialSetting("mood", "mood.gguf", 1.0),)
SAD = (DialSetting("mood", "mood.gguf", -1.0),)
PRESENT = None


def reply(tokens: Sequence[int], *marks: tuple[int, tuple[DialSetting, ...]]) -> Turn:
    return Turn("assistant", "…", tuple(tokens), tuple(DialMark(start, dials) for start, dials in marks))


def ask(content: str = "…") -> Turn:
    return Turn("user", content)


def test_the_open_reply_and_its_prompt_are_under_the_present_dials() -> None:
    assert stretches([Piece((1, 2, 3), None), Piece((4, 5), 0)], [ask()]) == (
        Stretch((1, 2, 3), "prompt", PRESENT),
        Stretch((4, 5), "reply", PRESENT),
    )


def test_an_earlier_reply_and_its_prompt_keep_their_recorded_dials() -> None:
    turns = [ask(), reply([10, 11], (0, HAPPY)), ask()]
    pieces = [Piece((1,), None), Piece((8, 9, 10, 11), 0), Piece((2,), None), Piece((8, 9), 1)]
    assert stretches(pieces, turns) == (
        Stretch((1,), "prompt", HAPPY),
        Stretch((8, 9, 10, 11), "reply", HAPPY),
        Stretch((2,), "prompt", PRESENT),
        Stretch((8, 9), "reply", PRESENT),
    )


def test_a_mark_begins_at_the_token_before_the_first_that_was_chosen_under_it() -> None:
    turns = [ask(), reply([10, 11, 12, 13], (0, ()), (2, SAD)), ask()]
    pieces = [Piece((1,), None), Piece((8, 9, 10, 11, 12, 13), 0), Piece((2,), None), Piece((8, 9), 1)]
    assert stretches(pieces, turns)[1:3] == (
        Stretch((8, 9, 10), "reply", ()),
        Stretch((11, 12, 13), "reply", SAD),
    )


def test_afresh_puts_everything_under_the_present_dials() -> None:
    turns = [ask(), reply([10, 11, 12], (0, HAPPY), (1, SAD)), ask()]
    pieces = [Piece((1,), None), Piece((8, 10, 11, 12), 0), Piece((2,), None), Piece((8,), 1)]
    assert {stretch.dials for stretch in stretches(pieces, turns, afresh=True)} == {PRESENT}


def test_a_reply_whose_tokens_are_not_known_keeps_its_first_dials_throughout() -> None:
    turns = [ask(), Turn("assistant", "…", None, (DialMark(0, HAPPY), DialMark(3, SAD))), ask()]
    pieces = [Piece((1,), None), Piece((8, 10, 11, 12), 0), Piece((2,), None), Piece((8,), 1)]
    assert stretches(pieces, turns)[1] == Stretch((8, 10, 11, 12), "reply", HAPPY)


def by_content(turns: Sequence[Turn]) -> tuple[Piece, ...]:
    """A rendering with as many tokens as a turn's content has letters, and one for the header of a reply."""
    pieces: list[Piece] = []
    prompt: tuple[int, ...] = ()
    replies = 0
    for turn in turns:
        if turn.role == "assistant":
            pieces += [Piece(prompt, None), Piece((0,) * (1 + len(turn.content)), replies)]
            prompt, replies = (), replies + 1
        else:
            prompt += (1,) * len(turn.content)
    return (*pieces, Piece(prompt, None), Piece((0,), replies))


def conversation(n_replies: int, *, system: str = "") -> list[Turn]:
    turns = [Turn("system", system)] if system else []
    for number in range(n_replies):
        turns += [ask(f"question {number:02d}"), Turn("assistant", f"answer {number:04d}")]
    return [*turns, ask("last words")]


def test_nothing_is_dropped_while_all_fits() -> None:
    turns = conversation(3)
    assert fit(turns, by_content, n_ctx=400).dropped == 0


def test_the_oldest_turns_go_and_the_system_prompt_stays() -> None:
    turns = conversation(20, system="be kind")
    fitted = fit(turns, by_content, n_ctx=200)
    assert fitted.dropped > 0
    assert fitted.kept == (turns[0], *turns[1 + fitted.dropped :])
    assert fitted.kept[1].role == "user"
    assert sum(len(piece.tokens) for piece in fitted.pieces) <= 150


def test_the_cut_stands_still_while_the_conversation_grows_by_a_few_turns() -> None:
    dropped = [fit(conversation(n), by_content, n_ctx=200).dropped for n in range(20, 40)]
    assert dropped == sorted(dropped)
    assert len(set(dropped)) <= 10


def test_the_last_message_stays_even_if_it_leaves_little_room() -> None:
    turns = [*conversation(3)[:-1], ask("x" * 180)]
    assert fit(turns, by_content, n_ctx=200).kept == (turns[-1],)


@pytest.mark.parametrize("earlier", [0, 3])
def test_a_message_that_alone_does_not_fit_is_refused_with_both_numbers(earlier: int) -> None:
    turns = [*conversation(earlier)[:-1], ask("x" * 250)]
    with pytest.raises(PromptError, match=r"251 tokens.* 200 "):
        fit(turns, by_content, n_ctx=200)
