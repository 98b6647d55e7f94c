"""Many strengths in one batch beside one reply after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from localsteer.llama.batch import generate_many
from localsteer.llama.context import Context
from localsteer.llama.model import Model
from localsteer.llama.sampling import Sampling
from localsteer.llama.steering import UNSTEERED, Steering
from tests.benchmarks.rows import Row, Target, tell

_STRENGTHS = tuple(np.linspace(-2.0, 2.0, 9))
_SUBJECTS = ("sea", "day", "way", "people", "water", "part", "time", "word")
_N_TOKENS = 64
_HEADER = 4
"""Tokens at the end of a prompt that belong to the reply."""


def sweep_together(name: str, path: Path, target: Target, *, alone: int, times: int, n_threads: int) -> Row:
    """Nine strengths of one vector, eight prompts, 64 tokens each: seconds one after the other over seconds together.

    ``alone``: how many of the prompts are really answered one after the other, half of them before and half after all
    are answered together; the rest take as long.
    """
    ratios, together, apart = [], [], []
    with Model(path) as model:
        prompts = [model.tokenize(f"Tell me what you find about the {one}.", start=True) for one in _SUBJECTS]
        directions = 0.25 * np.random.default_rng(0).standard_normal((model.n_layer - 1, model.n_embd))
        vector = directions.astype(np.float32)
        with Context(model, n_ctx=256, n_threads=n_threads) as context:
            _one_by_one(context, prompts[:1], vector, 1)
            for number in range(times):
                parts = [prompts[: alone // 2], prompts[alone // 2 : alone]]
                first = _one_by_one(context, parts[0], vector)
                began = time.perf_counter()
                _at_once(model, prompts, vector, n_threads)
                together.append(time.perf_counter() - began)
                seconds = (first + _one_by_one(context, parts[1], vector)) * len(prompts) / alone
                apart.append(seconds)
                ratios.append(seconds / together[-1])
                tell(f"sweep, {name}, {number + 1} of {times}: {seconds:.1f} s and {together[-1]:.1f} s")
    remark = f"{median(apart):.1f} s and {median(together):.1f} s, {n_threads} threads"
    if alone < len(prompts):
        remark += f"; one after the other from {alone} of the {len(prompts)} prompts"
    row = f"sweep of 9 strengths × 8 prompts × 64 tokens, {name}: times faster than one after the other"
    return Row.of(row, target, ratios, remark=remark)


def _one_by_one(
    context: Context, prompts: Sequence[list[int]], vector: npt.NDArray[np.float32], most: int | None = None
) -> float:
    """Seconds; what a prompt has in common with the one before it is not read again."""
    began = time.perf_counter()
    for prompt in prompts:
        for strength in _STRENGTHS[:most]:
            steering = Steering(("sweep", strength), (np.float32(strength) * vector).ravel())
            written = list(
                context.generate(
                    [(prompt[:-_HEADER], UNSTEERED)],
                    header=prompt[-_HEADER:],
                    steering=lambda steering=steering: steering,  # type: ignore[misc]
                    sampling=Sampling(seed=1, max_tokens=_N_TOKENS),
                )
            )
            assert len(written) == _N_TOKENS, len(written)
    return time.perf_counter() - began


def _at_once(model: Model, prompts: Sequence[list[int]], vector: npt.NDArray[np.float32], n_threads: int) -> None:
    asked = [prompt for prompt in prompts for _ in _STRENGTHS]
    replies = generate_many(
        model,
        asked,
        steered_from=[len(prompt) - _HEADER for prompt in asked],
        directions=vector,
        strengths=list(_STRENGTHS) * len(prompts),
        n_tokens=_N_TOKENS,
        n_threads=n_threads,
    )
    assert all(len(reply) == _N_TOKENS for reply in replies)
