"""ActAdd: two texts make a vector with a direction for each position, which acts at the front of a message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import (
    DialSetting,
    Event,
    Extract,
    Extracted,
    Finished,
    Generate,
    Sampling,
    Started,
    Turn,
)
from localsteer.errors import RecipeError
from localsteer.llama.chat_template import plain_text, render
from localsteer.llama.context import Context
from localsteer.llama.residuals import ResidualTap, Rows
from localsteer.llama.steering import UNSTEERED, Steering
from localsteer.messages import Message
from localsteer.steering.vector_file import load_vector

WORDS = ("the people love", "hate")


@pytest.fixture(scope="module")
def dial(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> DialSetting:
    out = tmp_path_factory.mktemp("actadd") / "love.gguf"
    command = Extract(1, "", str(out), method="actadd", layers=(1, 2), words=WORDS)
    assert isinstance(list(engine.extract(command))[-1], Extracted)
    return DialSetting("love", str(out), 3.0, scope="prompt-start")


def generate(engine: Engine, text: str, dials: tuple[DialSetting, ...], *, raw: bool, tokens: int = 1) -> list[Event]:
    sampling = Sampling(temperature=0, max_tokens=tokens)
    return list(engine.generate(Generate(2, (Turn("user", text),), dials, sampling, raw=raw)))


def test_each_position_has_its_own_difference_and_the_shorter_text_is_padded_with_spaces(
    engine: Engine, dial: DialSetting
) -> None:
    assert engine._desk is not None
    model = engine._desk.model
    start = list(model.start_tokens)
    sides = [model.tokenize(text) for text in WORDS]
    assert len(sides[0]) > len(sides[1])
    sides[1] += [model.tokenize(" ")[-1]] * (len(sides[0]) - len(sides[1]))
    seen: list[dict[int, Rows]] = [{}, {}]
    for side, rows in zip(sides, seen, strict=True):

        def keep(layer: int, found: Rows, rows: dict[int, Rows] = rows) -> None:
            rows[layer] = found.copy()

        with Context(model, n_ctx=64, tap=ResidualTap(model.n_embd, [1, 2], read=keep)) as context:
            context.evaluate([(start + side, UNSTEERED)])
    vector = load_vector(Path(dial.vector_path))
    for layer in (1, 2):
        expected = (seen[0][layer] - seen[1][layer])[len(start) :]
        # A context for chatting keeps its cache in half precision.
        np.testing.assert_allclose(vector.front[layer], expected, atol=0.02)
        np.testing.assert_allclose(vector.directions[layer], expected.mean(axis=0), atol=0.02)
    assert vector.method == "actadd"
    assert vector.default_layers == (1, 2)


@pytest.mark.parametrize("raw", [True, False], ids=["plain text", "chat"])
def test_the_native_path_in_segments_equals_residuals_written_token_by_token(
    engine: Engine, dial: DialSetting, raw: bool
) -> None:
    text = "water and the people could find the sea and the word of the day at that time"
    assert engine._desk is not None
    model = engine._desk.model
    generate(engine, text, (dial,), raw=raw)
    native = engine._desk.context._decoder.logits().copy()

    pieces = plain_text(model, text) if raw else render(model, [Message("user", text)])
    tokens = [token for piece in pieces for token in piece.tokens]
    front, last = pieces[0].front, len(pieces[-1].tokens)
    own = model.tokenize(text)
    assert tokens[front : front + len(own)] == own
    vector = load_vector(Path(dial.vector_path))

    at = -1

    def add(layer: int, rows: Rows) -> Rows | None:
        return rows + np.float32(dial.strength) * vector.front[layer][at] if at >= 0 else None

    spans = [(tokens[:front], UNSTEERED)]
    with Context(model, n_ctx=128, tap=ResidualTap(model.n_embd, [1, 2], write=add)) as context:
        context.evaluate(spans)
        for at in range(vector.n_positions):
            spans.append(([tokens[front + at]], Steering(at)))
            context.evaluate(spans)
        at = -1
        spans += [(tokens[front + vector.n_positions : -last], UNSTEERED), (tokens[-last:], Steering("reply"))]
        context.evaluate(spans)
        reference = context.logits().copy()
    np.testing.assert_allclose(native, reference, atol=1e-4)
    with Context(model, n_ctx=128) as context:
        context.evaluate([(tokens, UNSTEERED)])
        assert np.abs(context.logits() - native).max() > 0.1


def test_only_the_front_of_the_message_is_evaluated_again_when_the_dial_is_turned(
    engine: Engine, dial: DialSetting
) -> None:
    text = "water and the people could find the sea and the word of the day at that time"

    def evaluated(dials: tuple[DialSetting, ...]) -> tuple[int, int]:
        (started,) = (e for e in generate(engine, text, dials, raw=False) if isinstance(e, Started))
        return started.prompt_tokens_evaluated, started.prompt_tokens_reused

    generate(engine, "something else", (), raw=False)
    evaluated((dial,))
    again = evaluated((dial,))
    assert again[0] == 0
    off = evaluated(())
    assert off[0] == again[1] - off[1] > 0
    assert off[1] > 0


def test_a_message_shorter_than_the_vector_takes_as_much_as_it_holds(engine: Engine, dial: DialSetting) -> None:
    finished = generate(engine, "sea", (dial,), raw=False, tokens=3)[-1]
    assert isinstance(finished, Finished)
    assert len(finished.tokens) == 3


def test_an_earlier_message_keeps_what_was_added_to_it(engine: Engine, dial: DialSetting) -> None:
    first = generate(engine, "the people could find", (dial,), raw=False, tokens=4)[-1]
    assert isinstance(first, Finished)
    turns = (
        Turn("user", "the people could find"),
        Turn("assistant", first.text, first.tokens, first.marks),
        Turn("user", "the sea"),
    )
    sampling = Sampling(temperature=0, max_tokens=6)
    warm = list(engine.generate(Generate(3, turns, (), sampling)))[-1]
    generate(engine, "something else entirely", (), raw=False)
    cold = list(engine.generate(Generate(4, turns, (), sampling)))[-1]
    assert isinstance(warm, Finished)
    assert isinstance(cold, Finished)
    assert warm.tokens == cold.tokens
    assert warm.prompt_tokens_reused > cold.prompt_tokens_reused


def test_the_front_survives_the_file_and_its_damage_is_told(engine: Engine, dial: DialSetting, tmp_path: Path) -> None:
    vector = load_vector(Path(dial.vector_path))
    assert vector.n_positions == len(engine._desk.model.tokenize(WORDS[0]))  # type: ignore[union-attr]
    doubled = 2 * vector
    np.testing.assert_allclose(doubled.front[2], 2 * vector.front[2], rtol=1e-6)
    np.testing.assert_allclose((-vector).front[2], -vector.front[2], rtol=1e-6)


def test_actadd_takes_one_pair_of_plain_texts(engine: Engine, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.json"
    pairs.write_text('[["I love", "I hate"], ["yes", "no"]]')
    with pytest.raises(RecipeError, match="ActAdd takes one pair of plain texts"):
        list(engine.extract(Extract(1, str(pairs), str(tmp_path / "x.gguf"), method="actadd")))
    with pytest.raises(RecipeError, match="two different ends"):
        list(engine.extract(Extract(1, "", str(tmp_path / "x.gguf"), method="actadd", words=("sea", "sea"))))
