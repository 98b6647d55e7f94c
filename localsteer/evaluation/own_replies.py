"""The model's own unsteered replies, and what costs are measured on: those to neutral prompts, drawn and read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from localsteer.evaluation.cost import CostMeter
from localsteer.llama.batch import generate_many
from localsteer.llama.model import Model

_TEMPERATURE = 0.8

Progress = Callable[[int, int], None]


def own_replies(
    model: Model,
    prompts: Sequence[Sequence[int]],
    steered_from: Sequence[int],
    *,
    n_tokens: int,
    seed: int = 0,
    n_threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[list[int]]:
    """A reply of at most ``n_tokens`` tokens to each of ``prompts``, under no vector, at temperature 0.8.

    ``steered_from``: where each prompt is steered from when its reply is read again. The same arguments give the same
    replies. ``progress`` gets the tokens written and the most there can be. Raises Stopped, ModelError.
    """
    return generate_many(
        model,
        prompts,
        steered_from=steered_from,
        directions=None,
        strengths=[0.0] * len(prompts),
        n_tokens=n_tokens,
        temperature=_TEMPERATURE,
        seed=seed,
        n_threads=n_threads,
        progress=progress,
        should_stop=should_stop,
    )


def own_cost_meter(
    model: Model,
    prompts: Sequence[Sequence[int]],
    steered_from: Sequence[int],
    *,
    count: int,
    n_tokens: int,
    seed: int = 0,
    n_threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> CostMeter:
    """Draw ``count`` unsteered replies of at most ``n_tokens`` tokens, and a meter of costs on them; close it.

    ``prompts``: tokens of neutral prompts, answered in turn, each to be steered from its position in ``steered_from``
    on. The same arguments give the same replies. ``progress`` gets the tokens written and the most there can be. Raises
    Stopped if ``should_stop`` says so, ModelError where there is not enough memory.
    """
    numbers = [number % len(prompts) for number in range(count)]
    asked, begins = [prompts[number] for number in numbers], [steered_from[number] for number in numbers]
    replies = own_replies(
        model,
        asked,
        begins,
        n_tokens=n_tokens,
        seed=seed,
        n_threads=n_threads,
        progress=progress,
        should_stop=should_stop,
    )
    return CostMeter(model, asked, replies, begins, n_threads=n_threads, should_stop=should_stop)
