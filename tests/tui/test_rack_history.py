"""Undoing and redoing what was done to the dials: plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from localsteer.tui.rack import Dial, Rack
from localsteer.tui.rack_history import REMEMBERED, RackHistory

MOOD = Dial("mood", "/mood.gguf", "sad", "happy", low=-0.75, high=0.8, layers=(4, 5), held=(1, 2, 3, 4, 5, 6))
SEA = Dial("sea", "/sea.gguf", "land", "sea")
RACK = Rack().with_dial(MOOD).with_dial(SEA).pick(0)

CHANGES: tuple[Callable[[Rack], Rack], ...] = (
    Rack.zero,
    Rack.zero_all,
    Rack.toggle_mute,
    Rack.toggle_solo,
    lambda rack: rack.turn(1),
    lambda rack: rack.turn(-3),
    lambda rack: rack.jump(1),
    lambda rack: rack.pick_next(1),
    lambda rack: rack.without(rack.picked),
    lambda rack: rack.with_dial(MOOD),
    lambda rack: rack.with_dial(replace(SEA, name="lake")),
    lambda rack: rack.move(rack.picked, rack.picked + 1),
    lambda rack: rack.place("mood", (2, 3), "everything"),
)


class Desk:
    """A rack and its history, as the app has them."""

    def __init__(self, rack: Rack = RACK) -> None:
        self.rack = rack
        self.history = RackHistory()

    def do(self, change: Callable[[Rack], Rack], run: str = "") -> None:
        after = change(self.rack)
        self.history = self.history.changed(self.rack, after, run)
        self.rack = after

    def undo(self) -> bool:
        found = self.history.undo(self.rack)
        if found is not None:
            self.history, self.rack = found
        return found is not None

    def redo(self) -> bool:
        found = self.history.redo(self.rack)
        if found is not None:
            self.history, self.rack = found
        return found is not None

    @property
    def sounds(self) -> tuple[object, ...]:
        return self.rack.dials, self.rack.solo


steps = st.lists(st.tuples(st.sampled_from(CHANGES), st.sampled_from(["", "mood", "sea"])), max_size=40)


@given(steps)
def test_undoing_everything_leads_to_the_beginning_and_redoing_everything_to_the_end(
    done: list[tuple[Callable[[Rack], Rack], str]],
) -> None:
    desk = Desk()
    seen = [desk.sounds]
    for change, run in done:
        desk.do(change, run)
        if desk.sounds != seen[-1]:
            seen.append(desk.sounds)
    end = desk.sounds
    on_the_way_back = []
    while desk.undo():
        on_the_way_back.append(desk.sounds)
        assert len(on_the_way_back) < len(seen)
    assert desk.sounds == seen[0]
    assert all(one in seen for one in on_the_way_back)
    while desk.redo():
        pass
    assert desk.sounds == end


@given(steps, st.integers(1, 5))
def test_each_undo_changes_something_and_redo_takes_it_back(
    done: list[tuple[Callable[[Rack], Rack], str]], times: int
) -> None:
    desk = Desk()
    for change, run in done:
        desk.do(change, run)
    for _ in range(times):
        before = desk.sounds
        if desk.undo():
            after = desk.sounds
            assert after != before
            assert desk.redo()
            assert desk.sounds == before
            assert desk.undo()
            assert desk.sounds == after


def test_many_turns_of_one_dial_are_one_change() -> None:
    desk = Desk()
    for _ in range(7):
        desk.do(lambda rack: rack.turn(1), "mood")
    assert desk.undo()
    assert desk.rack.dials[0].strength == 0.0
    assert not desk.undo()
    assert desk.redo()
    assert round(desk.rack.dials[0].strength, 6) == 0.7


def test_what_is_done_in_between_ends_a_run() -> None:
    desk = Desk()
    desk.do(lambda rack: rack.turn(1), "mood")
    desk.do(lambda rack: rack.pick(1))
    desk.do(lambda rack: rack.pick(0).turn(1), "mood")
    assert desk.undo()
    assert desk.rack.dials[0].strength == 0.1
    assert desk.undo()
    assert desk.rack.dials[0].strength == 0.0


def test_turning_a_dial_away_and_back_leaves_nothing_to_undo() -> None:
    desk = Desk()
    desk.do(lambda rack: rack.turn(2), "mood")
    desk.do(lambda rack: rack.turn(-2), "mood")
    assert not desk.undo()


def test_a_new_change_forgets_what_was_undone_and_picking_does_not() -> None:
    desk = Desk()
    desk.do(lambda rack: rack.jump(1))
    desk.undo()
    desk.do(lambda rack: rack.pick(1))
    assert desk.redo()
    desk.undo()
    desk.do(lambda rack: rack.jump(-1))
    assert not desk.redo()


def test_a_removed_dial_comes_back_where_it_was_with_its_strength() -> None:
    desk = Desk(RACK.turn(3))
    desk.do(lambda rack: rack.without(0))
    desk.undo()
    assert desk.rack == RACK.turn(3)


def test_only_so_many_changes_are_remembered() -> None:
    desk = Desk()
    for _ in range(REMEMBERED + 20):
        desk.do(Rack.toggle_mute)
    undone = 0
    while desk.undo():
        undone += 1
    assert undone == REMEMBERED


def test_undoing_keeps_a_vector_that_was_made_again() -> None:
    desk = Desk()
    desk.do(lambda rack: rack.turn(5))
    fresh = replace(MOOD, high=0.4, low=-0.4)
    desk.rack = desk.rack.with_dial(fresh)
    desk.history = desk.history.renewed(fresh)
    assert desk.undo()
    assert desk.rack.dials[0] == fresh
