"""Every token read along a vector: on the practice model, whose moods are known, and on random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import (
    DialMark,
    DialSetting,
    Finished,
    Generate,
    ReadTokens,
    Sampling,
    TokensRead,
    Turn,
)
from localsteer.errors import DialError, PromptError, VectorError
from localsteer.llama.prompt_trie import read_one_by_one
from localsteer.steering.vector_file import load_vector
from tests.engine.conftest import stamp, write_vector


def read(engine: Engine, *turns: Turn, vectors: tuple[DialSetting, ...], **options: object) -> TokensRead:
    command = replace(ReadTokens(1, turns, vectors), **options)  # type: ignore[arg-type]
    answer = list(engine.read_tokens(command))[-1]
    assert isinstance(answer, TokensRead)
    return answer


def of_turn(answer: TokensRead, turn: int, which: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    pairs = zip(answer.tokens, answer.readings[which].values, strict=True)
    return np.array([value for token, value in pairs if token.turn == turn])


def said(answer: TokensRead, turn: int) -> str:
    return "".join(token.text for token in answer.tokens if token.turn == turn)


QUESTION = Turn("user", "Tell me about gardens.")


def test_a_happy_reply_reads_as_happy_and_a_sad_one_as_sad(practice: Engine, mood: DialSetting) -> None:
    happy = read(
        practice, QUESTION, Turn("assistant", "The sunflowers have grown tall, and I am so happy!"), vectors=(mood,)
    )
    sad = read(
        practice, QUESTION, Turn("assistant", "The slugs ate all the lettuce, and I am so sad."), vectors=(mood,)
    )
    assert of_turn(happy, 1).mean() > of_turn(sad, 1).mean() + 0.3
    assert of_turn(happy, 1)[-1] > 0.2
    assert of_turn(sad, 1)[-1] < -0.2
    # What stands before it cannot know.
    assert of_turn(happy, 0) == pytest.approx(of_turn(sad, 0), abs=0.02)


def test_steered_replies_lean_where_the_dial_points_read_as_they_were_written(
    practice: Engine, mood: DialSetting
) -> None:
    means = {}
    for strength in (-1.0, 1.0):
        dials = (replace(mood, strength=strength),)
        events = list(practice.generate(Generate(1, (QUESTION,), dials, Sampling(seed=1))))
        written = events[-1]
        assert isinstance(written, Finished)
        reply = Turn("assistant", written.text, written.tokens, written.marks)
        answer = read(practice, QUESTION, reply, vectors=(mood,))
        assert answer.steered
        assert said(answer, 0) == QUESTION.content
        assert said(answer, 1).strip() == written.text
        assert len(of_turn(answer, 1)) == len(written.tokens)
        means[strength] = of_turn(answer, 1)
        # At the first layer that is steered nothing of the dial has come in yet: the text alone is read.
        unsteered = read(practice, QUESTION, replace(reply, marks=()), vectors=(mood,))
        assert not unsteered.steered
        assert of_turn(answer, 1) == pytest.approx(of_turn(unsteered, 1), abs=0.03)
    assert means[1.0][-8:].mean() > 0.3
    assert means[-1.0][-8:].mean() < -0.3


def test_the_readings_are_those_of_the_hidden_states(engine: Engine, vectors: tuple[DialSetting, DialSetting]) -> None:
    answer = read(engine, Turn("user", "the people find the word"), vectors=vectors, raw=True)
    assert engine._desk is not None
    model = engine._desk.model
    tokens = model.tokenize("the people find the word", start=True)
    spans = [(at, at + 1) for at in range(len(tokens))]
    states = read_one_by_one(model, [tokens] * len(tokens), spans, layers=[2], n_threads=1).states[:, 0]
    for dial, reading in zip(vectors, answer.readings, strict=True):
        direction = load_vector(Path(dial.vector_path)).directions[2]
        along = states @ (direction / np.linalg.norm(direction))
        assert np.corrcoef(along, reading.values)[0, 1] > 0.999
        assert (reading.name, reading.layer) == (dial.name, 2)
    assert said(answer, 0) == "the people find the word"


def test_what_a_dial_adds_at_the_layer_itself_is_not_read(
    engine: Engine, vectors: tuple[DialSetting, DialSetting]
) -> None:
    turns = (Turn("user", "the people"), Turn("assistant", "", (5, 6, 7, 8), ()))
    plain = read(engine, *turns, vectors=vectors)
    marks = (DialMark(0, (replace(vectors[0], strength=3.0),)),)
    steered = read(engine, turns[0], replace(turns[1], marks=marks), vectors=vectors)
    assert steered.steered
    for one, other in zip(plain.readings, steered.readings, strict=True):
        assert one.values == pytest.approx(other.values, abs=1e-3)


def test_what_a_dial_adds_further_down_is_read(
    engine: Engine, vectors: tuple[DialSetting, DialSetting], tmp_path: Path
) -> None:
    assert engine.card is not None
    low = DialSetting("low", str(write_vector(tmp_path / "low.gguf", stamp(engine.card), layer=1)), 3.0)
    question, reply = Turn("user", "the people"), Turn("assistant", "", (5, 6, 7, 8))
    plain = read(engine, question, reply, vectors=vectors)
    steered = read(engine, question, replace(reply, marks=(DialMark(0, (low,)),)), vectors=vectors)
    assert np.abs(of_turn(plain, 1) - of_turn(steered, 1)).max() > 0.05
    assert of_turn(plain, 0) == pytest.approx(of_turn(steered, 0), abs=1e-3)


def test_every_message_is_found_again_among_the_tokens(
    engine: Engine, vectors: tuple[DialSetting, DialSetting]
) -> None:
    turns = (
        Turn("system", "be kind"),
        Turn("user", "the word of the day — 🌻"),
        Turn("assistant", "it is the word"),
        Turn("user", "the people"),
    )
    answer = read(engine, *turns, vectors=vectors[:1])
    assert [said(answer, number).strip() for number in range(4)] == [turn.content for turn in turns]
    assert len(answer.tokens) == len(answer.readings[0].values)
    assert any(token.turn is None for token in answer.tokens)


def test_a_conversation_that_is_too_long_is_read_from_where_it_fits(
    engine: Engine, vectors: tuple[DialSetting, DialSetting]
) -> None:
    turns = tuple(Turn("user" if n % 2 == 0 else "assistant", f"the word {n} " * 20) for n in range(11))
    answer = read(engine, *turns, vectors=vectors[:1])
    assert 0 < answer.dropped < 10
    owners = {token.turn for token in answer.tokens} - {None}
    assert owners == set(range(answer.dropped, 11))
    assert said(answer, 10).strip() == turns[10].content.strip()


def test_the_chats_cache_is_untouched(fresh_engine: Engine, tmp_path: Path) -> None:
    engine = fresh_engine
    assert engine.card is not None
    dial = DialSetting("mood", str(write_vector(tmp_path / "mood.gguf", stamp(engine.card))), 1.0)
    turns = (Turn("user", "the people find the word of the day"),)
    command = Generate(1, turns, (), Sampling(temperature=0, max_tokens=4))
    list(engine.generate(command))
    read(engine, *turns, vectors=(dial,))
    again = list(engine.generate(command))[-1]
    assert isinstance(again, Finished)
    assert again.prompt_tokens_evaluated == 0


def test_what_cannot_be_read_is_refused_in_one_sentence(
    engine: Engine, vectors: tuple[DialSetting, DialSetting]
) -> None:
    turn = Turn("user", "the people")
    for layer in (0, 3, 99):
        with pytest.raises(DialError, match="layers 1 to 2"):
            read(engine, turn, vectors=vectors[:1], layer=layer)
    with pytest.raises(VectorError, match="no direction at layer 1"):
        read(engine, turn, vectors=vectors[:1], layer=1)
    with pytest.raises(PromptError, match="nothing to read"):
        read(engine, vectors=vectors)
    with pytest.raises(VectorError, match="not there any more"):
        read(engine, turn, vectors=(DialSetting("gone", "/no/such/file.gguf", 0.0),))
