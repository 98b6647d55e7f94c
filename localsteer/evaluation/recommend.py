"""Recommended strengths: how far a dial can be turned, both ways, before replies leave what the unsteered model finds
likely.

Replies to a few neutral prompts are written under a strength, many in one batch, and then read by the unsteered
model. While the mean log-likelihood of their tokens stays near that of the model's own replies, the text is still its
kind of text. Loops are likely once they loop, so replies that repeat themselves far more than its own do not count as
such. The strongest such setting is looked for by doubling and then by halving the gap, for both ends at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from localsteer.llama.batch import generate_many, mean_log_likelihood
from localsteer.llama.model import Model

STRONGEST = 16.0
WEAKEST = 1 / 16
_HALVINGS = 3
_TYPICAL_ROUNDS = 7
_TEMPERATURE = 0.8

_SPREADS_BELOW = 1.0
"""How many standard deviations of its own replies' log-likelihoods the mean of steered replies may lie below their
mean ..."""
_NATS_BELOW = 0.25
"""... or this many nats per token, where its own replies hardly differ."""
_REPEATS_ABOVE = 0.2
"""How much larger the share of repeated pairs of tokens may be than in its own replies."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """What replies at ``strength`` were like: mean log-likelihood per token in nats, share of repeated pairs of
    tokens."""

    strength: float
    log_likelihood: float
    repeated: float
    likely: bool


@dataclass(frozen=True, slots=True)
class Recommended:
    """``low`` < 0 < ``high``, and what was tried on the way, the unsteered model first."""

    low: float
    high: float
    trials: tuple[Trial, ...]


@dataclass(slots=True)
class _End:
    """One end of the dial: the strongest setting known to be likely, the weakest known not to be."""

    sign: float
    good: float | None = None
    bad: float | None = None
    halvings: int = 0

    def next(self) -> float | None:
        """The next setting to try, always positive; None when it is known well enough."""
        if self.good is None and self.bad is None:
            return 1.0
        if self.bad is None:
            assert self.good is not None
            return 2 * self.good if self.good < STRONGEST else None
        if self.good is None:
            return self.bad / 2 if self.bad > WEAKEST else None
        return float(np.sqrt(self.good * self.bad)) if self.halvings < _HALVINGS else None

    def learn(self, strength: float, likely: bool) -> None:
        if self.good is not None and self.bad is not None:
            self.halvings += 1
        if likely:
            self.good = strength
        else:
            self.bad = strength

    @property
    def found(self) -> float:
        return self.sign * (self.good if self.good is not None else WEAKEST)


@dataclass
class _Writer:
    """Writes replies and has the unsteered model read them."""

    model: Model
    directions: npt.NDArray[np.float32]
    prompts: Sequence[Sequence[int]]
    steered_from: Sequence[int]
    n_tokens: int
    seed: int
    n_threads: int | None
    progress: Progress | None
    should_stop: Callable[[], bool] | None
    total: int
    done: int = 0

    def replies(self, strengths: Sequence[float], each: int) -> list[tuple[npt.NDArray[np.float64], float]]:
        """For each strength: float64[each] log-likelihoods of its replies, and their share of repeated pairs of
        tokens."""
        rows = [(strength, number) for strength in strengths for number in range(each)]
        prompts = [self.prompts[number % len(self.prompts)] for _, number in rows]
        written = generate_many(
            self.model,
            prompts,
            steered_from=[self.steered_from[number % len(self.prompts)] for _, number in rows],
            directions=self.directions,
            strengths=[strength for strength, _ in rows],
            n_tokens=self.n_tokens,
            temperature=_TEMPERATURE,
            seed=self.seed,
            n_threads=self.n_threads,
            progress=self._tell,
            should_stop=self.should_stop,
        )
        self.done += len(rows) * self.n_tokens
        likelihoods = mean_log_likelihood(
            self.model, prompts, written, n_threads=self.n_threads, should_stop=self.should_stop
        )
        groups = [slice(begin, begin + each) for begin in range(0, len(rows), each)]
        return [
            (likelihoods[group], float(np.mean([_repeated(reply) for reply in written[group]]))) for group in groups
        ]

    def _tell(self, done: int, _total: int) -> None:
        if self.progress is not None:
            self.progress(min(self.done + done, self.total - 1), self.total)


def recommend_strengths(
    model: Model,
    directions: npt.NDArray[np.float32],
    prompts: Sequence[Sequence[int]],
    steered_from: Sequence[int],
    *,
    seed: int = 0,
    n_threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Recommended:
    """The strongest settings of ``directions`` (float32[n_layer - 1, n_embd], layer 1 first) that leave replies likely.

    ``prompts``: tokens of neutral prompts, each steered from its position in ``steered_from`` on. The same arguments
    give the same answer. ``progress`` gets work done and work in all, about. Raises Stopped if ``should_stop`` says
    so.
    """
    each, n_tokens = _effort(model)
    writer = _Writer(
        model,
        directions,
        prompts,
        steered_from,
        n_tokens,
        seed,
        n_threads,
        progress,
        should_stop,
        total=(2 * each + 2 * each * _TYPICAL_ROUNDS) * n_tokens,
    )
    ((own, own_repeated),) = writer.replies([0.0], 2 * each)
    lowest = float(own.mean()) - max(_SPREADS_BELOW * float(own.std()), _NATS_BELOW)
    most_repeated = own_repeated + _REPEATS_ABOVE
    trials = [Trial(0.0, float(own.mean()), own_repeated, True)]
    ends = (_End(-1.0), _End(1.0))
    while going := [(end, strength) for end in ends if (strength := end.next()) is not None]:
        results = writer.replies([end.sign * strength for end, strength in going], each)
        for (end, strength), (likelihoods, repeated) in zip(going, results, strict=True):
            mean = float(likelihoods.mean())
            likely = mean >= lowest and repeated <= most_repeated
            end.learn(strength, likely)
            trials.append(Trial(end.sign * strength, mean, repeated, likely))
    if progress is not None:
        progress(writer.total, writer.total)
    return Recommended(ends[0].found, ends[1].found, tuple(trials))


def _effort(model: Model) -> tuple[int, int]:
    """Replies for each setting and tokens for each reply: what takes some seconds on a processor."""
    if model.n_params <= 400_000_000:
        return 12, 24
    return (8, 16) if model.n_params <= 2_000_000_000 else (4, 12)


def _repeated(reply: Sequence[int]) -> float:
    """Share of neighbouring pairs of tokens that occurred before in the reply."""
    pairs = list(pairwise(reply))
    return 1 - len(set(pairs)) / len(pairs) if pairs else 0.0
