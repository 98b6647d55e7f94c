"""Needles: how far a reply leans by itself while it is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.needles import Needles
from localsteer.engine.protocol import (
    DialSetting,
    Event,
    Finished,
    Generate,
    MeasureNeedles,
    NeedlesMeasured,
    NeedlesMoved,
    Notice,
    ReadTokens,
    Sampling,
    Stopped,
    TokensRead,
    Turn,
)
from localsteer.llama.steering import Steering
from localsteer.steering.reading import Gauge

QUESTION = Turn("user", "Tell me about gardens.")


def write(
    engine: Engine,
    strength: float,
    dial: DialSetting,
    *,
    watched: tuple[DialSetting, ...] | None = None,
    n: int | None = None,
) -> list[Event]:
    dials = (replace(dial, strength=strength),) if strength else ()
    sampling = Sampling(seed=4, max_tokens=n)
    command = Generate(1, (QUESTION,), dials, sampling, watched=(dial,) if watched is None else watched)
    return list(engine.generate(command))


def last_needles(events: list[Event]) -> dict[str, float]:
    return dict([event for event in events if isinstance(event, NeedlesMoved)][-1].readings)


def finished(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def test_the_needle_goes_where_the_text_goes(practice: Engine, mood: DialSetting) -> None:
    assert last_needles(write(practice, 1.0, mood))["mood"] > 0.3
    assert last_needles(write(practice, -1.0, mood))["mood"] < -0.3


def test_a_dial_at_zero_is_watched_too(practice: Engine, mood: DialSetting) -> None:
    events = write(practice, 0.0, mood, watched=(replace(mood, strength=0.0),))
    assert last_needles(events)["mood"] != 0.0


def test_what_the_dial_adds_itself_does_not_move_it(practice: Engine, mood: DialSetting) -> None:
    # Of two tokens the first is evaluated, to choose the second.
    done = finished(events := write(practice, 1.0, mood, n=2))
    command = ReadTokens(2, (QUESTION, Turn("assistant", done.text, done.tokens)), (mood,))
    read = list(practice.read_tokens(command))[-1]
    assert isinstance(read, TokensRead)
    assert not read.steered
    ((_, first), *_) = read.by_turn()[1]
    assert last_needles(events)["mood"] == pytest.approx(first * 2 / 9, abs=0.01)


def test_watching_changes_no_token(practice: Engine, mood: DialSetting) -> None:
    assert finished(write(practice, 1.0, mood)).tokens == finished(write(practice, 1.0, mood, watched=())).tokens


def test_while_nobody_watches_nobody_listens(practice: Engine, mood: DialSetting) -> None:
    write(practice, 0.0, mood)
    assert practice._desk is not None
    assert practice._desk.context._decoder._tap is not None
    events = write(practice, 0.0, mood, watched=())
    assert not [event for event in events if isinstance(event, NeedlesMoved)]
    assert practice._desk.watch is None
    assert practice._desk.context._decoder._tap is None


def test_switching_them_on_and_off_keeps_what_is_cached(practice: Engine, mood: DialSetting) -> None:
    write(practice, 0.0, mood, watched=())
    for watched in ((mood,), ()):
        done = finished(write(practice, 0.0, mood, watched=watched))
        assert done.prompt_tokens_evaluated == 0
        assert done.prompt_tokens_reused > 5


def test_a_vector_that_is_gone_costs_its_needle_and_not_the_reply(practice: Engine, mood: DialSetting) -> None:
    gone = DialSetting("gone", "/no/such/file.gguf", 0.0)
    events = write(practice, 0.0, mood, watched=(gone, mood))
    assert finished(events).tokens
    assert set(last_needles(events)) == {"mood"}
    assert any("gone" in event.text for event in events if isinstance(event, Notice))


def test_what_they_cost_is_measured_unless_something_else_is_to_do(practice: Engine) -> None:
    (measured,) = practice.measure_needles(MeasureNeedles(1))
    assert isinstance(measured, NeedlesMeasured)
    assert measured.unwatched > 0
    assert measured.watched > 0
    said: list[Event] = []
    ticket = practice.control.ticket()
    practice.control.ticket()
    practice.carry_out(MeasureNeedles(2), said.append, ticket)
    assert said == [Stopped(2)]


class TestArithmetic:
    GAUGE = Gauge(2, np.array([1.0, 0.0], dtype=np.float32), 0.5, "poles")

    def needles(self, *times: float) -> Needles:
        clock = iter(times)
        needles = Needles([("mood", self.GAUGE)], clock=lambda: next(clock))
        needles.moving = True
        return needles

    def test_it_settles_at_what_comes_again_and_again(self) -> None:
        needles = self.needles(0.0)
        for _ in range(40):
            needles.take(2, np.array([[1.5, 9.0]], dtype=np.float32))
        moved = needles.news(1)
        assert moved is not None
        assert dict(moved.readings) == {"mood": pytest.approx(1.0, abs=1e-3)}

    def test_what_is_added_is_taken_away_and_other_layers_do_not_count(self) -> None:
        needles = self.needles(0.0)
        needles.in_force = Steering("some", np.array([7, 7, 3, 0, 5, 5], dtype=np.float32))
        needles.take(2, np.array([[3.5, 0.0]], dtype=np.float32))
        needles.take(1, np.array([[99.0, 0.0]], dtype=np.float32))
        moved = needles.news(1)
        assert moved is not None
        assert moved.readings == (("mood", 0.0),)

    def test_what_is_no_number_leaves_it_where_it_is(self) -> None:
        needles = self.needles(0.0)
        for number in (1.5, float("nan"), float("inf")):
            needles.take(2, np.array([[number, 0.0]], dtype=np.float32))
        moved = needles.news(1)
        assert moved is not None
        assert dict(moved.readings) == {"mood": pytest.approx(2 / 9, abs=1e-3)}

    def test_news_come_ten_times_a_second_at_most_and_the_last_in_any_case(self) -> None:
        needles = self.needles(0.0, 0.05, 0.11, 0.12, 0.13)
        row = np.array([[1.5, 0.0]], dtype=np.float32)

        def said(*, last: bool = False) -> bool:
            needles.take(2, row)
            return needles.news(1, last=last) is not None

        assert [said(), said(), said(), said(last=True)] == [True, False, True, True]
        assert needles.news(1, last=True) is None
