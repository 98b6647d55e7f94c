"""A token tree gives the hidden states of every prompt by itself, for fewer tokens."""

from __future__ import annotations

import numpy as np
import pytest

from localsteer.errors import ModelError, PromptError, Stopped
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.prompt_trie import read_hidden_states, read_one_by_one
from localsteer.llama.residuals import ResidualTap, Rows
from localsteer.llama.steering import UNSTEERED

ENDINGS = ["happy", "sad", "happy sad", "wedding", "water and", "sea", ""]


def prompts(model: Model, count: int) -> list[list[int]]:
    personas = [model.tokenize(f"the {one} people could find", start=True) for one in ("happy", "sad", "long")]
    statements = [model.tokenize(f" {one} {other}") for one in ENDINGS for other in ENDINGS]
    every = [persona + statement for statement in statements for persona in personas]
    return [every[number * 7 % len(every)] for number in range(count)]


def test_one_by_one_gives_what_a_context_of_its_own_shows(bpe: Model) -> None:
    some = prompts(bpe, 4)
    states = read_one_by_one(bpe, some, layers=range(bpe.n_layer)).states
    rows: dict[int, Rows] = {}
    with Context(bpe, n_ctx=64, tap=ResidualTap(bpe.n_embd, range(bpe.n_layer), read=rows.__setitem__)) as context:
        for prompt, found in zip(some, states, strict=True):
            context.evaluate([([0], UNSTEERED)])
            context.evaluate([(prompt, UNSTEERED)])
            expected = np.stack([rows[layer][-1] for layer in range(bpe.n_layer)])
            np.testing.assert_allclose(found, expected, atol=0.05)


@pytest.mark.parametrize("layers", [[0, 1, 2, 3], [1, 2], [3], [2, 1]])
def test_the_tree_agrees_with_one_by_one_to_a_thousandth(bpe: Model, layers: list[int]) -> None:
    some = prompts(bpe, 60)
    tree, single = (read(bpe, some, layers=layers) for read in (read_hidden_states, read_one_by_one))
    assert np.abs(tree.states - single.states).max() < 1e-3
    assert tree.states.shape == (60, len(layers), bpe.n_embd)
    assert tree.layers == tuple(layers)
    np.testing.assert_allclose(tree.residual_norms, np.linalg.norm(single.states, axis=2).mean(axis=0), rtol=1e-4)


@pytest.mark.parametrize("layers", [[1, 2], [2, 3]])
def test_a_span_is_read_as_the_mean_of_its_tokens(bpe: Model, layers: list[int]) -> None:
    some = prompts(bpe, 40)
    spans = [(len(prompt) // 3, len(prompt) - number % 2) for number, prompt in enumerate(some)]
    tree = read_hidden_states(bpe, some, spans, layers=layers)
    single = read_one_by_one(bpe, some, spans, layers=layers)
    assert np.abs(tree.states - single.states).max() < 1e-3
    for number in (0, 7):
        begin, end = spans[number]
        parts = [read_one_by_one(bpe, [some[number][: at + 1]], layers=layers).states[0] for at in range(begin, end)]
        np.testing.assert_allclose(tree.states[number], np.mean(parts, axis=0), atol=1e-3)


def test_every_distinct_beginning_is_evaluated_once(bpe: Model) -> None:
    some = prompts(bpe, 100)
    tree = read_hidden_states(bpe, some, layers=[1])
    assert tree.tokens_evaluated == len({tuple(prompt[: n + 1]) for prompt in some for n in range(len(prompt))})
    assert tree.tokens_one_by_one == sum(map(len, some))


def test_more_prompts_than_a_context_has_sequences_are_read_in_parts(bpe: Model) -> None:
    many = [[1, first, second] for first in range(20) for second in range(20)]
    tree = read_hidden_states(bpe, many, layers=[1, 2])
    some = slice(None, None, 37)
    assert np.abs(tree.states[some] - read_one_by_one(bpe, many[some], layers=[1, 2]).states).max() < 1e-3
    assert 421 <= tree.tokens_evaluated <= 430


def test_a_model_that_shares_no_cache_says_when_it_shows_no_hidden_states(hybrid: Model) -> None:
    with pytest.raises(ModelError, match="plamo2"):
        read_hidden_states(hybrid, prompts(hybrid, 3), layers=[1])


def test_reading_tells_its_progress_and_can_be_stopped(bpe: Model) -> None:
    many = [[1, first, second] for first in range(40) for second in range(40)]
    told: list[tuple[int, int]] = []
    with pytest.raises(Stopped):
        read_hidden_states(
            bpe,
            many,
            layers=[1],
            progress=lambda done, total: told.append((done, total)),
            should_stop=lambda: len(told) >= 2,
        )
    assert len(told) == 2
    assert told[0][0] < told[1][0] < told[1][1]


def test_empty_and_overlong_prompts_are_refused(bpe: Model) -> None:
    with pytest.raises(PromptError, match="empty"):
        read_hidden_states(bpe, [[1], []], layers=[1])
    with pytest.raises(PromptError, match="513 tokens"):
        read_hidden_states(bpe, [[1] * 513], layers=[1])
    with pytest.raises(ValueError, match="span"):
        read_hidden_states(bpe, [[1, 2]], [(1, 3)], layers=[1])
    with pytest.raises(ValueError, match="layers"):
        read_hidden_states(bpe, [[1, 2]], layers=[4])
