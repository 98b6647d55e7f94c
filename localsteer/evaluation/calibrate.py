"""The safe range of a dial: how far it can be turned, both ways, before the model is no longer itself.

What a strength costs is measured on the model's own unsteered replies to neutral prompts (see
:mod:`localsteer.evaluation.cost`). The largest strengths whose cost stays under the bounds are looked for by doubling
and then by halving the gap.
"""

from __future__ import annotations

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
_HALVINGS = 4
_TYPICAL_TRIALS = 14

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What steering may cost. ``perplexity_ratio``: on the model's own replies. ``kl_95``: 95th percentile of the
    divergence per token, in nats, over at most the first 50 tokens of them.
    """

    perplexity_ratio: float = 1.5
    kl_95: float = 1.0

    def hold(self, cost: Cost) -> bool:
        return cost.perplexity_ratio <= self.perplexity_ratio and cost.kl_95 <= self.kl_95


@dataclass(frozen=True, slots=True)
class Trial:
    """What ``strength`` cost, and whether that is within the bounds."""

    strength: float
    cost: Cost
    safe: bool


@dataclass(frozen=True, slots=True)
class SafeRange:
    """``low`` < 0 < ``high``, and what was tried on the way."""

    low: float
    high: float
    trials: tuple[Trial, ...]


@dataclass(slots=True)
class _End:
    """One end of the dial: the strongest setting known to be safe, the weakest known not to be."""

    sign: float
    strongest: float
    safe: float | None = None
    unsafe: float | None = None
    halvings: int = 0

    def next(self) -> float | None:
        """The next setting to try, always positive; None when it is known well enough."""
        if self.safe is None and self.unsafe is None:
            return min(1.0, self.strongest)
        if self.unsafe is None:
            assert self.safe is not None
            return min(2 * self.safe, self.strongest) if self.safe < self.strongest else None
        if self.safe is None:
            return self.unsafe / 2 if self.unsafe > WEAKEST else None
        between = float(f"{np.sqrt(self.safe * self.unsafe):.3g}")
        return between if self.halvings < _HALVINGS and between not in (self.safe, self.unsafe) else None

    def learn(self, strength: float, safe: bool) -> None:
        if self.safe is not None and self.unsafe is not None:
            self.halvings += 1
        if safe:
            self.safe = strength
        else:
            self.unsafe = strength

    @property
    def found(self) -> float:
        return self.sign * (self.safe if self.safe is not None else WEAKEST)


def find_safe_range(
    model: Model,
    directions: npt.NDArray[np.float32],
    prompts: Sequence[Sequence[int]],
    steered_from: Sequence[int],
    *,
    own: CostMeter | None = None,
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
    ``steered_from`` on. ``effort``: how many replies and tokens for each, None for what takes some seconds. The same
    arguments give the same answer. ``own``: a meter that has read replies already, instead of prompts and
    effort; it stays open.
    ``progress`` gets work done and work in all, about. Raises Stopped if ``should_stop`` says so.
    """
    count, n_tokens = effort or _effort(model)
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
    ends = (_End(-1.0, strongest), _End(1.0, strongest))
    with meter if own is None else nullcontext():
        while going := [(end, strength) for end in ends if (strength := end.next()) is not None]:
            for end, strength in going:
                cost = meter.at(np.float32(end.sign * strength) * directions)
                trials.append(Trial(end.sign * strength, cost, allowed.hold(cost)))
                end.learn(strength, trials[-1].safe)
                tell((1 + len(trials)) * count * n_tokens, total)
    if progress is not None:
        progress(total, total)
    return SafeRange(ends[0].found, ends[1].found, tuple(trials))


def _effort(model: Model) -> tuple[int, int]:
    """How many replies and tokens for each: what takes some seconds on a processor."""
    if model.n_params <= 50_000_000:
        return 24, 50
    if model.n_params <= 400_000_000:
        return 12, 32
    return (8, 16) if model.n_params <= 2_000_000_000 else (4, 12)
