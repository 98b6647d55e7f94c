"""A reply written again exactly: same model, turns, seed, sampling, dials and course give the same tokens."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import (
    Course,
    DialMark,
    DialSetting,
    Event,
    Finished,
    Generate,
    Load,
    Notice,
    Sampling,
    Scope,
    TokenText,
    Turn,
)
from localsteer.errors import VectorError
from localsteer.library.places import practice_model

CONVERSATIONS = 20
MESSAGES = (
    "Tell me about gardens.",
    "Hello there.",
    "Do you like dogs?",
    "I had a long day today, and what I would like best is a walk by the sea.",
    "Why?",
)
ASKED = (Turn("user", "Tell me about gardens."),)


def write(
    engine: Engine, command: Generate, turned: dict[int, tuple[DialSetting, ...]] | None = None
) -> tuple[Finished, list[Event]]:
    """The reply; at the tokens in ``turned`` these dials are set."""
    events: list[Event] = []

    def say(event: Event) -> None:
        events.append(event)
        if isinstance(event, TokenText) and event.index in (turned or {}):
            engine.set_dials((turned or {})[event.index])

    engine.carry_out(command, say)
    assert isinstance(events[-1], Finished)
    return events[-1], events


def again(engine: Engine, turns: tuple[Turn, ...], sampling: Sampling, done: Finished) -> Finished:
    command = Generate(9, turns, (), replace(sampling, seed=done.seed), schedule=done.marks, course=done.course)
    found, events = write(engine, command)
    assert [event.text for event in events if isinstance(event, Notice)] == []
    return found


Written = tuple[tuple[Turn, ...], Sampling, Finished]


def converse(engine: Engine, mood: DialSetting, seed: int) -> list[Written]:
    """A conversation of up to three exchanges, with alternatives, edited beginnings, and dials turned at random."""
    dice = random.Random(seed)

    def dials() -> tuple[DialSetting, ...]:
        scope: Scope = "everything" if dice.random() < 0.3 else "reply"
        return (replace(mood, strength=dice.uniform(-2, 2), scope=scope),) if dice.random() < 0.7 else ()

    turns = (Turn("system", "You are happy."),) if dice.random() < 0.4 else ()
    found: list[Written] = []
    for _ in range(dice.randint(1, 3)):
        turns = (*turns, Turn("user", dice.choice(MESSAGES)))
        for _ in range(dice.randint(1, 2)):
            turned = {dice.randint(0, 15): dials() for _ in range(dice.randint(0, 2))}
            sampling = Sampling(
                temperature=dice.choice((0.0, 0.8, 1.5)), repeat_penalty=dice.choice((1.0, 1.1)), max_tokens=16
            )
            watched = (mood,) if dice.random() < 0.2 else ()
            done, _events = write(engine, Generate(1, turns, dials(), sampling, watched=watched), turned)
            found.append((turns, sampling, done))
        turns = (*turns, Turn("assistant", done.text, done.tokens, done.marks))
    return found


@pytest.fixture(scope="module")
def written(practice: Engine, mood: DialSetting) -> list[Written]:
    return [one for seed in range(CONVERSATIONS) for one in converse(practice, mood, seed)]


@pytest.fixture
def another() -> Iterator[Engine]:
    """Another engine with the same model, as after a restart."""
    with Engine() as engine:
        engine.load(Load(0, str(practice_model()), n_threads=1))
        yield engine


def test_every_reply_of_random_conversations_comes_again_in_the_same_engine(
    practice: Engine, written: list[Written]
) -> None:
    assert any(len(done.marks) > 1 for *_, done in written)
    for turns, sampling, done in random.Random(1).sample(written, len(written)):
        found = again(practice, turns, sampling, done)
        assert (found.tokens, found.marks, found.reason) == (done.tokens, done.marks, done.reason)


def test_every_reply_of_random_conversations_comes_again_in_another_engine(
    another: Engine, written: list[Written]
) -> None:
    for turns, sampling, done in written:
        assert again(another, turns, sampling, done).tokens == done.tokens


def test_a_reply_that_came_again_can_come_again_from_its_new_record(
    practice: Engine, another: Engine, written: list[Written]
) -> None:
    turns, sampling, done = written[-1]
    second = again(practice, turns, sampling, done)
    assert second.course == done.course
    assert again(another, turns, sampling, second).tokens == done.tokens


def test_what_was_cut_from_a_longer_batch_is_read_in_one_of_that_length(another: Engine) -> None:
    long = Turn("user", MESSAGES[3] + " Tell me more.")
    write(another, Generate(1, (long,), (), Sampling(max_tokens=2)))
    done, _ = write(another, Generate(1, (Turn("user", MESSAGES[3]),), (), Sampling(max_tokens=12)))
    kept, length, _ = done.course.cuts[0]
    assert kept < length
    write(another, Generate(1, ASKED, (), Sampling(max_tokens=2)))
    found = again(another, (Turn("user", MESSAGES[3]),), Sampling(max_tokens=12), done)
    assert found.tokens == done.tokens
    assert found.course == done.course


def test_the_number_of_threads_is_that_of_the_first_time(another: Engine) -> None:
    done, _ = write(another, Generate(1, ASKED, (), Sampling(max_tokens=12)))
    assert done.course.n_threads == 1
    with Engine() as engine:
        engine.load(Load(0, str(practice_model()), n_threads=2))
        assert again(engine, ASKED, Sampling(max_tokens=12), done).course.n_threads == 1


def test_turns_that_were_dropped_are_dropped_again_whatever_the_context(another: Engine) -> None:
    exchange = (Turn("user", MESSAGES[3]), Turn("assistant", "That sounds very nice to me, I must say."))
    turns = (*exchange * 8, Turn("user", MESSAGES[0]))
    sampling = Sampling(max_tokens=12)
    with Engine() as engine:
        engine.load(Load(0, str(practice_model()), n_ctx=256, n_threads=1))
        done, _ = write(engine, Generate(1, turns, (), sampling))
    assert done.course.dropped > 0
    found, _ = write(
        another, Generate(1, turns, (), replace(sampling, seed=done.seed), schedule=done.marks, course=done.course)
    )
    assert found.tokens == done.tokens


def test_a_dial_that_is_turned_meanwhile_takes_over(practice: Engine, mood: DialSetting) -> None:
    strong = (replace(mood, strength=2.0),)
    done, _ = write(practice, Generate(1, ASKED, strong, Sampling(max_tokens=20)))
    command = Generate(
        1,
        ASKED,
        (),
        Sampling(seed=done.seed, max_tokens=20),
        schedule=(*done.marks, DialMark(10, ())),
        course=done.course,
    )
    found, _ = write(practice, command, {4: ()})
    assert found.tokens[:5] == done.tokens[:5]
    assert found.marks == (DialMark(0, strong), DialMark(5, ()))


def test_a_vector_that_is_gone_is_said_before_anything_is_written(practice: Engine, mood: DialSetting) -> None:
    gone = DialMark(6, (replace(mood, vector_path="gone.gguf"),))
    with pytest.raises(VectorError, match="is not there any more"):
        write(practice, Generate(1, ASKED, (), schedule=(DialMark(0, ()), gone)))


@pytest.mark.parametrize("cuts", [((3, 3, 1),), ((999, 999, 1),), ((0, 4, 1),), ((5, 4, 2),), ((1, 600, 40),)])
def test_cuts_that_do_not_fit_what_is_read_cost_a_notice_and_no_reply(
    practice: Engine, cuts: tuple[tuple[int, int, int], ...]
) -> None:
    done, events = write(practice, Generate(1, ASKED, (), Sampling(max_tokens=4), course=Course(cuts)))
    assert len(done.tokens) > 0
    assert any("may come out differently" in event.text for event in events if isinstance(event, Notice))


def test_a_reply_that_was_read_afresh_comes_again(practice: Engine, mood: DialSetting) -> None:
    first, _ = write(practice, Generate(1, ASKED, (mood,), Sampling(max_tokens=12)))
    turns = (*ASKED, Turn("assistant", first.text, first.tokens, first.marks), Turn("user", "Why?"))
    sampling = Sampling(max_tokens=12)
    done, _ = write(practice, Generate(1, turns, (), sampling, afresh=True))
    assert done.course.afresh
    write(practice, Generate(1, turns, (), sampling))
    assert again(practice, turns, sampling, done).tokens == done.tokens


def test_a_forced_beginning_is_forced_again(practice: Engine, another: Engine) -> None:
    sampling = Sampling(max_tokens=8)
    done, _ = write(practice, Generate(1, ASKED, (), sampling, prefix="I really"))
    assert done.text.startswith("I really")
    assert again(another, ASKED, sampling, done).tokens == done.tokens


def test_a_change_of_dials_before_the_reply_begins_reads_an_afresh_conversation_under_them(
    practice: Engine, mood: DialSetting
) -> None:
    """Earlier replies that are read under the present dials are read under those that the reply begins with."""
    first, _ = write(practice, Generate(1, ASKED, (), Sampling(max_tokens=20, temperature=0.0)))
    turns = (*ASKED, Turn("assistant", first.text, first.tokens, first.marks), Turn("user", MESSAGES[3]))
    wanted, _ = write(practice, Generate(1, turns, (mood,), Sampling(temperature=0.0, max_tokens=12), afresh=True))
    write(practice, Generate(1, ASKED[:1], (), Sampling(max_tokens=1)))
    events: list[Event] = []

    def say(event: Event) -> None:
        if not events:
            practice.set_dials((mood,))
        events.append(event)

    practice.carry_out(Generate(1, turns, (), Sampling(temperature=0.0, max_tokens=12), afresh=True), say)
    assert isinstance(events[-1], Finished)
    assert events[-1].marks == (DialMark(0, (mood,)),)
    assert events[-1].tokens == wanted.tokens
