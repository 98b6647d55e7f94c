"""What a machine does with a model, measured through the same commands as the app's: reading, writing, steering."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Protocol, Self

from localsteer.engine.protocol import (
    DialSetting,
    Event,
    Extract,
    Extracted,
    Finished,
    Generate,
    ModelCard,
    Sampling,
    Scope,
    Started,
    TokenText,
    Turn,
)
from localsteer.engine.reply_protocol import SetDials

DIALS = 4
"""As many as a person may well have turned at once, each at every layer."""
_ROUNDS = (3, 9)
_PROMPT_TOKENS = (64, 512)
_REPLY_TOKENS = (24, 96)
_REPLY_SECONDS = 1.5
_TURN_EVERY = 8
_FASTEST = 2500.0
"""Tokens per second. A model that is faster would be done before a dial reaches it."""
_STEERED = "% of the speed without"
_WORDS = [
    "river",
    "stone",
    "window",
    "paper",
    "garden",
    "winter",
    "music",
    "orange",
    "table",
    "cloud",
    "silver",
    "letter",
    "market",
    "bridge",
    "candle",
    "forest",
]


class EngineAtHand(Protocol):
    """What measuring needs of an engine with a model in it."""

    @property
    def card(self) -> ModelCard: ...

    def generate(self, command: Generate) -> Iterator[Event]: ...

    def extract(self, command: Extract) -> Extracted: ...

    def set_dials(self, command: SetDials) -> None: ...

    def memory(self) -> int: ...


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One figure: a median, and the quartiles it lies between (``low`` and ``high`` are ``value`` where it was measured
    once). ``group`` is what it belongs to; ``value`` None where ``said`` tells why it could not be measured.
    """

    group: str
    what: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    said: str = ""

    @classmethod
    def of(cls, group: str, what: str, values: Sequence[float], unit: str) -> Self:
        """The median of one value or more."""
        if len(values) < 2:
            return cls(group, what, values[0], unit, values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(group, what, median(values), unit, low, high)


class Bench:
    """One model's figures, in about a minute: ``seconds`` for each of reading, writing and turning.

    ``recipe``: the contrasts from which a vector is made, into ``folder``. Of what takes turns, one follows the other
    in each round, so that a machine that is busy with something else is busy for all of them.
    """

    def __init__(self, engine: EngineAtHand, recipe: Path, folder: Path, *, seconds: float = 12.0) -> None:
        self._engine = engine
        self._recipe = recipe
        self._vector = folder / f"{recipe.stem}.gguf"
        self._seconds = seconds
        self._draw = random.Random(0)

    def run(self) -> Iterator[BenchRow]:
        """The rows, as they are known. Raises LocalsteerError where the engine fails."""
        before = self._engine.memory()
        steerable = self._engine.card.steerable and self._engine.card.n_layer > 1
        vector_rows = list(self._make()) if steerable else []
        yield from self._reading(steered=steerable)
        yield from self._writing(steered=steerable)
        if steerable:
            yield from self._turning()
        else:
            said = "this model ignores control vectors: it can chat, but no dial moves it"
            yield BenchRow("steering", "dials", None, "", said=said)
        yield from vector_rows
        yield self._memory("model loaded", before)
        yield self._memory("after all this", self._engine.memory())

    # ------------------------------------------------------------ reading and writing

    def _reading(self, *, steered: bool) -> Iterator[BenchRow]:
        """Prompts that were never seen, of words in a random order."""
        least, most = _PROMPT_TOKENS
        per_word = self._read_prompt(least // 4, ())[0] / (least // 4)
        words = int(min(most, self._engine.card.n_ctx // 2) / per_word)
        plain, with_dials = [], []
        for _ in self._rounds():
            plain.append(_speed(*self._read_prompt(words, ())))
            if steered:
                with_dials.append(_speed(*self._read_prompt(words, self._dials("everything"))))
        yield BenchRow.of("reading a prompt", "no dials", plain, "tokens/s")
        if steered:
            yield BenchRow.of("reading a prompt", f"{DIALS} dials, scope everything", with_dials, "tokens/s")
            yield _compared("reading a prompt", with_dials, plain)

    def _writing(self, *, steered: bool) -> Iterator[BenchRow]:
        """Replies to one message, whose prompt is in the cache."""
        count = self._count
        plain, with_dials = [], []
        for seed in self._rounds():
            one = self._reply(seed, count, ())
            two = self._reply(seed, count, self._dials("reply")) if steered else one
            # A reply that ends before its first token has no speed.
            if one.tokens_per_second and two.tokens_per_second:
                plain.append(one.tokens_per_second)
                with_dials.append(two.tokens_per_second)
        if not plain:
            said = "this model ended every reply before it had written anything"
            yield BenchRow("writing a reply", "no dials", None, "", said=said)
            return
        yield BenchRow.of("writing a reply", "no dials", plain, "tokens/s")
        if steered:
            yield BenchRow.of("writing a reply", f"{DIALS} dials, every layer", with_dials, "tokens/s")
            yield _compared("writing a reply", with_dials, plain)

    def _read_prompt(self, count: int, dials: tuple[DialSetting, ...]) -> tuple[int, float]:
        """A prompt of so many words: how many tokens were read, and in how many seconds."""
        words = " ".join(self._draw.choices(_WORDS, k=count))
        tokens, seconds = 0, 1.0
        began = time.perf_counter()
        for event in self._engine.generate(self._command(words, dials, seed=0, count=1)):
            if isinstance(event, Started):
                tokens, seconds = event.prompt_tokens_evaluated, time.perf_counter() - began
        return tokens, seconds

    @cached_property
    def _count(self) -> int:
        """So many that one reply takes about as long as a person waits for a sentence."""
        least, most = _REPLY_TOKENS
        first = self._reply(0, least, ())
        return max(least, min(most, int(first.tokens_per_second * _REPLY_SECONDS), self._engine.card.n_ctx // 4))

    def _reply(self, seed: int, count: int, dials: tuple[DialSetting, ...]) -> Finished:
        *_, last = self._engine.generate(self._command("Tell me about gardens.", dials, seed=seed, count=count))
        assert isinstance(last, Finished)
        return last

    # ------------------------------------------------------------ steering

    def _turning(self) -> Iterator[BenchRow]:
        """A dial turned every few tokens: the token after it, beside the others of the same reply."""
        ratios, normal, again = [], [], []
        for seed in self._rounds():
            came: dict[int, float] = {}
            finished: Finished | None = None
            command = self._command("Tell me about gardens.", self._dials("reply"), seed=seed, count=self._count)
            for event in self._engine.generate(replace(command, pace=_FASTEST)):
                if isinstance(event, TokenText):
                    came[event.index] = event.at
                    if event.index % _TURN_EVERY == 0:
                        self._engine.set_dials(SetDials(self._dials("reply", self._draw.uniform(0.1, 0.5))))
                elif isinstance(event, Finished):
                    finished = event
            assert finished is not None
            turned = {mark.start for mark in finished.marks[1:]}
            gaps = {b: came[b] - came[a] for a, b in pairwise(sorted(came)) if b == a + 1}
            after = [gap for index, gap in gaps.items() if index in turned]
            others = [gap for index, gap in gaps.items() if index not in turned]
            if after and others:
                ratios.append(median(after) / median(others))
                normal.append(1000 * median(others))
                again.append(self._reply(seed, 1, ()).prompt_tokens_evaluated)
        if not ratios:
            said = "this model ended every reply before a dial could be turned"
            yield BenchRow("turning a dial", "the next token takes", None, "", said=said)
            return
        yield BenchRow.of("turning a dial", "a normal token takes", normal, "ms")
        yield BenchRow.of("turning a dial", "the next token takes", ratios, "× that")
        yield BenchRow.of("turning a dial", "read again of the prompt", again, "tokens")

    def _make(self) -> Iterator[BenchRow]:
        group = f'a vector from the recipe "{self._recipe.stem}"'
        made = self._engine.extract(Extract(0, str(self._recipe), str(self._vector), calibrate=False))
        yield BenchRow.of(group, f"read {made.prompts} prompts", [made.seconds], "s")
        whole = self._engine.extract(Extract(0, str(self._recipe), str(self._vector)))
        yield BenchRow.of(group, "and measure its safe range", [whole.seconds], "s")

    def _memory(self, what: str, used: int) -> BenchRow:
        beside = max(0, used - self._engine.card.size_bytes)
        return BenchRow.of("memory beside the model's file", what, [beside / 1e6], "MB")

    # ------------------------------------------------------------ what all of them need

    def _rounds(self) -> Iterator[int]:
        """Round by round, until the time is used up: at least three, at most nine."""
        least, most = _ROUNDS
        end = time.perf_counter() + self._seconds
        for number in range(most):
            if number >= least and time.perf_counter() > end:
                return
            yield number

    def _dials(self, scope: Scope, strength: float = 0.3) -> tuple[DialSetting, ...]:
        """The same vector several times, at every layer; what it points to does not change what it costs."""
        layers = tuple(range(1, self._engine.card.n_layer))
        return tuple(
            DialSetting(f"{self._recipe.stem} {number}", str(self._vector), strength / DIALS, layers, scope)
            for number in range(DIALS)
        )

    def _command(self, text: str, dials: tuple[DialSetting, ...], *, seed: int, count: int) -> Generate:
        # Warm enough that replies seldom end early.
        sampling = Sampling(temperature=1.5, top_k=0, top_p=1.0, min_p=0.0, seed=seed, max_tokens=count)
        return Generate(0, (Turn("user", text),), dials, sampling)


def _speed(tokens: int, seconds: float) -> float:
    return tokens / seconds


def _compared(group: str, steered: Sequence[float], plain: Sequence[float]) -> BenchRow:
    return BenchRow.of(group, "steered", [100 * a / b for a, b in zip(steered, plain, strict=True)], _STEERED)
