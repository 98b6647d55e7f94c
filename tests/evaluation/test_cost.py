"""Costs are what the logits of a steered context say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from localsteer.evaluation.cost import CostMeter, log_softmax
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.steering import UNSTEERED, Steering

REPLIES = [[5, 300, 17], [6, 7]]


@pytest.fixture(scope="module")
def model(random_bpe_model: Path) -> Iterator[Model]:
    with Model(random_bpe_model) as model:
        yield model


def steering(model: Model, size: float) -> np.ndarray:
    shape = (model.n_layer - 1, model.n_embd)
    return np.float32(size) * np.random.default_rng(3).standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="module")
def prompts(model: Model) -> list[list[int]]:
    return [model.tokenize(text, start=True) for text in ("the people could find the sea", "water")]


@pytest.fixture(scope="module")
def meter(model: Model, prompts: list[list[int]]) -> Iterator[CostMeter]:
    with CostMeter(model, prompts, REPLIES, [len(prompt) - 1 for prompt in prompts]) as meter:
        yield meter


def test_no_steering_costs_nothing(model: Model, meter: CostMeter) -> None:
    cost = meter.at(steering(model, 0))
    assert cost.perplexity_ratio == pytest.approx(1.0, abs=1e-6)
    # The unsteered distribution is kept in half precision.
    assert cost.kl == pytest.approx(0.0, abs=1e-3)


def test_costs_are_those_of_logits_computed_one_by_one(
    model: Model, meter: CostMeter, prompts: list[list[int]]
) -> None:
    vector = steering(model, 0.7)
    losses: dict[str, list[float]] = {"steered": [], "own": []}
    divergences = []
    with Context(model, n_ctx=64) as context:
        for prompt, reply in zip(prompts, REPLIES, strict=True):
            for place, token in enumerate(reply):
                found = {}
                for name, given in (("steered", Steering("s", vector.ravel())), ("own", UNSTEERED)):
                    context.evaluate([(prompt[:-1], UNSTEERED), (prompt[-1:] + reply[:place], given)])
                    found[name] = log_softmax(context.logits().copy()).astype(np.float64)
                    losses[name].append(-found[name][token])
                divergences.append(np.exp(found["steered"]) @ (found["steered"] - found["own"]))
    cost = meter.at(vector)
    assert cost.perplexity_ratio == pytest.approx(np.exp(np.mean(losses["steered"]) - np.mean(losses["own"])), rel=0.02)
    assert cost.kl == pytest.approx(np.mean(divergences), rel=0.05)
    assert cost.kl_95 == pytest.approx(np.quantile(divergences, 0.95), rel=0.05)


def test_steering_that_leaves_no_numbers_costs_everything(model: Model, meter: CostMeter) -> None:
    endless = np.full((model.n_layer - 1, model.n_embd), 3e38, dtype=np.float32)
    assert meter.at(endless).perplexity_ratio == np.inf
    # and leaves nothing behind
    assert meter.at(steering(model, 0)).perplexity_ratio == pytest.approx(1.0, abs=1e-6)
