"""The safe range of a dial: how far it can be turned, both ways, before the model is no longer itself.

What a strength costs is measured on the model's own unsteered replies to neutral prompts (see
:mod:`localsteer.evaluation.cost`). The largest strengths whose cost stays under the bounds are looked for by doubling
and then by taking the cost for a power of the strength between what was safe and what was not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from localsteer.evaluation.cost import Cost, CostMeter
from localsteer.evaluation.own_replies import own_cost_meter
from localsteer.llama.model import Model

STRONGEST = 16.0
WEAKEST = 1 / 16
CAREFUL = 3.0
"""Up to how many times the bounds a strength still counts as one to be careful with; beyond it the model is broken."""
_CAREFUL_ADDITION = 5 / 3
_SAFE_TOLERANCE = 0.06
_CAREFUL_TOLERANCE = 0.3
_CLOSE_ENOUGH = 1.01
_TYPICAL_TRIALS = 16

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What steering may cost. ``perplexity_ratio``: on the model's own replies. ``kl_95``: 95th percentile of the
    divergence per token, in nats, over at most the first 50 tokens of them. ``addition``: how long what is added may be
    at any layer, against the hidden states there: a reply that the steered model writes itself falls apart when the
    next normalisation keeps more of the addition than of the state, which reading other replies does not show.
    """

    perplexity_ratio: float = 1.5
    kl_95: float = 1.0
    addition: float = 0.6

    def used(self, cost: Cost) -> float:
        """How much of the bounds ``cost`` takes up: 1.0 = just as much as they allow."""
        if not math.isfinite(cost.perplexity_ratio):
            return math.inf
        ratio = math.log(cost.perplexity_ratio) / math.log(self.perplexity_ratio)
        return max(0.0, ratio, cost.kl_95 / self.kl_95)


@dataclass(frozen=True, slots=True)
class Trial:
    """What ``strength`` cost, and how much of the bounds that takes up."""

    strength: float
    cost: Cost
    used: float

    @property
    def safe(self) -> bool:
        return self.used <= 1.0


@dataclass(frozen=True, slots=True)
class SafeRange:
    """``low`` < 0 < ``high``: within the bounds. ``careful_low`` ≤ ``low``, ``careful_high`` ≥ ``high``: within
    :data:`CAREFUL` times the bounds. And what was tried on the way.
    """

    low: float
    high: float
    careful_low: float
    careful_high: float
    trials: tuple[Trial, ...]


class _End:
    """One end of the dial: what was tried there, by strength (always positive here)."""

    def __init__(self, sign: float, strongest: float) -> None:
        self.sign = sign
        self._strongest = strongest
        self._used: dict[float, float] = {}

    def learn(self, strength: float, used: float) -> None:
        self._used[strength] = used

    def next(self) -> float | None:
        """The next strength to try; None when both limits are known well enough."""
        return self._next(1.0, _SAFE_TOLERANCE) or self._next(CAREFUL, _CAREFUL_TOLERANCE)

    def found(self, allowed: float) -> float:
        """The strongest setting known to use no more than ``allowed``, below the weakest known to use more."""
        safe, _ = self._between(allowed)
        return self.sign * (WEAKEST if safe is None else safe)

    def _next(self, allowed: float, tolerance: float) -> float | None:
        safe, unsafe = self._between(allowed)
        if unsafe is None:
            strongest = 0.0 if safe is None else safe
            return min(2 * strongest or 1.0, self._strongest) if strongest < self._strongest else None
        if safe is None:
            return unsafe / 2 if unsafe > WEAKEST else None
        if self._used[safe] >= (1 - tolerance) * allowed or unsafe / safe < _CLOSE_ENOUGH:
            return None
        between = float(f"{safe * (unsafe / safe) ** self._share(safe, unsafe, (1 - tolerance / 2) * allowed):.4g}")
        return between if safe < between < unsafe else None

    def _share(self, safe: float, unsafe: float, aim: float) -> float:
        """Where between two strengths the cost should be ``aim``, were it a power of the strength."""
        low, high = self._used[safe], self._used[unsafe]
        if low <= 0 or not math.isfinite(high):
            return 0.5
        return min(0.85, max(0.15, math.log(aim / low) / math.log(high / low)))

    def _between(self, allowed: float) -> tuple[float | None, float | None]:
        unsafe = min((strength for strength, used in self._used.items() if used > allowed), default=None)
        safe = [strength for strength in self._used if unsafe is None or strength < unsafe]
        return max(safe, default=None), unsafe


def find_safe_range(
    model: Model,
    directions: npt.NDArray[np.float32],
    prompts: Sequence[Sequence[int]],
    steered_from: Sequence[int],
    *,
    own: CostMeter | None = None,
    thorough: bool = False,
    bounds: Bounds | None = None,
    strongest: float = STRONGEST,
    effort: tuple[int, int] | None = None,
    seed: int = 0,
    n_threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> SafeRange:
    """The strongest settings of ``directions`` (float32[n_layer - 1, n_embd], layer 1 first) within ``bounds``.

    Nothing beyond ``strongest`` is tried. ``prompts``: tokens of neutral prompts, each steered from its position in
    ``steered_from`` on. ``effort``: how many replies and tokens for each, None for what takes some seconds, or, where
    ``thorough``, minutes. The same arguments give the same answer. ``own``: a meter that has read replies already,
    instead of prompts and effort; it stays open. ``progress`` gets work done and work in all, about. Raises
    Stopped if ``should_stop`` says so.
    """
    count, n_tokens = effort or (_thorough_effort(model) if thorough else _effort(model))
    allowed = bounds or Bounds()
    total = (1 + _TYPICAL_TRIALS) * count * n_tokens

    def tell(done: int, _total: int) -> None:
        if progress is not None:
            progress(min(done, total - 1), total)

    meter = own or own_cost_meter(
        model,
        prompts,
        steered_from,
        count=count,
        n_tokens=n_tokens,
        seed=seed,
        n_threads=n_threads,
        progress=tell,
        should_stop=should_stop,
    )
    trials: list[Trial] = []
    limit = allowed.addition * strength_of_addition(directions, meter.residual_norms)
    furthest = min(strongest, limit * _CAREFUL_ADDITION)
    low, high = ends = (_End(-1.0, furthest), _End(1.0, furthest))
    with meter if own is None else nullcontext():
        while going := [(end, strength) for end in ends if (strength := end.next()) is not None]:
            for end, strength in going:
                cost = meter.at(np.float32(end.sign * strength) * directions)
                trials.append(Trial(end.sign * strength, cost, allowed.used(cost)))
                end.learn(strength, trials[-1].used)
                tell((1 + len(trials)) * count * n_tokens, total)
    if progress is not None:
        progress(total, total)
    return SafeRange(
        max(low.found(1.0), -limit),
        min(high.found(1.0), limit),
        max(low.found(CAREFUL), -furthest),
        min(high.found(CAREFUL), furthest),
        tuple(trials),
    )


def strength_of_addition(directions: npt.NDArray[np.float32], residual_norms: npt.NDArray[np.floating]) -> float:
    """The strength at which what is added is at some layer as long as the hidden states; infinite where that is not
    known (a norm of 0), or nothing is added. ``directions``: float32[n_layer - 1, n_embd]; ``residual_norms``:
    float[n_layer - 1].
    """
    sizes = np.linalg.norm(directions.astype(np.float64), axis=1)
    known = (sizes > 0) & (residual_norms > 0)
    return float(np.min(residual_norms[known] / sizes[known])) if known.any() else math.inf


def _effort(model: Model) -> tuple[int, int]:
    """How many replies and tokens for each: what takes some seconds on a processor."""
    if model.n_params <= 50_000_000:
        return 24, 50
    if model.n_params <= 400_000_000:
        return 12, 32
    return (8, 16) if model.n_params <= 2_000_000_000 else (4, 12)


def _thorough_effort(model: Model) -> tuple[int, int]:
    count, n_tokens = _effort(model)
    return 8 * count, max(n_tokens, 32)
