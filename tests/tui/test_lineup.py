"""Which settings are compared, and what their texts share."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsteer.errors import DialError
from localsteer.tui.differences import shared
from localsteer.tui.lineup import (
    first_lineup,
    read_strengths,
    steered_and_not,
    strip,
    usual_strengths,
    written_strengths,
)
from localsteer.tui.rack import Dial, Rack

MOOD = Dial("mood", "/mood.gguf", "sad", "happy", strength=0.6)
TONE = Dial("tone", "/tone.gguf", "casual", "formal", strength=-0.25)
RACK = Rack((MOOD, TONE))


def strengths(rack: Rack) -> dict[str, float]:
    return {dial.name: dial.strength for dial in rack.settings()}


def test_by_default_the_dials_as_they_are_stand_beside_the_model_as_it_is() -> None:
    steered, unsteered = first_lineup(RACK).sides
    assert strengths(steered.rack) == {"mood": 0.6, "tone": -0.25}
    assert strengths(unsteered.rack) == {}
    assert steered_and_not(RACK).base == 1


def test_where_no_dial_is_turned_it_is_a_strip_of_the_picked_one() -> None:
    lineup = first_lineup(RACK.zero_all().pick(1))
    assert lineup.strip == (1, (-2.0, -1.0, 0.0, 1.0, 2.0))
    with pytest.raises(DialError, match="no dial yet"):
        first_lineup(Rack())


def test_a_strip_turns_one_dial_and_leaves_the_others() -> None:
    lineup = strip(RACK, 0, (-1.0, 0.2, 1.0))
    assert [strengths(side.rack) for side in lineup.sides] == [
        {"mood": -1.0, "tone": -0.25},
        {"mood": 0.2, "tone": -0.25},
        {"mood": 1.0, "tone": -0.25},
    ]
    assert lineup.base == 1
    assert [side.title for side in lineup.sides] == ["mood −1", "mood +0.2", "mood +1"]


def test_a_strip_is_heard_though_the_dial_is_muted_or_another_one_plays_solo() -> None:
    silenced = replace(RACK.toggle_mute(), solo="tone")
    assert [side.rack.effective(side.rack.dials[0]) for side in strip(silenced, 0, (-1.0, 1.0)).sides] == [-1.0, 1.0]


def test_each_side_shows_the_dials_that_do_something_on_one_of_them() -> None:
    idle = Dial("idle", "/idle.gguf", "", "")
    rack = Rack((idle, MOOD, TONE))
    assert steered_and_not(rack).shown == (1, 2)
    assert strip(rack, 2, (0.0, 1.0)).shown == (2, 1)
    assert strip(rack.zero_all(), 0, (-1.0, 1.0)).shown == (0,)


def test_strengths_go_to_the_safe_ends_where_they_were_measured() -> None:
    measured = replace(MOOD, low=-0.5, high=0.5, safe=(-0.8, 1.2), careful=(-2.0, 2.0))
    assert usual_strengths(measured) == (-0.8, -0.4, 0.0, 0.6, 1.2)
    # What was measured does not hold for other layers.
    assert usual_strengths(replace(measured, own_layers=(4,))) == (-0.5, -0.25, 0.0, 0.25, 0.5)
    assert usual_strengths(replace(MOOD, high=1.0)) == (-1.0, -0.5, 0.0, 0.5, 1.0)
    assert usual_strengths(MOOD) == (-2.0, -1.0, 0.0, 1.0, 2.0)


def test_the_person_writes_strengths_as_they_like() -> None:
    assert read_strengths(" −1, 0; +.5 0 1e-1") == (-1.0, 0.0, 0.5, 0.1)
    assert read_strengths(written_strengths((-1.5, 0.0, 2.0))) == (-1.5, 0.0, 2.0)
    for wrong in ("", "1", "1 1", "a b", "0 inf", " ".join(map(str, range(10)))):
        with pytest.raises(DialError, match=r"[Ww]rite"):
            read_strengths(wrong)


def test_words_are_shared_in_runs_only() -> None:
    base = "I think the sea is cold today, and that is that."
    assert shared("I think the day is cold today, and warm.", base) == [
        ("I think the", True),
        (" day", False),
        (" is cold today, and", True),
        (" warm.", False),
    ]
    assert shared("", base) == []
    assert shared(base, base) == [(base, True)]


@given(st.text(), st.text())
def test_the_pieces_are_the_text(text: str, base: str) -> None:
    assert "".join(piece for piece, _ in shared(text, base)) == text
