"""Replies of the real backend: dials, marks, what is evaluated again and what is not, and how a reply ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import (
    DialMark,
    DialSetting,
    Event,
    Finished,
    Generate,
    Load,
    Notice,
    PromptProgress,
    Sampling,
    Started,
    TokenText,
    Turn,
)
from localsteer.errors import DialError, EngineError, PromptError, VectorError
from localsteer.steering.fit import ModelStamp
from tests.engine.conftest import stamp, write_vector
from tests.random_hybrid import write_random_hybrid

Dials = tuple[DialSetting, ...]
Vectors = tuple[DialSetting, DialSetting]

GREEDY = Sampling(temperature=0.0, max_tokens=16)
ASKED = (Turn("system", "be kind"), Turn("user", "tell me about the sea"))


def run(engine: Engine, command: Generate, on_event: Callable[[Event], None] | None = None) -> list[Event]:
    """All events; what ``on_event`` does in the middle of the work is in force before the next token."""
    events: list[Event] = []

    def say(event: Event) -> None:
        events.append(event)
        if on_event is not None:
            on_event(event)

    engine.carry_out(command, say)
    return events


def finished(events: Sequence[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def reply(
    engine: Engine,
    turns: tuple[Turn, ...] = ASKED,
    dials: Dials = (),
    *,
    sampling: Sampling = GREEDY,
    on_event: Callable[[Event], None] | None = None,
) -> Finished:
    return finished(run(engine, Generate(1, turns, dials, sampling), on_event))


def said(done: Finished) -> Turn:
    return Turn("assistant", done.text, done.tokens, done.marks)


def at_token(index: int, act: Callable[[], None]) -> Callable[[Event], None]:
    def on_event(event: Event) -> None:
        if isinstance(event, TokenText) and event.index == index:
            act()

    return on_event


def texts(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TokenText))


def notices(events: Sequence[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice)]


# ---------------------------------------------------------------- a reply


def test_the_tokens_that_are_said_make_the_reply(engine: Engine) -> None:
    events = run(engine, Generate(7, ASKED, sampling=Sampling(seed=5, max_tokens=20)))
    done = finished(events)
    assert texts(events) == done.text
    assert tuple(event.token for event in events if isinstance(event, TokenText) and event.index < 20) >= done.tokens
    assert all(getattr(event, "request", None) == 7 for event in events)
    assert done.seed == 5
    assert done.context_size == 512


def test_a_seed_is_drawn_and_told_so_that_the_same_reply_can_be_had_again(engine: Engine) -> None:
    first = reply(engine, sampling=Sampling(max_tokens=12))
    again = reply(engine, sampling=Sampling(max_tokens=12, seed=first.seed))
    assert again.tokens == first.tokens


def test_iterating_the_engine_gives_the_same_events(engine: Engine) -> None:
    assert finished(list(engine.generate(Generate(1, ASKED, sampling=GREEDY)))).tokens == reply(engine).tokens


def test_leaving_the_iteration_stops_the_reply(engine: Engine) -> None:
    for event in engine.generate(Generate(1, ASKED, sampling=replace(GREEDY, max_tokens=None))):
        if isinstance(event, TokenText):
            break
    assert reply(engine).reason == "length"


def test_a_forced_beginning_is_part_of_the_reply(engine: Engine) -> None:
    events = run(engine, Generate(1, ASKED, sampling=GREEDY, prefix="the happy sea"))
    done = finished(events)
    assert done.text.startswith("the happy sea")
    assert texts(events) == done.text
    assert len(done.tokens) > GREEDY.max_tokens  # type: ignore[operator]
    assert [event.index for event in events if isinstance(event, TokenText)][:3] == [0, 1, 2]


def test_raw_text_is_continued_without_a_template(engine: Engine) -> None:
    done = reply(engine, sampling=GREEDY)
    raw = finished(run(engine, Generate(1, (Turn("user", "the sea"),), sampling=GREEDY, raw=True)))
    assert raw.tokens != done.tokens
    assert raw.prompt_tokens_evaluated + raw.prompt_tokens_reused < 8


def test_a_plain_form_ends_where_the_next_turn_would_begin(random_bpe_model_without_template: Path) -> None:
    with Engine() as engine:
        assert not engine.load(Load(0, str(random_bpe_model_without_template), n_threads=1)).template
        done = finished(run(engine, Generate(1, ASKED, sampling=GREEDY, prefix="the end\nUser: and more")))
        assert (done.reason, done.text) == ("end", "the end")
        alone = finished(run(engine, Generate(1, ASKED, sampling=replace(GREEDY, max_tokens=1), prefix="the end")))
        assert done.tokens == alone.tokens[: len(done.tokens)]


def test_nothing_can_be_generated_before_a_model_is_loaded() -> None:
    with Engine() as engine, pytest.raises(EngineError, match="No model is loaded"):
        list(engine.generate(Generate(1, ASKED)))


# ---------------------------------------------------------------- dials


def test_a_dial_turned_in_mid_reply_changes_the_very_next_token_and_none_before(
    engine: Engine, vectors: Vectors
) -> None:
    plain = reply(engine)
    turned = reply(engine, on_event=at_token(5, lambda: engine.set_dials(vectors[:1])))
    assert turned.tokens[:6] == plain.tokens[:6]
    assert turned.tokens[6:] != plain.tokens[6:]
    assert turned.marks == (DialMark(0, ()), DialMark(6, vectors[:1]))
    assert turned.prompt_tokens_evaluated == 0


def test_the_first_token_is_steered_too(engine: Engine, vectors: Vectors) -> None:
    alone = replace(GREEDY, max_tokens=1)
    replies = {
        reply(engine, dials=(replace(vectors[0], strength=strength),), sampling=alone).tokens
        for strength in (-2.0, -1.0, 0.0, 1.0, 2.0)
    }
    assert len(replies) > 1


def test_with_scope_reply_no_token_of_the_prompt_is_evaluated_again(engine: Engine, vectors: Vectors) -> None:
    reply(engine)
    for strength in (0.5, -0.5, 1.0, 0.0):
        again = reply(engine, dials=(replace(vectors[0], strength=strength), vectors[1]))
        assert again.prompt_tokens_evaluated == 0
        assert again.prompt_tokens_reused > 20


def test_with_scope_everything_the_prompt_is_evaluated_under_the_dial(engine: Engine, vectors: Vectors) -> None:
    everything = (replace(vectors[0], scope="everything"),)
    reply(engine)
    steered = reply(engine, dials=everything)
    assert steered.prompt_tokens_evaluated > 20
    assert steered.tokens != reply(engine, dials=vectors[:1]).tokens
    assert reply(engine, dials=everything).tokens == steered.tokens


def test_the_order_of_dials_and_dials_at_zero_make_no_difference(engine: Engine, vectors: Vectors) -> None:
    both = reply(engine, dials=vectors)
    assert reply(engine, dials=vectors[::-1]).tokens == both.tokens
    nothing = (replace(vectors[0], strength=0.0), replace(vectors[1], strength=0.0, vector_path="gone.gguf"))
    assert reply(engine, dials=nothing).tokens == reply(engine).tokens


def test_a_vector_file_that_changed_is_read_again(engine: Engine, tmp_path: Path) -> None:
    assert engine.card is not None
    path = write_vector(tmp_path / "v.gguf", stamp(engine.card), seed=3)
    dials = (DialSetting("v", str(path), 1.0),)
    before = reply(engine, dials=dials).tokens
    write_vector(path, stamp(engine.card), seed=4, layer=1)
    assert reply(engine, dials=dials).tokens != before


def test_a_change_that_arrives_during_the_evaluation_of_the_prompt_counts_from_the_header_on(
    engine: Engine, vectors: Vectors
) -> None:
    wanted = reply(engine, dials=vectors[:1])
    other = (Turn("user", "tell me about the other sea"),)
    reply(engine, other)

    def turn(event: Event) -> None:
        if isinstance(event, PromptProgress):
            engine.set_dials(vectors[:1])

    turned = reply(engine, on_event=turn)
    assert turned.tokens == wanted.tokens
    assert turned.marks == (DialMark(0, vectors[:1]),)


def test_a_change_of_scope_everything_during_the_prompt_begins_the_prompt_again(
    random_bpe_model: Path, vectors: Vectors
) -> None:
    everything = (replace(vectors[0], scope="everything"),)
    turns = (Turn("user", "the sea and " * 300),)
    with Engine() as engine:
        engine.load(Load(0, str(random_bpe_model), n_ctx=2048, n_threads=1))
        wanted = reply(engine, turns, everything)
        reply(engine)
        progress: list[int] = []

        def turn(event: Event) -> None:
            if isinstance(event, PromptProgress):
                progress.append(event.done)
                engine.set_dials(everything)

        turned = reply(engine, turns, on_event=turn)
    assert turned.tokens == wanted.tokens
    assert turned.marks == (DialMark(0, everything),)
    assert progress[1] <= progress[0]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"scope": "prompt-start"}, DialError, "no directions for single positions"),
        ({"scope": "sideways"}, DialError, "sideways"),
        ({"strength": float("nan")}, DialError, "finite"),
        ({"strength": float("inf")}, DialError, "finite"),
        ({"layers": (3,)}, DialError, "layer 3"),
        ({"layers": ()}, DialError, "no layers"),
        ({"vector_path": "gone.gguf"}, VectorError, "gone.gguf"),
    ],
)
def test_a_dial_that_cannot_be_had_is_refused_in_one_sentence(
    engine: Engine, vectors: Vectors, change: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as refused:
        reply(engine, dials=(replace(vectors[0], **change),))  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


def test_a_dial_that_cannot_be_had_in_mid_reply_is_refused_by_a_notice_and_the_reply_goes_on(
    engine: Engine, vectors: Vectors
) -> None:
    gone = (replace(vectors[0], vector_path="gone.gguf"),)
    events = run(engine, Generate(1, ASKED, sampling=GREEDY), at_token(3, lambda: engine.set_dials(gone)))
    assert finished(events).tokens == reply(engine).tokens
    assert len(notices(events)) == 1
    assert "gone.gguf" in notices(events)[0]


def test_a_dial_that_cannot_be_had_when_the_reply_begins_is_refused_by_a_notice_too(
    engine: Engine, vectors: Vectors
) -> None:
    events: list[Event] = []
    ticket = engine.control.ticket()
    engine.set_dials((replace(vectors[0], vector_path="gone.gguf"),))
    engine.carry_out(Generate(1, ASKED, vectors[:1], sampling=GREEDY), events.append, ticket)
    assert finished(events).tokens == reply(engine, dials=vectors[:1]).tokens
    assert finished(events).marks[0].dials == vectors[:1]
    assert ["gone.gguf" in notice for notice in notices(events)] == [True]


def test_a_vector_of_another_size_is_refused(engine: Engine, tmp_path: Path) -> None:
    path = write_vector(tmp_path / "wide.gguf", ModelStamp("Other", "llama", 4, 96))
    with pytest.raises(VectorError, match="96 wide"):
        reply(engine, dials=(DialSetting("wide", str(path), 1.0),))


def test_a_vector_of_another_family_of_the_same_size_is_warned_about_once(engine: Engine, tmp_path: Path) -> None:
    path = write_vector(tmp_path / "cousin.gguf", ModelStamp("Cousin", "qwen2", 4, 64, "another vocabulary"))
    command = Generate(1, ASKED, (DialSetting("cousin", str(path), 1.0),), GREEDY)
    assert ["Cousin" in text for text in notices(run(engine, command))] == [True]
    assert notices(run(engine, command)) == []


def test_a_model_that_cannot_be_steered_chats_and_refuses_dials(tmp_path: Path) -> None:
    path = write_random_hybrid(tmp_path / "hybrid.gguf")
    with Engine() as engine:
        card = engine.load(Load(0, str(path), n_threads=1))
        assert not card.steerable
        vector = write_vector(tmp_path / "v.gguf", stamp(card))
        assert reply(engine).tokens
        assert reply(engine, dials=(DialSetting("v", str(vector), 0.0),)).tokens
        with pytest.raises(DialError, match="cannot be steered"):
            reply(engine, dials=(DialSetting("v", str(vector), 1.0),))


# ---------------------------------------------------------------- earlier replies


def conversation(engine: Engine, vectors: Vectors) -> tuple[Turn, ...]:
    """Two exchanges; in the first reply a dial is turned twice."""

    def turn(event: Event) -> None:
        if isinstance(event, TokenText) and event.index in (4, 9):
            engine.set_dials(vectors[:1] if event.index == 4 else vectors)

    first = reply(engine, on_event=turn)
    turns = (*ASKED, said(first), Turn("user", "more"))
    second = reply(engine, turns, vectors[1:])
    return (*turns, said(second), Turn("user", "and more"))


def test_a_next_turn_evaluates_only_what_is_new(engine: Engine, vectors: Vectors) -> None:
    turns = conversation(engine, vectors)
    for dials in ((), vectors[:1], vectors):
        events = run(engine, Generate(1, turns, dials, GREEDY))
        assert finished(events).prompt_tokens_evaluated <= 12
    assert finished(events).prompt_tokens_evaluated == 0


def test_a_conversation_that_is_evaluated_from_its_record_goes_on_as_the_one_that_was_lived(
    engine: Engine, fresh_engine: Engine, vectors: Vectors
) -> None:
    turns = conversation(engine, vectors)
    lived = reply(engine, turns)
    recorded = reply(fresh_engine, turns)
    assert recorded.prompt_tokens_reused == 0
    assert recorded.tokens == lived.tokens


def test_without_its_marks_the_same_conversation_goes_on_differently(
    fresh_engine: Engine, engine: Engine, vectors: Vectors
) -> None:
    turns = conversation(engine, vectors)
    recorded = reply(fresh_engine, turns)
    unmarked = reply(fresh_engine, tuple(replace(turn, marks=()) for turn in turns))
    assert unmarked.tokens != recorded.tokens


def test_afresh_evaluates_earlier_replies_under_the_present_dials(engine: Engine, vectors: Vectors) -> None:
    turns = conversation(engine, vectors)
    reply(engine, turns)
    afresh = finished(run(engine, Generate(1, turns, (), GREEDY, afresh=True)))
    unmarked = reply(engine, tuple(replace(turn, marks=()) for turn in turns))
    assert afresh.tokens == unmarked.tokens
    assert unmarked.prompt_tokens_evaluated == 0


def test_an_earlier_reply_whose_vector_is_gone_is_evaluated_without_it_and_a_notice_says_so(
    engine: Engine, vectors: Vectors
) -> None:
    gone = (replace(vectors[0], vector_path="gone.gguf"),)
    turns = (*ASKED, Turn("assistant", "the sea", None, (DialMark(0, gone),)), Turn("user", "more"))
    events = run(engine, Generate(1, turns, (), GREEDY))
    assert finished(events).tokens
    assert any("gone.gguf" in text for text in notices(events))


# ---------------------------------------------------------------- ends


def test_a_stop_ends_the_reply_and_keeps_what_was_said(engine: Engine) -> None:
    whole = reply(engine)
    stopped = reply(engine, on_event=at_token(4, engine.stop))
    assert stopped.reason == "stopped"
    assert stopped.tokens == whole.tokens[:5]
    assert reply(engine).tokens == whole.tokens


def test_a_stop_takes_effect_during_the_evaluation_of_the_prompt(random_bpe_model: Path) -> None:
    with Engine() as engine:
        engine.load(Load(0, str(random_bpe_model), n_ctx=2048, n_threads=1))

        def stop(event: Event) -> None:
            if isinstance(event, PromptProgress):
                engine.stop()

        events = run(engine, Generate(1, (Turn("user", "the sea and " * 300),), sampling=GREEDY), stop)
    assert not any(isinstance(event, Started | TokenText) for event in events)
    assert (finished(events).reason, finished(events).tokens) == ("stopped", ())


def test_work_that_waited_when_the_stop_came_does_not_begin(engine: Engine) -> None:
    ticket = engine.control.ticket()
    engine.stop()
    events: list[Event] = []
    engine.carry_out(Generate(1, ASKED, sampling=GREEDY), events.append, ticket)
    assert (finished(events).reason, finished(events).tokens) == ("stopped", ())


def test_a_reply_that_runs_out_of_context_says_so(random_bpe_model: Path) -> None:
    with Engine() as engine:
        engine.load(Load(0, str(random_bpe_model), n_ctx=48, n_threads=1))
        done = reply(engine, sampling=replace(GREEDY, max_tokens=None))
    assert done.reason == "context"
    assert done.context_used == done.context_size == 48


def test_the_oldest_turns_are_dropped_with_one_notice_and_the_system_prompt_stays(engine: Engine) -> None:
    exchange = (Turn("user", "tell me about the sea " * 3), Turn("assistant", "the sea is long " * 3))
    turns = (ASKED[0], *exchange * 12, Turn("user", "more"))
    events = run(engine, Generate(1, turns, sampling=GREEDY))
    (started,) = [event for event in events if isinstance(event, Started)]
    assert started.dropped > 0
    assert started.dropped % 2 == 0
    (notice,) = notices(events)
    assert str(started.dropped) in notice
    assert notices(run(engine, Generate(2, turns, sampling=GREEDY))) == []
    kept = (turns[0], *turns[1 + started.dropped :])
    assert reply(engine, kept).prompt_tokens_evaluated == 0


def test_a_prompt_that_alone_is_longer_than_the_context_is_refused_with_both_numbers(engine: Engine) -> None:
    with pytest.raises(PromptError, match=r"\d{3,} tokens.* 512 ") as refused:
        reply(engine, (ASKED[0], Turn("user", "the sea and " * 300)))
    assert "\n" not in str(refused.value)
    with pytest.raises(PromptError, match=" 512 "):
        run(engine, Generate(1, (Turn("user", "the sea and " * 300),), raw=True))


def test_a_reply_keeps_its_pace(engine: Engine) -> None:
    began = time.perf_counter()
    done = finished(run(engine, Generate(1, ASKED, sampling=replace(GREEDY, max_tokens=8), pace=40.0)))
    assert time.perf_counter() - began >= (len(done.tokens) - 1) / 40.0
    assert done.tokens == finished(run(engine, Generate(1, ASKED, sampling=replace(GREEDY, max_tokens=8)))).tokens


def test_a_reply_that_waits_for_its_pace_can_be_stopped(engine: Engine) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, TokenText):
            engine.stop()

    done = finished(run(engine, Generate(1, ASKED, sampling=GREEDY, pace=0.001), stop))
    assert done.reason == "stopped"
    assert len(done.tokens) == 1
