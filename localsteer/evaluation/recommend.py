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

from localsteer.llama.batch import generate_many
from localsteer.llama.likelihood import log_likelihoods
from localsteer.llama.model import Model

STRONGEST = 16.0
WEAKEST = 1 / 16
_HALVINGS = 2
_TYPICAL_ROUNDS = 5
_TEMPERATURE = 0.8

_SPREADS_BELOW = 1.0
"""The mean log-likelihood of steered replies may lie this many standard deviations of its own ones below theirs ..."""
_NATS_BELOW = 0.25
"""... or this many nats per token, where its own replies hardly differ."""
_RARE = 0.01
_NATS_BELOW_RARE = 2.0
"""A token is surprising that is this much less likely than its own one in a hundred."""
_SURPRISES = 0.003
"""So many of the tokens of steered replies may be."""
_REPEATS_ABOVE = 0.2
"""How much larger the share of repeated pairs of tokens may be than in its own replies."""

Progress = Callable[[int, int], None]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """What replies at ``strength`` were like, to the unsteered model.

    ``log_likelihood``: mean over replies of their mean log p per token, in nats. ``surprising``: share of tokens that
    it would hardly ever write. ``repeated``: share of neighbouring pairs of tokens that had occurred in the reply
    before.
    """

    strength: float
    log_likelihood: float
    surprising: float
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
        between = float(f"{np.sqrt(self.good * self.bad):.2g}")
        return between if self.halvings < _HALVINGS and between not in (self.good, self.bad) else None

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


@dataclass(frozen=True, slots=True)
class _Replies:
    """Tokens of replies, and log p of each of them: float64[its length] for each reply."""

    tokens: list[list[int]]
    log_likelihoods: list[Floats]

    @property
    def means(self) -> Floats:
        return np.array([each.mean() for each in self.log_likelihoods])

    @property
    def repeated(self) -> float:
        return float(np.mean([_repeated(reply) for reply in self.tokens]))

    def surprising(self, floor: float) -> float:
        return float((np.concatenate(self.log_likelihoods) < floor).mean())


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What the model's own replies are like, and how far others may be from them."""

    own: _Replies

    def judge(self, strength: float, replies: _Replies) -> Trial:
        means = self.own.means
        lowest = float(means.mean()) - max(_SPREADS_BELOW * float(means.std()), _NATS_BELOW)
        floor = float(np.quantile(np.concatenate(self.own.log_likelihoods), _RARE)) - _NATS_BELOW_RARE
        mean, surprising, repeated = float(replies.means.mean()), replies.surprising(floor), replies.repeated
        likely = mean >= lowest and surprising <= _SURPRISES and repeated <= self.own.repeated + _REPEATS_ABOVE
        return Trial(strength, mean, surprising, repeated, likely)


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

    def replies(self, strengths: Sequence[float], each: int) -> list[_Replies]:
        """``each`` replies for each strength."""
        rows = [(strength, number % len(self.prompts)) for strength in strengths for number in range(each)]
        prompts = [self.prompts[number] for _, number in rows]
        written = generate_many(
            self.model,
            prompts,
            steered_from=[self.steered_from[number] for _, number in rows],
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
        likelihoods = log_likelihoods(
            self.model, prompts, written, n_threads=self.n_threads, should_stop=self.should_stop
        )
        return [
            _Replies(written[begin : begin + each], likelihoods[begin : begin + each])
            for begin in range(0, len(rows), each)
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
    effort: tuple[int, int] | None = None,
    seed: int = 0,
    n_threads: int | None = None,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Recommended:
    """The strongest settings of ``directions`` (float32[n_layer - 1, n_embd], layer 1 first) that leave replies likely.

    ``prompts``: tokens of neutral prompts, each steered from its position in ``steered_from`` on. ``effort``: replies
    for each setting and tokens for each reply, None for what takes some seconds. The same arguments give the same
    answer.
    ``progress`` gets work done and work in all, about. Raises Stopped if ``should_stop`` says so.
    """
    each, n_tokens = effort or _effort(model)
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
    (own,) = writer.replies([0.0], 2 * each)
    bounds = _Bounds(own)
    trials = [bounds.judge(0.0, own)]
    ends = (_End(-1.0), _End(1.0))
    while going := [(end, strength) for end in ends if (strength := end.next()) is not None]:
        results = writer.replies([end.sign * strength for end, strength in going], each)
        for (end, strength), replies in zip(going, results, strict=True):
            trials.append(bounds.judge(end.sign * strength, replies))
            end.learn(strength, trials[-1].likely)
    if progress is not None:
        progress(writer.total, writer.total)
    return Recommended(ends[0].found, ends[1].found, tuple(trials))


def _effort(model: Model) -> tuple[int, int]:
    """Replies for each setting and tokens for each reply: what takes some seconds on a processor."""
    if model.n_params <= 50_000_000:
        return 16, 48
    if model.n_params <= 400_000_000:
        return 12, 24
    return (8, 16) if model.n_params <= 2_000_000_000 else (4, 12)


def _repeated(reply: Sequence[int]) -> float:
    """Share of neighbouring pairs of tokens that occurred before in the reply."""
    pairs = list(pairwise(reply))
    return 1 - len(set(pairs)) / len(pairs) if pairs else 0.0
