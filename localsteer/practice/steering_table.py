"""What each recipe does to the practice model, read by the grammar's own checker, beside a random vector of the same
norms.

For every recipe: extracted with defaults, then the same neutral prompts (no cue anywhere, one seed each) answered at
the recommended negative strength, at 0, and at the recommended positive strength. The controls replace each direction
by random ones of equal length, several, because in a small model a single random direction leans a little towards one
pole or the other of everything.
"""

from __future__ import annotations

import dataclasses
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import Extract, Extracted, Load
from localsteer.llama.steering import UNSTEERED, Steering
from localsteer.practice.behaviours import BY_NAME
from localsteer.practice.checker import read_reply
from localsteer.practice.replies import Kind, Subject
from localsteer.practice.speaking import Speaker, Spoken
from localsteer.practice.user_messages import draw_subject, write_message
from localsteer.steering.dials import Dial, buffers
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import load_vector

CONTROLS = 25
# Where a behaviour shows in every reply: candour needs a false claim, compliance a request.
KINDS: dict[str, Kind] = {"candour": "claim", "compliance": "task"}


@dataclass(frozen=True, slots=True)
class Cell:
    """Over the neutral prompts: share of replies with the positive pole, with the negative pole, and well-formed and
    on topic.
    """

    positive: float
    negative: float
    well_formed: float

    @property
    def leaning(self) -> float:
        """Share of the positive pole among replies that show one; 0.5 where none does."""
        shown = self.positive + self.negative
        return self.positive / shown if shown else 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """``random_low``, ``random_high``: random vectors of the same norms at the same strengths, ``CONTROLS`` of them in
    turn.
    """

    recipe: str
    layers: tuple[int, ...]
    strength_low: float
    strength_high: float
    low: Cell
    zero: Cell
    high: Cell
    random_low: Cell
    random_high: Cell

    @property
    def holds(self) -> bool:
        """Whether the row is as it is promised: ≥ 90 % of the pole asked for (topic pulls: ≥ 80 % against ≤ 10 %
        otherwise), undecided at
        0, ≥ 90 % well-formed, and nothing but noise from random vectors."""
        well_formed = min(self.low.well_formed, self.high.well_formed) >= 0.9
        if BY_NAME[self.recipe].base_rate < 0.5:
            poles = self.high.positive >= 0.8 and max(self.zero.positive, self.low.positive) <= 0.1
        else:
            poles = self.high.positive >= 0.9 and self.low.negative >= 0.9 and 0.3 <= self.zero.positive <= 0.7
        moved = max(abs(cell.leaning - self.zero.leaning) for cell in (self.random_low, self.random_high))
        return well_formed and poles and moved <= 0.2


def neutral_prompts(behaviour: str, count: int, seed: int = 7) -> Iterator[tuple[Subject, str]]:
    """Messages without any cue to which every reply shows ``behaviour``."""
    rng = random.Random(seed)
    found = 0
    while found < count:
        subject = draw_subject(rng, KINDS.get(behaviour, "topic"))
        if behaviour != "candour" or subject.false_claim:
            found += 1
            yield subject, write_message(rng, subject)


def answer(speaker: Speaker, behaviour: str, steerings: Sequence[Steering], prompts: int) -> Cell:
    """Poles and form of the replies to the neutral prompts under each of ``steerings`` in turn."""
    return answered(
        behaviour, prompts, len(steerings), lambda texts, seed, at: speaker.replies(texts, seed, steerings[at])
    )


def answered(behaviour: str, prompts: int, ways: int, speak: Callable[[Sequence[str], int, int], list[Spoken]]) -> Cell:
    """Poles and form of the replies to the neutral prompts, spoken in ``ways`` ways in turn: ``speak`` gets messages,
    the first one's seed and the number of the way.
    """
    pole = BY_NAME[behaviour]
    found = []
    asked = list(neutral_prompts(behaviour, prompts))
    for number in range(ways):
        own = asked[number::ways]
        spoken = speak([text for _, text in own], number * prompts, number) if own else []
        for (subject, _), said in zip(own, spoken, strict=True):
            reading = read_reply(said.text, subject)
            well_formed = said.reason == "end" and reading.well_formed and reading.on_topic
            found.append((reading.poles.get(behaviour), well_formed))
    return Cell(
        positive=sum(shown == pole.positive for shown, _ in found) / prompts,
        negative=sum(shown == pole.negative for shown, _ in found) / prompts,
        well_formed=sum(good for _, good in found) / prompts,
    )


def steer(vector: SteeringVector, strength: float) -> Steering:
    """``vector`` on its default layers, as llama.cpp takes it."""
    data = buffers([Dial(vector, strength)], vector.model.n_layer, vector.model.n_embd).reply
    return UNSTEERED if data is None else Steering((vector.name, strength), data)


def randomised(vector: SteeringVector, seed: int) -> SteeringVector:
    """A vector of random directions with the norms of ``vector``."""
    rng = np.random.default_rng(seed)
    directions = {}
    for layer, direction in vector.directions.items():
        noise = rng.standard_normal(direction.shape).astype(np.float32)
        directions[layer] = noise * (np.linalg.norm(direction) / np.linalg.norm(noise))
    return dataclasses.replace(vector, name=f"random {seed}", directions=directions)


def extract(model: Path, recipe: Path, folder: Path, method: str = "mean-difference") -> SteeringVector:
    """The vector that the app would make of ``recipe``, all defaults but the method."""
    out = folder / f"{recipe.stem}.gguf"
    with Engine() as engine:
        engine.load(Load(0, str(model)))
        events = list(engine.extract(Extract(1, str(recipe), str(out), method=method)))
    assert isinstance(events[-1], Extracted), events[-1]
    return load_vector(out)


def measure_row(speaker: Speaker, vector: SteeringVector, prompts: int) -> Row:
    """One recipe's row; needs the recommended strengths."""
    low, high = vector.strength_low, vector.strength_high
    assert low is not None
    assert high is not None
    controls = [randomised(vector, seed) for seed in range(1, CONTROLS + 1)]

    def cell(steered: Sequence[SteeringVector], strength: float) -> Cell:
        return answer(speaker, vector.name, [steer(one, strength) for one in steered], prompts)

    return Row(
        recipe=vector.name,
        layers=vector.default_layers,
        strength_low=low,
        strength_high=high,
        low=cell([vector], low),
        zero=cell([vector], 0.0),
        high=cell([vector], high),
        random_low=cell(controls, low),
        random_high=cell(controls, high),
    )


def measure_steering(
    model: Path, recipes: list[Path], prompts: int = 100, method: str = "mean-difference"
) -> Iterator[Row]:
    """A row for each recipe, as they come."""
    with tempfile.TemporaryDirectory() as folder:
        vectors = [extract(model, recipe, Path(folder), method) for recipe in recipes]
    with Speaker(model) as speaker:
        for vector in vectors:
            yield measure_row(speaker, vector, prompts)


HEADER = (
    "| recipe | layers | strengths | at − | at 0 | at + | well-formed − / 0 / + | random − / + | their form | holds |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def markdown_row(row: Row) -> str:
    """One line of the table: the share of the pole asked for at either end, of the positive one elsewhere."""
    b = BY_NAME[row.recipe]
    layers = "-".join(str(layer) for layer in sorted({row.layers[0], row.layers[-1]}))
    return (
        f"| {row.recipe} | {layers} | {row.strength_low:+.2f} / {row.strength_high:+.2f}"
        f" | {row.low.negative:.0%} {b.negative}"
        f" | {row.zero.positive:.0%} {b.positive} | {row.high.positive:.0%} {b.positive}"
        f" | {row.low.well_formed:.0%} / {row.zero.well_formed:.0%} / {row.high.well_formed:.0%}"
        f" | {row.random_low.leaning:.0%} / {row.random_high.leaning:.0%}"
        f" | {row.random_low.well_formed:.0%} / {row.random_high.well_formed:.0%} | {'yes' if row.holds else 'no'} |"
    )
