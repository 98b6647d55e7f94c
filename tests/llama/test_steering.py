"""Dials act on exactly the positions and from exactly the token they should, and leave no trace when they are off."""

from __future__ import annotations

import numpy as np
import pytest

from localsteer.errors import DialError
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap, Rows
from localsteer.llama.sampling import Sampling
from localsteer.llama.spans import Evaluated
from localsteer.llama.steering import UNSTEERED, Steering
from tests.llama.vectors import directions, steering

GREEDY = Sampling(temperature=0, max_tokens=24)


@pytest.mark.parametrize("name", ["bpe", "spm"])
def test_a_control_vector_and_a_written_residual_give_the_same_logits_bit_for_bit(
    name: str, request: pytest.FixtureRequest
) -> None:
    model: Model = request.getfixturevalue(name)
    prompt = model.tokenize("the people could find the sea", start=True)
    vector = directions(model)
    with Context(model, n_ctx=64) as context:
        context.evaluate([(prompt, Steering("native", vector.ravel()))])
        native = context.logits().copy()
        context.evaluate([(prompt, UNSTEERED)])
        unsteered = context.logits().copy()

    def add(layer: int, rows: Rows) -> Rows:
        return np.asarray(rows + vector[layer - 1], dtype=np.float32)

    tap = ResidualTap(model.n_embd, range(1, model.n_layer), write=add)
    with Context(model, n_ctx=64, tap=tap) as context:
        context.evaluate([(prompt, UNSTEERED)])
        np.testing.assert_array_equal(context.logits(), native)
    assert not np.array_equal(native, unsteered)


def test_all_off_is_unsteered_bit_for_bit(bpe: Model, context: Context) -> None:
    prompt = bpe.tokenize("the people could find the sea", start=True)
    context.evaluate([(prompt, UNSTEERED)])
    never_steered = context.logits().copy()
    context.evaluate([(prompt, steering(bpe))])
    assert not np.array_equal(context.logits(), never_steered)
    context.evaluate([(prompt, Steering("all off", None))])
    np.testing.assert_array_equal(context.logits(), never_steered)


def test_a_vector_for_few_layers_leaves_nothing_of_an_earlier_one_behind(bpe: Model, context: Context) -> None:
    prompt = bpe.tokenize("the people could find the sea", start=True)
    one_layer = np.zeros((bpe.n_layer - 1, bpe.n_embd), dtype=np.float32)
    one_layer[0] = directions(bpe)[0]
    few = Steering("first layer only", one_layer.ravel())
    with Context(bpe, n_ctx=64) as fresh:
        fresh.evaluate([(prompt, few)])
        expected = fresh.logits().copy()
    context.evaluate([(prompt, steering(bpe, 2.0))])
    context.evaluate([(prompt, few)])
    np.testing.assert_array_equal(context.logits(), expected)


def test_a_dial_turned_in_mid_reply_changes_the_next_token_and_none_before(bpe: Model, context: Context) -> None:
    prompt = bpe.tokenize("the people could find", start=True)
    header = bpe.tokenize(" the sea")
    unsteered = list(
        context.generate([(prompt, UNSTEERED)], header=header, steering=lambda: UNSTEERED, sampling=GREEDY)
    )
    turned_after = 8
    vector = steering(bpe, 3.0)
    got: list[int] = []
    writing = context.generate(
        [(prompt, UNSTEERED)],
        header=header,
        steering=lambda: vector if len(got) >= turned_after else UNSTEERED,
        sampling=GREEDY,
    )
    for token in writing:
        got.append(token)
    assert got[:turned_after] == unsteered[:turned_after]
    assert got[turned_after] != unsteered[turned_after]
    assert got[turned_after:] != unsteered[turned_after:]
    assert writing.prompt == Evaluated(0, len(prompt))
    assert writing.chosen == [None] * turned_after + [vector.key] * (len(got) - turned_after)
    assert writing.keys == writing.chosen[1:]


def test_a_reply_evaluated_under_its_recorded_strengths_stands_in_the_cache_already(
    bpe: Model, context: Context
) -> None:
    prompt, header = bpe.tokenize("the people could find", start=True), bpe.tokenize(" the sea")
    known: dict[object, Steering] = {None: UNSTEERED, (0, 1.0): steering(bpe, 1.0)}
    got: list[int] = []
    writing = context.generate(
        [(prompt, UNSTEERED)],
        header=header,
        steering=lambda: known[(0, 1.0)] if 5 <= len(got) < 9 else UNSTEERED,
        sampling=GREEDY,
    )
    for token in writing:
        got.append(token)
    spans = [(prompt, UNSTEERED), (header, UNSTEERED)]
    spans += [([token], known[key]) for token, key in zip(got, writing.keys, strict=False)]
    continued = [*spans, (got[-1:], UNSTEERED)]
    assert context.evaluate(continued) == Evaluated(1, len(prompt) + len(header) + len(got) - 1)
    kept = context.logits().copy()
    with Context(bpe, n_ctx=256) as fresh:
        fresh.evaluate(continued)
        np.testing.assert_allclose(fresh.logits(), kept, atol=0.05)


def test_the_header_is_evaluated_under_what_is_in_force_when_its_turn_comes(bpe: Model) -> None:
    prompt, header = bpe.tokenize("the people could find " * 4, start=True), bpe.tokenize(" the sea")
    now = UNSTEERED
    vector = steering(bpe)

    def turn_while_the_prompt_is_evaluated(_done: int, _total: int) -> None:
        nonlocal now
        now = vector

    with Context(bpe, n_ctx=256, n_batch=8) as context:
        writing = context.generate(
            [(prompt, UNSTEERED)],
            header=header,
            steering=lambda: now,
            sampling=GREEDY,
            progress=turn_while_the_prompt_is_evaluated,
        )
        next(writing)
        assert writing.chosen == [vector.key]
        assert context.holds([(prompt, UNSTEERED), (header, vector)])


def test_steering_beyond_what_floats_hold_is_an_error_and_turning_back_mends_it(bpe: Model, context: Context) -> None:
    prompt = bpe.tokenize("the people could find the sea", start=True)
    calm = list(context.generate([(prompt, UNSTEERED)], steering=lambda: UNSTEERED, sampling=GREEDY))
    got: list[int] = []
    wild = Steering("wild", np.full((bpe.n_layer - 1) * bpe.n_embd, 3e38, dtype=np.float32))
    writing = context.generate(
        [(prompt, UNSTEERED)], steering=lambda: wild if len(got) >= 4 else UNSTEERED, sampling=GREEDY
    )
    with pytest.raises(DialError, match="turn them back"):
        got.extend(writing)
    assert got == calm[:4]
    assert list(context.generate([(prompt, UNSTEERED)], steering=lambda: UNSTEERED, sampling=GREEDY)) == calm


def test_data_of_the_wrong_size_is_not_handed_to_llama_cpp(bpe: Model, context: Context) -> None:
    with pytest.raises(ValueError, match="float32"):
        context.evaluate([([5], Steering("short", np.zeros(64, dtype=np.float32)))])
