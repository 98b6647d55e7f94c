"""Hidden states are read and written where they should be, and errors on the way are not lost."""

from __future__ import annotations

import numpy as np
import pytest

from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.residuals import ResidualTap, Rows
from localsteer.llama.steering import UNSTEERED, Steering
from tests.llama.vectors import directions


def read_all(model: Model, steering: Steering) -> dict[int, Rows]:
    rows: dict[int, Rows] = {}
    tap = ResidualTap(model.n_embd, range(model.n_layer), read=rows.__setitem__)
    with Context(model, n_ctx=64, tap=tap) as context:
        context.evaluate([(model.tokenize("the people could find", start=True), steering)])
    return rows


def test_every_layer_shows_a_row_for_every_token_and_the_last_one_for_outputs(bpe: Model) -> None:
    n_tokens = len(bpe.tokenize("the people could find", start=True))
    rows = read_all(bpe, UNSTEERED)
    assert {layer: len(found) for layer, found in rows.items()} == {0: n_tokens, 1: n_tokens, 2: n_tokens, 3: 1}


def test_layer_k_of_a_control_vector_is_added_to_the_output_of_block_k(bpe: Model) -> None:
    vector = np.zeros((bpe.n_layer - 1, bpe.n_embd), dtype=np.float32)
    vector[1] = directions(bpe)[1]
    plain, steered = read_all(bpe, UNSTEERED), read_all(bpe, Steering("layer 2", vector.ravel()))
    np.testing.assert_array_equal(steered[1], plain[1])
    np.testing.assert_array_equal(steered[2], plain[2] + vector[1])


def test_nothing_above_the_last_layer_wanted_is_computed(bpe: Model) -> None:
    rows: dict[int, Rows] = {}
    tap = ResidualTap(bpe.n_embd, range(bpe.n_layer), read=rows.__setitem__, stop_after=1)
    with Context(bpe, n_ctx=64, tap=tap) as context:
        for _ in range(2):
            context.evaluate([(bpe.tokenize("the people", start=True), UNSTEERED)])
            context.evaluate([(bpe.tokenize("sea", start=True), UNSTEERED)])
            assert set(rows) == {0, 1}


def test_what_a_callback_raises_comes_out_of_the_evaluation(bpe: Model) -> None:
    def fail(_layer: int, _rows: Rows) -> None:
        raise ZeroDivisionError

    with Context(bpe, n_ctx=64, tap=ResidualTap(bpe.n_embd, [1], read=fail)) as context:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                context.evaluate([(bpe.tokenize("the people", start=True), UNSTEERED)])
            assert context.used == 0


def test_rows_of_another_shape_are_not_written(bpe: Model) -> None:
    tap = ResidualTap(bpe.n_embd, [1], write=lambda _layer, rows: rows[:, :-1])
    with Context(bpe, n_ctx=64, tap=tap) as context, pytest.raises(ValueError, match="bytes"):
        context.evaluate([(bpe.tokenize("the people", start=True), UNSTEERED)])
