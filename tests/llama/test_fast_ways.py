"""What is done faster than plainly comes to the same: the same states, the same vectors, the same words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from localsteer.llama import batch
from localsteer.llama.batch import generate_many
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.prompt_trie import read_hidden_states
from localsteer.llama.residuals import ResidualTap, Rows
from localsteer.llama.sampling import Sampling
from localsteer.llama.spans import Span
from localsteer.llama.steering import UNSTEERED
from tests.llama.test_prompt_trie import prompts
from tests.llama.vectors import directions, steering

GREEDY = Sampling(temperature=0, max_tokens=24)


def stored_states(model: Model, texts: list[list[int]], spans: list[tuple[int, int]]) -> npt.NDArray[np.float64]:
    """The plain way: every text by itself in an empty chat context, the whole graph computed, all rows of all layers
    but the last kept until the mean over a span is taken: float64[n_texts, n_layer - 1, n_embd].
    """
    rows: dict[int, Rows] = {}
    found = []
    with Context(
        model, n_ctx=64, tap=ResidualTap(model.n_embd, range(model.n_layer), read=rows.__setitem__)
    ) as context:
        for text, (begin, end) in zip(texts, spans, strict=True):
            context.forget()
            context.evaluate([(text, UNSTEERED)])
            assert context.logits().any()
            found.append([rows[layer][begin:end].astype(np.float64).mean(axis=0) for layer in range(model.n_layer - 1)])
    return np.array(found)


def cosines(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return np.asarray((one * other).sum(axis=-1) / lengths)


@pytest.mark.parametrize("over", ["the last token", "a span"])
def test_a_tree_that_stops_early_and_sums_as_it_goes_gives_the_vectors_of_stored_activations(
    bpe: Model, over: str
) -> None:
    texts = prompts(bpe, 120)
    spans = [(len(text) - 1 if over == "the last token" else len(text) // 2, len(text)) for text in texts]
    plain = stored_states(bpe, texts, spans)
    fast = read_hidden_states(bpe, texts, spans, layers=range(bpe.n_layer - 1)).states.astype(np.float64)
    assert cosines(fast, plain).min() > 0.9999
    # Persona 0 against persona 1, as a vector is made.
    one, other = ([number for number in range(120) if number * 7 % 3 == persona] for persona in (0, 1))
    vectors = [states[one].mean(axis=0) - states[other].mean(axis=0) for states in (fast, plain)]
    assert cosines(*vectors).min() > 0.9999


def test_stopping_early_changes_no_bit_of_the_layers_below(bpe: Model) -> None:
    texts = prompts(bpe, 60)
    whole = read_hidden_states(bpe, texts, layers=range(bpe.n_layer)).states
    for last in range(bpe.n_layer - 1):
        np.testing.assert_array_equal(read_hidden_states(bpe, texts, layers=[last]).states[:, 0], whole[:, last])


def test_the_rows_of_a_tree_in_many_batches_are_those_of_each_text(bpe: Model) -> None:
    # A tree of 500 nodes, read in two batches, with spans that begin in the one and end in the other.
    texts = [[1, 2, 3, first, second, third] for first in range(5) for second in range(7) for third in range(13)]
    spans = [(1 + number % 4, 6) for number in range(len(texts))]
    fast = read_hidden_states(bpe, texts, spans, layers=range(bpe.n_layer - 1))
    assert 256 < fast.tokens_evaluated < 2 * len(texts)
    some = slice(None, None, 31)
    assert cosines(fast.states[some].astype(np.float64), stored_states(bpe, texts[some], spans[some])).min() > 0.9999


def test_a_reply_after_what_is_cached_is_the_one_after_a_fresh_reading(bpe: Model, context: Context) -> None:
    beginning = bpe.tokenize("the people could find the water", start=True)
    turns = [bpe.tokenize(text) for text in (" and the sea", " or the happy wedding", " like him")]
    spans: list[Span] = []
    for number, turn in enumerate(turns):
        vector = steering(bpe, 0.5 * number)
        spans.append((beginning + turn if not spans else turn, UNSTEERED))
        lived = context.generate(spans, header=[5, 6], steering=lambda vector=vector: vector, sampling=GREEDY)  # type: ignore[misc]
        reply = list(lived)
        assert number == 0 or lived.prompt.reused > len(beginning)
        with Context(bpe, n_ctx=256) as fresh:
            anew = fresh.generate(spans, header=[5, 6], steering=lambda vector=vector: vector, sampling=GREEDY)  # type: ignore[misc]
            assert list(anew) == reply
            assert anew.prompt.reused == 0
        spans.append(([5, 6, *reply], vector))


@pytest.mark.parametrize("apart", [False, True], ids=["one cache", "a cache each"])
def test_strengths_in_one_batch_write_what_each_writes_alone(
    apart: bool, bpe: Model, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_apart", lambda model: apart)
    strengths = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]
    text = bpe.tokenize("the people could find the water and the sea", start=True)
    together = generate_many(
        bpe,
        [text] * len(strengths),
        steered_from=[len(text) - 3] * len(strengths),
        directions=directions(bpe),
        strengths=strengths,
        n_tokens=GREEDY.max_tokens or 0,
        temperature=0,
    )
    for strength, reply in zip(strengths, together, strict=True):
        vector = steering(bpe, strength) if strength else UNSTEERED
        alone = list(
            context.generate(
                [(text[:-3], UNSTEERED)],
                header=text[-3:],
                steering=lambda vector=vector: vector,  # type: ignore[misc]
                sampling=GREEDY,
            )
        )
        assert [token for token in reply if not bpe.is_end(token)] == alone
    assert len({tuple(reply) for reply in together}) == len(strengths)
