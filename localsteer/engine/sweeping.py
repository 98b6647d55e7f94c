"""A vector is measured: effect and cost at each strength, beside random vectors of the same norms, plain prompting and
the safe range.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from localsteer.engine.contrasts import read_contrasts
from localsteer.engine.desk import Desk, Say
from localsteer.engine.findings import Setting, setting_of
from localsteer.engine.mixing import check_steerable
from localsteer.engine.pace import Pace
from localsteer.engine.prompting import SIDES, Side, prompted
from localsteer.engine.protocol import (
    Finding,
    Notice,
    Sweep,
    SweepBasis,
    SweepControl,
    SweepPrompting,
    SweepRange,
    SweepRow,
    Swept,
)
from localsteer.engine.sweep_meters import SweepMeters
from localsteer.errors import VectorError
from localsteer.evaluation.bootstrap import bootstrap_mean
from localsteer.evaluation.calibrate import Bounds, find_safe_range
from localsteer.evaluation.controls import random_directions
from localsteer.steering.dials import Dial, added
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import load_vector

_AT_FRONT = (
    'The vector "{}" was made for the front of a prompt; measured is the mean over its positions, added to the reply.'
)

Floats = npt.NDArray[np.float32]
Found = TypeVar("Found", bound=Finding)


class Sweeping:
    """One sweep. Findings come as they are made; once ``stopped`` says so, Stopped is raised."""

    def __init__(self, desk: Desk, command: Sweep, stopped: Callable[[], bool], say: Say) -> None:
        self._desk = desk
        self._model = desk.model
        self._command = command
        self._stopped = stopped
        self._say = say
        self._pace = Pace(command.request, "sweeping", say)
        self._known = {setting_of(finding): finding for finding in command.known}
        self._done, self._total = 0, 1

    def run(self) -> None:
        """Say Notice, ExtractProgress, every Finding, and at last Swept. Raises LocalsteerError, or Stopped."""
        began = time.perf_counter()
        command = self._command
        vector = self._vector()
        contrast = read_contrasts(command)
        windows = command.layers or (vector.default_layers,)
        extremes = [one for one in sorted({min(command.strengths), max(command.strengths)}) if one]
        controls = list(product(windows, range(command.controls), extremes))
        self._total = len(windows) * len(command.strengths) + len(controls) + 3
        self._pace(0, self._total)
        n_threads = self._desk.context.n_threads
        with SweepMeters(self._model, contrast, command, n_threads=n_threads, should_stop=self._stopped) as meters:
            self._find(("basis",), partial(self._basis, meters))
            for layers, strength in product(windows, command.strengths):
                row = partial(self._row, meters, layers, self._added(vector, layers, strength), strength)
                self._find(("row", layers, strength), row)
            random = [
                self._find(
                    ("control", layers, strength, number),
                    partial(self._control, meters, layers, self._added(vector, layers, 1.0), number, strength),
                )
                for layers, number, strength in controls
            ]
            self._find(("prompting",), partial(self._prompting, meters))
            first = self._added(vector, windows[0], 1.0)
            safe = self._find(("range", windows[0]), partial(self._range, meters, windows[0], first))
        effects = [one.effect for one in random if math.isfinite(one.effect)]
        self._say(
            Swept(
                request=command.request,
                vector=vector.name,
                model=self._desk.mixer.stamp.name,
                random_effect_low=min(effects, default=None),
                random_effect_high=max(effects, default=None),
                safe_low=safe.low,
                safe_high=safe.high,
                seconds=time.perf_counter() - began,
            )
        )

    def _vector(self) -> SteeringVector:
        check_steerable(steerable=self._model.steerable)
        vector = load_vector(Path(self._command.vector_path))
        warning = vector.check_fits(self._desk.mixer.stamp)
        for layers in self._command.layers:
            Dial(vector, 1.0, layers)
        if not self._command.strengths or not np.isfinite(self._command.strengths).all():
            raise VectorError("A sweep needs strengths that are finite numbers, like -2:2:0.5.")
        if warning:
            self._say(Notice(self._command.request, warning))
        if vector.front:
            self._say(Notice(self._command.request, _AT_FRONT.format(vector.name)))
        return vector

    def _find(self, setting: Setting, measure: Callable[[], Found]) -> Found:
        """What is known of ``setting``, else what ``measure`` gives; said either way."""
        known = self._known.get(setting)
        found = measure() if known is None else cast("Found", replace(known, request=self._command.request))
        self._say(found)
        self._done += 1
        self._pace(self._done, self._total)
        return found

    def _basis(self, meters: SweepMeters) -> SweepBasis:
        return SweepBasis(self._command.request, len(meters.completions), meters.cost.n_replies, meters.cost.n_tokens)

    def _row(self, meters: SweepMeters, layers: tuple[int, ...], steering: Floats, strength: float) -> SweepRow:
        effect = bootstrap_mean(list(meters.effect.at(steering)), self._command.seed)
        cost = meters.cost.at(steering)
        return SweepRow(
            self._command.request,
            layers,
            strength,
            effect.value,
            effect.low,
            effect.high,
            cost.perplexity_ratio,
            cost.kl,
        )

    def _control(
        self, meters: SweepMeters, layers: tuple[int, ...], directions: Floats, number: int, strength: float
    ) -> SweepControl:
        random = np.float32(strength) * random_directions(directions, self._command.seed + number)
        effect, cost = meters.effect.at(random), meters.cost.at(random)
        return SweepControl(
            self._command.request, layers, strength, number, float(effect.mean()), cost.perplexity_ratio
        )

    def _prompting(self, meters: SweepMeters) -> SweepPrompting:
        positive, negative = (self._prompted(meters, side) for side in SIDES)
        return SweepPrompting(self._command.request, positive, negative)

    def _prompted(self, meters: SweepMeters, side: Side) -> float | None:
        pairs = prompted(self._model, meters.contrast, meters.completions, side)
        if pairs is None:
            return None
        with meters.effect_on(pairs) as meter:
            return float(meter.at(None).mean())

    def _range(self, meters: SweepMeters, layers: tuple[int, ...], directions: Floats) -> SweepRange:
        bounds = Bounds()
        safe = find_safe_range(self._model, directions, (), (), own=meters.cost, bounds=bounds)
        return SweepRange(
            self._command.request,
            layers,
            safe.low,
            safe.high,
            bounds.perplexity_ratio,
            bounds.kl_95,
            bounds.addition,
        )

    def _added(self, vector: SteeringVector, layers: tuple[int, ...], strength: float) -> Floats:
        """float32[n_layer - 1, n_embd]: what the dial adds."""
        return added(Dial(vector, strength, layers), self._model.n_layer, self._model.n_embd)
