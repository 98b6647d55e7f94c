"""Turning dials: plain arithmetic on values."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localsteer.tui.rack import Dial, Rack

MOOD = Dial("mood", "/mood.gguf", "sad", "happy", low=-0.75, high=0.8, layers=(4, 5))
SEA = Dial("sea", "/sea.gguf", "land", "sea")
RACK = Rack().with_dial(MOOD).with_dial(SEA).pick(0)


def strengths(rack: Rack) -> dict[str, float]:
    return {dial.name: dial.strength for dial in rack.settings()}


def test_a_new_dial_stands_at_zero_is_picked_and_does_nothing_yet() -> None:
    rack = Rack().with_dial(MOOD).with_dial(SEA)
    assert rack.current == SEA
    assert rack.settings() == ()


def test_turning_moves_the_picked_dial_by_a_tenth_of_its_scale() -> None:
    assert MOOD.full == 1.0
    assert strengths(RACK.turn(1)) == {"mood": 0.1}
    assert strengths(RACK.turn(-0.2)) == {"mood": -0.02}
    assert strengths(RACK.pick(1).turn(2)) == {"sea": 0.4}


@given(st.lists(st.floats(-30, 30), max_size=20))
def test_a_dial_never_leaves_its_scale(turns: list[float]) -> None:
    rack = RACK
    for steps in turns:
        rack = rack.turn(steps)
    assert rack.current is not None
    assert abs(rack.current.strength) <= rack.current.full == 1.0


@given(st.floats(-1, 1), st.floats(-30, 30))
def test_turning_stops_at_zero_on_the_way_through(start: float, steps: float) -> None:
    after = RACK.set_strength(0, start).turn(steps).dials[0].strength
    assert start * after >= 0


def test_turning_up_and_down_again_comes_back() -> None:
    rack = RACK
    for _ in range(7):
        rack = rack.turn(1)
    for _ in range(7):
        rack = rack.turn(-1)
    assert rack.dials[0].strength == 0.0


def test_jumping_halts_at_what_is_recommended_and_at_zero() -> None:
    seen = []
    rack = RACK
    for towards in (1, 1, -1, -1, -1, 1):
        rack = rack.jump(towards)
        seen.append(rack.dials[0].strength)
    assert seen == [0.8, 0.8, 0.0, -0.75, -0.75, 0.0]


def test_jumping_without_a_recommendation_goes_to_the_ends() -> None:
    assert RACK.pick(1).jump(1).dials[1].strength == SEA.full


def test_a_muted_dial_keeps_its_strength_and_does_nothing() -> None:
    rack = RACK.turn(3).toggle_mute()
    assert strengths(rack) == {}
    assert strengths(rack.toggle_mute()) == {"mood": pytest.approx(0.3)}


def test_turning_a_muted_dial_unmutes_it() -> None:
    assert strengths(RACK.turn(3).toggle_mute().turn(1)) == {"mood": pytest.approx(0.4)}


def test_solo_silences_the_others_until_it_is_taken_back() -> None:
    rack = RACK.turn(3).pick(1).turn(1)
    assert strengths(rack.toggle_solo()) == {"sea": 0.2}
    assert strengths(rack.toggle_solo().toggle_solo()) == strengths(rack)
    assert strengths(rack.toggle_solo().pick(0).toggle_solo()) == {"mood": pytest.approx(0.3)}


def test_zero_all_is_the_model_as_it_is() -> None:
    rack = RACK.turn(3).toggle_mute().pick(1).turn(2).toggle_solo().zero_all()
    assert rack.settings() == ()
    assert rack.turn(1).settings() != ()
    assert not any(dial.muted for dial in rack.dials)


def test_removing_keeps_the_pick_on_the_same_dial_where_it_can() -> None:
    rack = RACK.pick(1).without(0)
    assert rack.names() == ("sea",)
    assert rack.current == SEA
    assert rack.without(0) == Rack()
    assert RACK.toggle_solo().without(0).solo is None


def test_a_dial_that_is_made_anew_takes_the_old_ones_place_and_strength() -> None:
    fresh = replace(MOOD, high=0.4, low=-0.4)
    rack = RACK.turn(3).pick(1).with_dial(fresh)
    assert rack.names() == ("mood", "sea")
    assert rack.current is not None
    assert rack.current.high == 0.4
    assert rack.current.strength == pytest.approx(0.3)


def test_layers_and_scope_that_the_person_chose_stay_when_the_vector_is_made_anew() -> None:
    mood = replace(MOOD, held=(3, 4, 5, 6))
    rack = (
        Rack().with_dial(mood).place("mood", (6, 3), "everything").with_dial(replace(mood, held=(4, 5, 6), layers=(5,)))
    )
    assert rack.dials[0].own_layers == (6,)
    assert rack.dials[0].scope == "everything"


def test_a_dial_can_be_placed_only_where_its_vector_can() -> None:
    mood = replace(MOOD, held=(3, 4, 5, 6), safe=(-0.7, 0.7), careful=(-0.9, 0.9))
    assert mood.placed((6, 99), "reply").own_layers == (6,)
    assert mood.placed((99,), "reply").own_layers is None
    assert mood.placed((4, 5), "reply").own_layers is None
    assert mood.placed(None, "prompt-start").scope == "reply"
    assert replace(mood, usual_scope="prompt-start").placed(None, "prompt-start").scope == "prompt-start"
    assert mood.placed(None, "reply").zone == "safe"
    assert mood.placed((6,), "reply").zone is None
    assert mood.placed(None, "everything").zone is None


def test_a_moved_dial_stays_picked_and_stops_at_the_ends() -> None:
    rack = RACK.with_dial(replace(SEA, name="lake")).pick(0)
    assert rack.move(0, 1).names() == ("sea", "mood", "lake")
    assert rack.move(0, 1).current == MOOD
    assert rack.move(0, 9).names() == ("sea", "lake", "mood")
    assert rack.move(2, -5).names() == ("lake", "mood", "sea")
    assert rack.move(0, -1) == rack
    assert rack.move(5, 0) == rack


@pytest.mark.parametrize("strength", [math.nan, math.inf, -math.inf])
def test_a_strength_that_is_no_number_changes_nothing(strength: float) -> None:
    assert RACK.set_strength(0, strength) == RACK


@given(st.floats(0.01, 40))
def test_the_bar_has_room_beyond_what_is_recommended(high: float) -> None:
    dial = replace(MOOD, low=-high / 2, high=high)
    assert high < dial.full <= 4 * max(high, 0.25)


def test_keys_that_pick_nothing_do_nothing() -> None:
    assert RACK.pick(7) == RACK
    assert Rack().pick_next(1).turn(1).jump(1).zero().toggle_mute().toggle_solo().without(0) == Rack()
    assert RACK.pick_next(1).pick_next(1).picked == 0
