"""How far a new vector can be turned, and at which layers it is best added: measured on the model itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from localsteer.engine.desk import Desk
from localsteer.engine.measuring import completion_pairs
from localsteer.engine.pace import Pace
from localsteer.engine.positions import tokens_of
from localsteer.errors import RecipeError
from localsteer.evaluation.calibrate import Bounds, SafeRange, find_safe_range
from localsteer.evaluation.effect import EffectMeter
from localsteer.evaluation.neutral import neutral_prompts
from localsteer.evaluation.own_replies import own_cost_meter
from localsteer.steering.calibration import Calibration, MeasuredCost
from localsteer.steering.contrast import ContrastSet
from localsteer.steering.dials import Dial, added
from localsteer.steering.layers import candidate_windows
from localsteer.steering.vector import SteeringVector

RECOMMENDED_SHARE = 0.95
"""How much of the safe range is recommended: most of the effect, with room before it costs too much."""
_REPLIES_TO_CHOOSE = 12
_TOKENS_TO_CHOOSE = 40

Paces = Callable[[str], Pace]


def calibrated(
    desk: Desk,
    contrast: ContrastSet,
    vector: SteeringVector,
    paces: Paces,
    should_stop: Callable[[], bool],
    *,
    thorough: bool = False,
) -> SteeringVector:
    """``vector`` with its safe range and recommended strengths. Raises Stopped, ModelError."""
    pace = paces("measuring")
    pace(0, 1)
    asked = [tokens_of(desk.model, prompt) for prompt in neutral_prompts(contrast)]
    found = find_safe_range(
        desk.model,
        added(Dial(vector, 1.0), desk.model.n_layer, desk.model.n_embd),
        [prompt.tokens for prompt in asked],
        [prompt.reply for prompt in asked],
        thorough=thorough,
        n_threads=desk.context.n_threads,
        progress=pace,
        should_stop=should_stop,
    )
    low, high = (round(RECOMMENDED_SHARE * end, 2) or RECOMMENDED_SHARE * end for end in (found.low, found.high))
    return vector.with_strengths(low, high).with_calibration(_calibration(found))


def best_layers(
    desk: Desk, contrast: ContrastSet, vector: SteeringVector, paces: Paces, should_stop: Callable[[], bool]
) -> tuple[int, ...]:
    """The window of layers at which the recommended strengths, within the bounds on cost, have the largest effect.

    Tried are the windows that :func:`localsteer.steering.layers.choose_layers` chooses from. Where nothing can be
    measured, the vector's default layers. Raises Stopped, ModelError.
    """
    model, threads = desk.model, desk.context.n_threads
    windows = candidate_windows(tuple(vector.directions), model.n_layer)
    try:
        pairs = completion_pairs(model, contrast, n_threads=threads, should_stop=should_stop)
    except RecipeError:
        return vector.default_layers
    asked = [tokens_of(model, prompt) for prompt in neutral_prompts(contrast)]
    pace = paces("trying layers")
    pace(0, len(windows))
    effects: dict[tuple[int, ...], float] = {}
    with (
        EffectMeter(model, pairs, n_threads=threads, should_stop=should_stop) as meter,
        own_cost_meter(
            model,
            [prompt.tokens for prompt in asked],
            [prompt.reply for prompt in asked],
            count=_REPLIES_TO_CHOOSE,
            n_tokens=_TOKENS_TO_CHOOSE,
            n_threads=threads,
            should_stop=should_stop,
        ) as own,
    ):
        for done, window in enumerate(windows, start=1):
            directions = added(Dial(vector, 1.0, window), model.n_layer, model.n_embd)
            safe = find_safe_range(model, directions, (), (), own=own)
            tried = [RECOMMENDED_SHARE * end for end in (safe.low, safe.high)]
            ends = [float(np.mean(meter.at(np.float32(end) * directions))) for end in tried]
            effects[window] = ends[1] - ends[0]
            pace(done, len(windows))
    known = {window: effect for window, effect in effects.items() if np.isfinite(effect)}
    return max(known, key=lambda window: known[window]) if known else vector.default_layers


def _calibration(found: SafeRange) -> Calibration:
    bounds = Bounds()
    return Calibration(
        safe_low=found.low,
        safe_high=found.high,
        careful_low=found.careful_low,
        careful_high=found.careful_high,
        perplexity_bound=bounds.perplexity_ratio,
        kl_bound=bounds.kl_95,
        addition_bound=bounds.addition,
        costs=tuple(
            MeasuredCost(trial.strength, trial.cost.perplexity_ratio, trial.cost.kl_95)
            for trial in sorted(found.trials, key=lambda trial: trial.strength)
        ),
    )
