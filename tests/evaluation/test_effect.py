"""Effects are what the logits of a steered context say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from localsteer.evaluation.cost import log_softmax
from localsteer.evaluation.effect import CompletionPair, EffectMeter
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.steering import UNSTEERED, Steering


@pytest.fixture(scope="module")
def model(random_bpe_model: Path) -> Iterator[Model]:
    with Model(random_bpe_model) as model:
        yield model


@pytest.mark.parametrize("size", [0.0, 0.7])
def test_an_effect_is_the_difference_of_the_mean_log_probabilities(model: Model, size: float) -> None:
    shape = (model.n_layer - 1, model.n_embd)
    steering = np.float32(size) * np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    texts = ("the people could find the sea", "water")
    prompts = [tuple(model.tokenize(text, start=True)) for text in texts]
    pairs = [
        CompletionPair(prompts[0], len(prompts[0]) - 1, (5, 300, 17), (6, 7)),
        CompletionPair(prompts[1], len(prompts[1]) - 1, (8,), (9, 10, 11, 12)),
    ]
    expected = []
    with Context(model, n_ctx=64) as context:
        for pair in pairs:
            means = []
            for answer in (pair.positive, pair.negative):
                found = []
                for place, token in enumerate(answer):
                    tail = [pair.prompt[-1], *answer[:place]]
                    context.evaluate([(pair.prompt[:-1], UNSTEERED), (tail, Steering("s", steering.ravel()))])
                    found.append(log_softmax(context.logits().copy())[token])
                means.append(np.mean(found))
            expected.append(means[0] - means[1])
    with EffectMeter(model, pairs) as meter:
        assert meter.at(steering) == pytest.approx(np.array(expected), rel=0.02, abs=0.02)
