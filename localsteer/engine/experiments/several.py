"""Several vectors at once (van der Weij et al., arXiv 2403.05767): merged into one, added together at one layer, or
each at a layer of its own; and how much of what each does alone is left.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from localsteer.engine.experiment_protocol import SeveralExperiment, Value
from localsteer.engine.experiments.bench import Bench, Floats
from localsteer.engine.measuring import completion_pairs
from localsteer.errors import DialError
from localsteer.evaluation.controls import random_directions
from localsteer.evaluation.effect import EffectMeter
from localsteer.steering.contrast_files import read_contrast_file
from localsteer.steering.vector import SteeringVector

_MOST_FOR_PERMUTATIONS = 6


@dataclass(frozen=True, slots=True)
class _Dial:
    """A vector with its meter, and its mean effect where nothing is steered."""

    vector: SteeringVector
    meter: EffectMeter
    base: float

    def effect(self, data: Floats) -> float:
        """Mean effect beyond that of no steering, in nats per token."""
        return float(np.mean(self.meter.at(data))) - self.base


def run(bench: Bench, command: SeveralExperiment) -> Mapping[str, Value]:
    """Tables ``alone`` and ``together``; see :class:`SeveralExperiment`. Raises RecipeError, VectorError, DialError,
    Stopped.
    """
    if len(command.vector_paths) < 2:
        raise DialError("Name at least two vectors; one alone has nobody to share with.")
    vectors = [bench.load(path) for path in command.vector_paths]
    middle = vectors[0].default_layers[len(vectors[0].default_layers) // 2]
    layers = _layers(bench, command, vectors, middle)
    with ExitStack() as open_things:
        dials = []
        for vector, recipe in zip(vectors, command.recipe_paths, strict=True):
            pairs = completion_pairs(
                bench.model,
                read_contrast_file(Path(recipe)),
                seed=command.seed,
                n_threads=bench.n_threads,
                should_stop=bench.should_stop,
            )
            meter = EffectMeter(bench.model, pairs, n_threads=bench.n_threads, should_stop=bench.should_stop)
            open_things.enter_context(meter)
            dials.append(_Dial(vector, meter, float(np.mean(meter.at(None)))))
        alone = _alone(bench, command, dials, layers)
        _together(bench, command, dials, alone, layers, middle)
    return {"strength": command.strength, "controls": command.controls, "layers": ",".join(map(str, layers))}


def _layers(
    bench: Bench, command: SeveralExperiment, vectors: Sequence[SteeringVector], middle: int
) -> tuple[int, ...]:
    """The layers to be shared out: those asked for, else as many neighbours of the default one as there are vectors.
    Raises DialError where there are too few.
    """
    known = set.intersection(*(set(vector.directions) for vector in vectors))
    if command.layers:
        layers = tuple(layer for layer in bench.layers(command.layers) if layer in known)
    else:
        layers = tuple(sorted(sorted(known, key=lambda layer: (abs(layer - middle), -layer))[: len(vectors)]))
    if len(layers) < len(vectors):
        raise DialError(f"{len(vectors)} vectors need {len(vectors)} layers of their own; name more with --layers.")
    return layers


def _alone(
    bench: Bench, command: SeveralExperiment, dials: Sequence[_Dial], layers: Sequence[int]
) -> dict[tuple[int, int], float]:
    """What each does by itself at each layer: {(number of the dial, layer): effect}."""
    found: dict[tuple[int, int], float] = {}
    pace = bench.pace("each alone")
    for number, dial in enumerate(dials):
        for layer in sorted({*layers, *_middle_of(dial.vector)}):
            effect = dial.effect(_at(bench, dial.vector, layer, command.strength))
            found[number, layer] = effect
            bench.row("alone", vector=dial.vector.name, layer=layer, effect=effect)
        pace(number + 1, len(dials))
    return found


def _together(
    bench: Bench,
    command: SeveralExperiment,
    dials: Sequence[_Dial],
    alone: dict[tuple[int, int], float],
    layers: Sequence[int],
    middle: int,
) -> None:
    one = [middle] * len(dials)
    own = _shared_out(alone, len(dials), layers)
    for number, dial in enumerate(dials):
        if (number, middle) not in alone:
            alone[number, middle] = dial.effect(_at(bench, dial.vector, middle, command.strength))
    placed: dict[str, tuple[list[int], Callable[[Sequence[Floats]], Floats]]] = {
        "merged into one": (one, lambda parts: _merged(parts)),
        "together at one layer": (one, lambda parts: _sum(parts)),
        "each at its own layer": (own, lambda parts: _sum(parts)),
    }
    pace = bench.pace("together")
    for done, (name, (places, joined)) in enumerate(placed.items(), start=1):
        parts = [_at(bench, dial.vector, place, command.strength) for dial, place in zip(dials, places, strict=True)]
        data = joined(parts)
        for number, dial in enumerate(dials):
            by_itself = alone[number, places[number]]
            among = [
                dial.effect(
                    joined(
                        [
                            part if other == number else random_directions(part, bench.seed + 100 * other + control)
                            for other, part in enumerate(parts)
                        ]
                    )
                )
                for control in range(command.controls)
            ]
            effect = dial.effect(data)
            bench.row(
                "together",
                arrangement=name,
                vector=dial.vector.name,
                layer=places[number],
                alone=by_itself,
                together=effect,
                held=effect / by_itself if by_itself else None,
                held_among_random=float(np.mean(among)) / by_itself if among and by_itself else None,
            )
        pace(done, len(placed))


def _shared_out(alone: Mapping[tuple[int, int], float], count: int, layers: Sequence[int]) -> list[int]:
    """A layer for each dial, no two alike, so that the weakest of them does as much as possible."""
    if count > _MOST_FOR_PERMUTATIONS:
        return list(layers[:count])
    strongest = [max(abs(alone[number, layer]) for layer in layers) or 1.0 for number in range(count)]

    def weakest(places: tuple[int, ...]) -> tuple[float, float]:
        shares = [alone[number, layer] / strongest[number] for number, layer in enumerate(places)]
        return min(shares), sum(shares)

    arrangements: list[tuple[int, ...]] = list(itertools.permutations(layers, count))
    best = max(arrangements, key=weakest)
    return list(best)


def _middle_of(vector: SteeringVector) -> tuple[int, ...]:
    return (vector.default_layers[len(vector.default_layers) // 2],)


def _at(bench: Bench, vector: SteeringVector, layer: int, strength: float) -> Floats:
    return bench.at_layer(np.float32(strength) * vector.directions[layer], layer)


def _sum(parts: Sequence[Floats]) -> Floats:
    found: Floats = np.sum(parts, axis=0, dtype=np.float32)
    return found


def _merged(parts: Sequence[Floats]) -> Floats:
    """One vector in the mean direction, as long as the parts are on average: what merging leaves of each."""
    total = _sum(parts)
    wanted = float(np.mean([np.linalg.norm(part) for part in parts]))
    found: Floats = total * np.float32(wanted / max(float(np.linalg.norm(total)), 1e-12))
    return found
