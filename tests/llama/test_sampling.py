"""Tokens are drawn by llama.cpp's chain, and a seed makes them repeatable."""

from __future__ import annotations

import dataclasses

from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.sampling import Sampling
from localsteer.llama.steering import UNSTEERED


def reply(model: Model, context: Context, sampling: Sampling) -> list[int]:
    prompt = model.tokenize("the people could find the sea", start=True)
    return list(context.generate([(prompt, UNSTEERED)], steering=lambda: UNSTEERED, sampling=sampling))


def test_the_same_seed_writes_the_same_reply(bpe: Model, context: Context) -> None:
    sampling = Sampling(temperature=1.0, seed=5, max_tokens=30)
    first = reply(bpe, context, sampling)
    assert first == reply(bpe, context, sampling)
    assert first != reply(bpe, context, dataclasses.replace(sampling, seed=6))


def test_temperature_zero_takes_the_likeliest_token(bpe: Model, context: Context) -> None:
    (token,) = reply(bpe, context, Sampling(temperature=0, max_tokens=1))
    context.evaluate([(bpe.tokenize("the people could find the sea", start=True), UNSTEERED)])
    assert token == int(context.logits().argmax())


def test_top_k_of_one_is_greedy_at_any_temperature(bpe: Model, context: Context) -> None:
    greedy = reply(bpe, context, Sampling(temperature=0, max_tokens=30))
    assert reply(bpe, context, Sampling(temperature=2.0, top_k=1, seed=1, max_tokens=30)) == greedy


def test_the_penalty_makes_repetition_rarer(bpe: Model, context: Context) -> None:
    free = reply(bpe, context, Sampling(temperature=0, max_tokens=120))
    penalised = reply(bpe, context, Sampling(temperature=0, repeat_penalty=2.0, max_tokens=120))
    assert len(set(penalised)) > len(set(free))


def test_a_reply_has_at_most_as_many_tokens_as_wanted(bpe: Model, context: Context) -> None:
    assert reply(bpe, context, Sampling(temperature=0, max_tokens=0)) == []
    assert len(reply(bpe, context, Sampling(temperature=0, max_tokens=3))) == 3
