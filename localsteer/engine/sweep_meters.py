"""What a sweep measures with: made when first needed, for what is known already needs none of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TypeVar

from localsteer.engine.measuring import Completion, completions
from localsteer.engine.positions import tokens_of
from localsteer.engine.protocol import Sweep
from localsteer.evaluation.cost import CostMeter
from localsteer.evaluation.effect import CompletionPair, EffectMeter
from localsteer.evaluation.neutral import neutral_prompts
from localsteer.evaluation.own_replies import own_cost_meter
from localsteer.llama.closing import Closing
from localsteer.llama.model import Model
from localsteer.steering.contrast import ContrastSet

Meter = TypeVar("Meter", bound=Closing)


class SweepMeters(Closing):
    """The meters of one sweep over one model; a context manager. Any of them may raise LocalsteerError, or Stopped."""

    def __init__(
        self, model: Model, contrast: ContrastSet, command: Sweep, *, n_threads: int, should_stop: Callable[[], bool]
    ) -> None:
        self.model = model
        self.contrast = contrast
        self._command = command
        self._n_threads = n_threads
        self._should_stop = should_stop
        self._open = ExitStack()

    @cached_property
    def completions(self) -> tuple[Completion, ...]:
        """What effects are measured on."""
        return completions(
            self.model,
            self.contrast,
            most=self._command.pairs,
            n_tokens=self._command.answer_tokens,
            seed=self._command.seed,
            n_threads=self._n_threads,
            should_stop=self._should_stop,
        )

    @cached_property
    def effect(self) -> EffectMeter:
        """Effects on :attr:`completions`."""
        return self._kept(self.effect_on([one.pair for one in self.completions]))

    @cached_property
    def cost(self) -> CostMeter:
        """Costs on the model's own replies."""
        asked = [tokens_of(self.model, prompt) for prompt in neutral_prompts(self.contrast)]
        return self._kept(
            own_cost_meter(
                self.model,
                [prompt.tokens for prompt in asked],
                [prompt.reply for prompt in asked],
                count=self._command.replies,
                n_tokens=self._command.reply_tokens,
                seed=self._command.seed,
                n_threads=self._n_threads,
                should_stop=self._should_stop,
            )
        )

    def effect_on(self, pairs: Sequence[CompletionPair]) -> EffectMeter:
        """A meter on other completions; close it."""
        return EffectMeter(self.model, pairs, n_threads=self._n_threads, should_stop=self._should_stop)

    def close(self) -> None:
        """Free all of them; calling it again does no harm."""
        self._open.close()

    def _kept(self, meter: Meter) -> Meter:
        self._open.enter_context(meter)
        return meter
