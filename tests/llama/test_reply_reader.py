"""Texts read under a control vector give the logits that a steered context gives, token for token."""

from __future__ import annotations

import numpy as np
import pytest

from localsteer.errors import Stopped
from localsteer.llama.context import Context
from localsteer.llama.front import Front
from localsteer.llama.model import Model
from localsteer.llama.reply_reader import ReplyReader
from localsteer.llama.steering import UNSTEERED, Steering
from tests.llama.vectors import directions, steering

PROMPTS = ["the people could find the sea", "water", "the people could"]
REPLIES = [[5, 300, 17], [6], [34, 7, 8, 9]]


def read_by_itself(context: Context, prompt: list[int], begin: int, reply: list[int], vector: Steering) -> np.ndarray:
    rows = []
    for place in range(len(reply)):
        context.evaluate([(prompt[:begin], UNSTEERED), (prompt[begin:] + reply[:place], vector)])
        rows.append(context.logits().copy())
    return np.array(rows)


@pytest.mark.parametrize("name", ["bpe", "spm", "hybrid"])
def test_logits_are_those_of_a_steered_context(name: str, request: pytest.FixtureRequest) -> None:
    model: Model = request.getfixturevalue(name)
    prompts = [model.tokenize(text, start=True) for text in PROMPTS]
    begins = [max(1, len(prompt) - 2) for prompt in prompts]
    with ReplyReader(model, prompts, REPLIES, begins) as reader, Context(model, n_ctx=64) as context:
        for strength in (0.0, 1.5, 0.0, -1.5):
            data = strength * directions(model).ravel() if strength else None
            read: dict[int, list[np.ndarray]] = {}
            for text, place, logits in reader.read(data):
                assert place == len(read.setdefault(text, []))
                read[text].append(logits.copy())
            for text, (prompt, begin) in enumerate(zip(prompts, begins, strict=True)):
                vector = steering(model, strength) if strength else UNSTEERED
                alone = read_by_itself(context, prompt, begin, REPLIES[text], vector)
                # Other batch sizes go through other kernels, which round quantised weights otherwise.
                assert np.linalg.norm(np.array(read[text]) - alone) < 0.06 * np.linalg.norm(alone)


def test_a_vector_is_not_forgotten_nor_kept(bpe: Model) -> None:
    prompt = bpe.tokenize(PROMPTS[0], start=True)
    data = directions(bpe).ravel()
    with ReplyReader(bpe, [prompt], [[5, 6]], [len(prompt) - 1]) as reader:
        rows = [np.array([logits.copy() for _, _, logits in reader.read(given)]) for given in (None, data, None, data)]
    np.testing.assert_array_equal(rows[0], rows[2])
    np.testing.assert_array_equal(rows[1], rows[3])
    assert np.linalg.norm(rows[1] - rows[0]) > 0.3 * np.linalg.norm(rows[0])


def test_more_texts_than_fit_a_context_are_read_in_turns(bpe: Model) -> None:
    prompt = bpe.tokenize(PROMPTS[0], start=True)
    replies = [[token, 5] for token in range(300)]
    with ReplyReader(bpe, [prompt] * 300, replies, [len(prompt) - 1] * 300) as reader:
        for _ in range(2):
            found = [(text, place) for text, place, _ in reader.read(None)]
            assert found == [(text, place) for text in range(300) for place in range(2)]


def test_reading_stops_when_told(bpe: Model) -> None:
    stop = False
    with ReplyReader(bpe, [[1, 2]], [[3]], [1], should_stop=lambda: stop) as reader:
        assert len(list(reader.read(None))) == 1
        stop = True
        with pytest.raises(Stopped):
            list(reader.read(None))


def test_nothing_cannot_be_read_nor_a_vector_of_another_size(bpe: Model) -> None:
    with pytest.raises(ValueError, match="empty"):
        ReplyReader(bpe, [[1]], [[]], [0])
    with ReplyReader(bpe, [[1, 2]], [[3]], [1]) as reader, pytest.raises(ValueError, match="steering must be"):
        list(reader.read(np.zeros(3, dtype=np.float32)))


@pytest.mark.parametrize("name", ["bpe", "spm"])
def test_what_is_added_at_the_front_is_what_segments_of_a_context_get(
    name: str, request: pytest.FixtureRequest
) -> None:
    model: Model = request.getfixturevalue(name)
    prompts = [model.tokenize(text, start=True) for text in PROMPTS]
    rows = np.stack([(1 + place) * directions(model) for place in range(2)]).astype(np.float32)
    front = Front(1, rows)
    with (
        ReplyReader(model, prompts, REPLIES, [len(prompt) for prompt in prompts], front=front) as reader,
        Context(model, n_ctx=64) as context,
    ):
        read: dict[int, list[np.ndarray]] = {}
        for text, _, logits in reader.read(None):
            read.setdefault(text, []).append(logits.copy())
        for text, prompt in enumerate(prompts):
            whole = [*prompt, *REPLIES[text]]
            alone = []
            for place in range(len(REPLIES[text])):
                kept = whole[: len(prompt) + place]
                spans = [(kept[:1], UNSTEERED)]
                spans += [([token], Steering(("front", at), rows[at].ravel())) for at, token in enumerate(kept[1:3])]
                context.evaluate([*spans, (kept[3:], UNSTEERED)] if kept[3:] else spans)
                alone.append(context.logits().copy())
            assert np.linalg.norm(np.array(read[text]) - alone) < 0.06 * np.linalg.norm(alone)


def test_a_front_of_nothing_changes_nothing(bpe: Model) -> None:
    prompt = bpe.tokenize(PROMPTS[0], start=True)
    nothing = Front(1, np.zeros((2, bpe.n_layer - 1, bpe.n_embd), dtype=np.float32))
    assert nothing.layers == ()
    found = []
    for front in (None, nothing):
        with ReplyReader(bpe, [prompt], [[5, 6]], [len(prompt) - 1], front=front) as reader:
            found.append(np.array([logits.copy() for _, _, logits in reader.read(None)]))
    np.testing.assert_array_equal(found[0], found[1])
