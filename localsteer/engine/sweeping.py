"""A vector is measured: effect and cost at each strength, beside random vectors of the same norms."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from localsteer.engine.generation import Desk, Say
from localsteer.engine.measuring import completion_pairs
from localsteer.engine.mixing import NOT_STEERABLE
from localsteer.engine.pace import Pace
from localsteer.engine.positions import tokens_of
from localsteer.engine.protocol import Sweep, SweepRow, Swept
from localsteer.errors import DialError, Stopped, VectorError
from localsteer.evaluation.bootstrap import bootstrap_mean
from localsteer.evaluation.calibrate import find_safe_range
from localsteer.evaluation.controls import random_directions
from localsteer.evaluation.cost import CostMeter
from localsteer.evaluation.effect import EffectMeter
from localsteer.evaluation.neutral import neutral_prompts
from localsteer.llama.batch import generate_many
from localsteer.steering.contrast import ContrastSet
from localsteer.steering.contrast_files import read_contrast_file
from localsteer.steering.dials import Dial, added
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import load_vector

_REPLIES = 16
_TOKENS = 50
Floats = npt.NDArray[np.float32]


class Sweeping:
    """One sweep. Rows come as they are measured; once ``stopped`` says so, Stopped is raised."""

    def __init__(self, desk: Desk, command: Sweep, stopped: Callable[[], bool], say: Say) -> None:
        self._desk = desk
        self._model = desk.model
        self._command = command
        self._stopped = stopped
        self._say = say
        self._pace = Pace(command.request, "sweeping", say)

    def run(self) -> None:
        """Say ExtractProgress, a SweepRow for each setting, and at last Swept. Raises LocalsteerError, or Stopped."""
        began = time.perf_counter()
        command = self._command
        contrast, vector = self._vector()
        windows = command.layers or (vector.default_layers,)
        settings = [(layers, strength) for layers in windows for strength in command.strengths]
        extremes = [strength for strength in {min(command.strengths), max(command.strengths)} if strength]
        total = len(settings) + command.controls * len(extremes) + 1
        self._pace(0, total)
        pairs = completion_pairs(
            self._model, contrast, seed=command.seed, n_threads=self._threads, should_stop=self._stopped
        )
        prompts, begins, replies = self._own_replies(contrast)
        random_effects: list[float] = []
        with (
            EffectMeter(self._model, pairs, n_threads=self._threads, should_stop=self._stopped) as effect,
            CostMeter(
                self._model, prompts, replies, begins, n_threads=self._threads, should_stop=self._stopped
            ) as cost,
        ):
            for done, (layers, strength) in enumerate(settings, start=1):
                steering = self._added(vector, layers, strength)
                found = bootstrap_mean(list(effect.at(steering)), command.seed)
                costs = cost.at(steering)
                self._say(
                    SweepRow(
                        command.request,
                        layers,
                        strength,
                        found.value,
                        found.low,
                        found.high,
                        costs.perplexity_ratio,
                        costs.kl,
                    )
                )
                self._pace(done, total)
            for number in range(command.controls):
                control = random_directions(self._added(vector, windows[0], 1.0), command.seed + number)
                random_effects += [float(effect.at(np.float32(strength) * control).mean()) for strength in extremes]
                self._pace(len(settings) + (number + 1) * len(extremes), total)
        safe = find_safe_range(
            self._model,
            self._added(vector, windows[0], 1.0),
            prompts,
            begins,
            seed=command.seed,
            n_threads=self._threads,
            should_stop=self._stopped,
        )
        self._pace(total, total)
        self._say(
            Swept(
                request=command.request,
                vector=vector.name,
                model=self._desk.mixer.stamp.name,
                random_effect_low=min(random_effects, default=0.0),
                random_effect_high=max(random_effects, default=0.0),
                safe_low=safe.low,
                safe_high=safe.high,
                seconds=time.perf_counter() - began,
            )
        )

    @property
    def _threads(self) -> int:
        return self._desk.context.n_threads

    def _vector(self) -> tuple[ContrastSet, SteeringVector]:
        if not self._model.steerable:
            raise DialError(NOT_STEERABLE)
        vector = load_vector(Path(self._command.vector_path))
        vector.check_fits(self._desk.mixer.stamp)
        for layers in self._command.layers:
            Dial(vector, 1.0, layers)
        if not self._command.strengths or not np.isfinite(self._command.strengths).all():
            raise VectorError("A sweep needs strengths that are finite numbers, like -2:2:0.5.")
        return read_contrast_file(Path(self._command.recipe_path)), vector

    def _own_replies(self, contrast: ContrastSet) -> tuple[list[Sequence[int]], list[int], list[list[int]]]:
        """Neutral prompts, from where on they are steered, and the unsteered model's replies to them."""
        asked = [tokens_of(self._model, prompt) for prompt in neutral_prompts(contrast)]
        chosen = [asked[number % len(asked)] for number in range(_REPLIES)]
        prompts: list[Sequence[int]] = [each.tokens for each in chosen]
        begins = [each.reply for each in chosen]
        replies = generate_many(
            self._model,
            prompts,
            steered_from=begins,
            directions=None,
            strengths=[0.0] * len(prompts),
            n_tokens=_TOKENS,
            seed=self._command.seed,
            n_threads=self._threads,
            should_stop=self._stopped,
        )
        if self._stopped():
            raise Stopped
        return prompts, begins, replies

    def _added(self, vector: SteeringVector, layers: tuple[int, ...], strength: float) -> Floats:
        """float32[n_layer - 1, n_embd]: what the dial adds."""
        return added(Dial(vector, strength, layers), self._model.n_layer, self._model.n_embd)
