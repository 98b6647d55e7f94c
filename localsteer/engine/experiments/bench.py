"""What every experiment works with: the model, a way to say rows and progress, and the controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from localsteer.engine.desk import Desk, Say
from localsteer.engine.experiment_protocol import ResultRow, Value
from localsteer.engine.mixing import check_steerable
from localsteer.engine.pace import Pace
from localsteer.engine.protocol import Notice
from localsteer.engine.steerable_layers import check_layers
from localsteer.errors import Stopped
from localsteer.evaluation.bootstrap import Mean, bootstrap_mean
from localsteer.evaluation.controls import random_directions
from localsteer.llama.model import Model
from localsteer.steering.fit import ModelStamp
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import load_vector

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Bench:
    """One experiment's place of work. Once ``should_stop`` says so, Stopped is raised."""

    desk: Desk
    request: int
    seed: int
    should_stop: Callable[[], bool]
    say: Say

    @property
    def model(self) -> Model:
        return self.desk.model

    @property
    def n_threads(self) -> int:
        return self.desk.context.n_threads

    @property
    def stamp(self) -> ModelStamp:
        return self.desk.mixer.stamp

    def pace(self, stage: str) -> Pace:
        """Says how far a stage has come."""
        return Pace(self.request, stage, self.say)

    def row(self, table: str, **values: Value | Mean) -> None:
        """Say one row. A :class:`Mean` becomes the mean and the ends of its interval."""
        plain: list[tuple[str, Value]] = []
        for key, value in values.items():
            if isinstance(value, Mean):
                plain += [(key, value.value), (f"{key}_low", value.low), (f"{key}_high", value.high)]
            else:
                plain.append((key, value))
        self.say(ResultRow(self.request, table, tuple(plain)))

    def mean(self, values: Sequence[float] | npt.NDArray[np.floating]) -> Mean:
        """The mean with its 95 % interval."""
        return bootstrap_mean([float(value) for value in values], self.seed)

    def check_stop(self) -> None:
        if self.should_stop():
            raise Stopped

    def layers(self, wanted: Sequence[int]) -> tuple[int, ...]:
        """The layers to be tried; () stands for all that can be steered. Raises DialError for one that cannot."""
        check_steerable(steerable=self.model.steerable)
        check_layers(wanted, self.model.name, self.model.n_layer)
        return tuple(wanted) or tuple(range(1, self.model.n_layer))

    def load(self, path: str) -> SteeringVector:
        """A vector that fits the model; that it may mean something else there is said. Raises VectorError."""
        vector = load_vector(Path(path))
        warning = vector.check_fits(self.stamp)
        if warning:
            self.say(Notice(self.request, warning))
        return vector

    def at_layer(self, direction: Floats, layer: int) -> Floats:
        """``direction`` at one layer and nothing elsewhere: float32[n_layer - 1, n_embd]."""
        data = np.zeros((self.model.n_layer - 1, self.model.n_embd), dtype=np.float32)
        data[layer - 1] = direction
        return data

    def controls(self, directions: Floats, count: int) -> Iterator[Floats]:
        """``count`` random ones with the norms of ``directions``, the same every time."""
        for number in range(count):
            self.check_stop()
            yield random_directions(directions, self.seed + number)
