"""Replies side by side: each as it would be under its own dials, all of them together, each to be had again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import (
    MOST_SIDES,
    Compare,
    Compared,
    DialMark,
    DialSetting,
    Event,
    Finished,
    Generate,
    Load,
    Notice,
    Sampling,
    SideFinished,
    SideToken,
    Started,
    TokenText,
    Turn,
)
from localsteer.errors import DialError, ModelError, PromptError
from localsteer.library.places import practice_model
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import save_vector
from tests.engine.conftest import stamp
from tests.random_hybrid import write_random_hybrid

Dials = tuple[DialSetting, ...]

ASKED = (Turn("user", "Tell me about gardens."),)
SAMPLING = Sampling(seed=5, max_tokens=30)


def run(engine: Engine, command: Compare | Generate) -> list[Event]:
    events: list[Event] = []
    engine.carry_out(command, events.append)
    return events


def compare(engine: Engine, sides: tuple[Dials, ...], turns: tuple[Turn, ...] = ASKED) -> list[Finished]:
    events = run(engine, Compare(1, turns, sides, SAMPLING))
    assert isinstance(events[-1], Compared)
    found = {event.side: event.reply for event in events if isinstance(event, SideFinished)}
    return [found[side] for side in range(len(sides))]


def alone(engine: Engine, dials: Dials, turns: tuple[Turn, ...] = ASKED) -> Finished:
    last = run(engine, Generate(1, turns, dials, SAMPLING))[-1]
    assert isinstance(last, Finished)
    return last


def at(mood: DialSetting, *strengths: float) -> tuple[Dials, ...]:
    return tuple((replace(mood, strength=strength),) for strength in strengths)


def test_each_side_says_what_it_would_say_alone_in_exact_arithmetic(
    fresh_engine: Engine, vectors: tuple[DialSetting, DialSetting]
) -> None:
    """With F32 weights rounding moves nothing; the dials of scope everything are read into the prompt, too."""
    everything = (replace(vectors[0], scope="everything"),)
    turns = (Turn("system", "be kind"), Turn("user", "tell me about the sea"))
    sides: tuple[Dials, ...] = ((), vectors[:1], vectors, everything)
    together = compare(fresh_engine, sides, turns)
    assert len({reply.tokens for reply in together}) == len(sides)
    for reply, dials in zip(together, sides, strict=True):
        assert reply.tokens == alone(fresh_engine, dials, turns).tokens
        assert reply.marks == (DialMark(0, dials),)


def test_the_tokens_of_the_sides_come_in_turn_and_make_their_replies(practice: Engine, mood: DialSetting) -> None:
    events = run(practice, Compare(4, ASKED, at(mood, 2.0, -2.0), SAMPLING))
    tokens = [event for event in events if isinstance(event, SideToken)]
    assert [event.side for event in tokens[:8]] == [0, 1] * 4
    for done in (event for event in events if isinstance(event, SideFinished)):
        own = [event for event in tokens if event.side == done.side]
        assert "".join(event.text for event in own) == done.reply.text
        assert done.reply.seed == SAMPLING.seed
        assert done.reply.tokens_per_second > 0
    assert [event.seed for event in events if isinstance(event, Started)] == [SAMPLING.seed]
    assert {getattr(event, "request", None) for event in events} == {4}


def test_a_side_that_ends_early_says_so_while_the_others_go_on(practice: Engine, mood: DialSetting) -> None:
    for seed in range(20):
        events = run(practice, Compare(1, ASKED, at(mood, 1.0, -1.0), Sampling(seed=seed)))
        places = {event.side: place for place, event in enumerate(events) if isinstance(event, SideFinished)}
        first = min(places.values())
        if any(isinstance(event, SideToken) for event in events[first:]):
            break
    else:
        pytest.fail("all sides ended together for every seed")
    assert isinstance(events[-1], Compared)


def test_a_side_comes_again_exactly_in_the_same_engine_and_in_another(practice: Engine, mood: DialSetting) -> None:
    first = alone(practice, ())
    turns = (*ASKED, Turn("assistant", first.text, first.tokens, first.marks), Turn("user", "Why?"))
    strip = (*at(mood, -2.0, -1.0, 0.0, 1.0, 2.0), (replace(mood, scope="everything"),))
    together = compare(practice, strip, turns)
    with Engine() as another:
        another.load(Load(0, str(practice_model()), n_threads=1))
        for reply in together:
            for engine in (practice, another):
                command = Generate(8, turns, (), SAMPLING, schedule=reply.marks, course=reply.course)
                events = run(engine, command)
                assert isinstance(events[-1], Finished)
                assert (events[-1].tokens, events[-1].marks, events[-1].reason) == (
                    reply.tokens,
                    reply.marks,
                    reply.reason,
                )
                assert "".join(event.text for event in events if isinstance(event, TokenText)) == reply.text
                assert [event for event in events if isinstance(event, Notice)] == []


def test_the_chats_cache_is_kept(practice: Engine, mood: DialSetting) -> None:
    first = alone(practice, (mood,))
    more = (*ASKED, Turn("assistant", first.text, first.tokens, first.marks), Turn("user", "Why?"))
    alone(practice, (), more)
    compare(practice, at(mood, 1.0, 0.0))
    assert alone(practice, (), more).prompt_tokens_evaluated == 0


def test_a_prompt_that_the_chat_knows_is_not_read_again(practice: Engine, mood: DialSetting) -> None:
    alone(practice, ())
    (one, two) = compare(practice, at(mood, 1.0, 0.0))
    assert (one.prompt_tokens_evaluated, two.prompt_tokens_evaluated) == (0, 0)


def test_a_stop_ends_all_sides_and_keeps_what_they_said(practice: Engine, mood: DialSetting) -> None:
    events: list[Event] = []

    def say(event: Event) -> None:
        events.append(event)
        if isinstance(event, SideToken) and event.index == 3:
            practice.stop()

    practice.carry_out(Compare(1, ASKED, at(mood, 1.0, 0.0), SAMPLING), say)
    done = [event.reply for event in events if isinstance(event, SideFinished)]
    assert [reply.reason for reply in done] == ["stopped", "stopped"]
    assert all(len(reply.tokens) == 4 for reply in done)
    assert isinstance(events[-1], Compared)


def test_a_stop_that_came_before_leaves_the_sides_empty(practice: Engine, mood: DialSetting) -> None:
    ticket = practice.control.ticket()
    practice.stop()
    events: list[Event] = []
    practice.carry_out(Compare(1, (Turn("user", "Hello?"),), at(mood, 1.0, 0.0), SAMPLING), events.append, ticket)
    assert [event.reply.tokens for event in events if isinstance(event, SideFinished)] == [(), ()]


def test_a_side_turned_out_of_all_numbers_ends_all_with_a_notice_and_the_next_ones_are_whole(
    practice: Engine, tmp_path: Path
) -> None:
    assert practice.card is not None
    largest = np.full(practice.card.n_embd, 3e38, dtype=np.float32)
    path = tmp_path / "endless.gguf"
    save_vector(SteeringVector("endless", "up", "down", {2: largest, 3: largest}, stamp(practice.card)), path)
    endless = (DialSetting("endless", str(path), 1.0, (2, 3)),)
    events = run(practice, Compare(1, ASKED, (endless, ()), SAMPLING))
    assert [event.text for event in events if isinstance(event, Notice) and "no numbers" in event.text]
    assert [event.reply.reason for event in events if isinstance(event, SideFinished)] == ["stopped", "stopped"]
    assert [len(reply.tokens) > 3 for reply in compare(practice, ((), ()))] == [True, True]


def test_a_long_forced_beginning_is_forced_on_all_of_many_sides(practice: Engine) -> None:
    prefix = "I like gardens and dogs. " * 12
    events = run(practice, Compare(1, ASKED, ((),) * MOST_SIDES, replace(SAMPLING, max_tokens=4), prefix=prefix))
    replies = [event.reply for event in events if isinstance(event, SideFinished)]
    assert len(replies) == MOST_SIDES
    assert all(reply.text.startswith(prefix.strip()) for reply in replies)
    assert len({reply.tokens for reply in replies}) == 1


@pytest.mark.parametrize("count", [0, MOST_SIDES + 1])
def test_more_or_fewer_sides_than_can_be_are_refused(practice: Engine, count: int) -> None:
    with pytest.raises(DialError, match=f"1 to {MOST_SIDES}"):
        run(practice, Compare(1, ASKED, ((),) * count))


def test_without_a_message_there_is_nothing_to_compare(practice: Engine) -> None:
    with pytest.raises(PromptError, match="write a message"):
        run(practice, Compare(1, (), ((), ())))


def test_a_model_whose_memory_cannot_be_shared_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = write_random_hybrid(tmp_path_factory.mktemp("models") / "hybrid.gguf")
    with Engine() as engine:
        engine.load(Load(0, str(path), n_threads=1))
        with pytest.raises(ModelError, match="one after the other"):
            run(engine, Compare(1, ASKED, ((), ())))
