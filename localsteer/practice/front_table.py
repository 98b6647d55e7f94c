"""The steering table's rows for ActAdd (arXiv 2308.10248): two texts for each recipe, one for either pole, each against
blanks, added position by position at the front of the message.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from localsteer.engine.engine import Engine
from localsteer.engine.protocol import Extract, Extracted, Load
from localsteer.evaluation.controls import random_directions
from localsteer.llama.front import Rows
from localsteer.practice.speaking import Speaker
from localsteer.practice.steering_table import CONTROLS, Cell, Row, answered
from localsteer.steering.vector_file import load_vector


@dataclass(frozen=True, slots=True)
class FrontWords:
    """What is contrasted with blanks for either pole, at which layer it is added, and how strongly."""

    negative: str
    positive: str
    layer: int
    strength: float


WORDS = {
    "mood": FrontWords("You are sad.  You are sad./", "You are happy.  You are happy./", 2, 2.0),
    "register": FrontWords("Please be casual.", "Please be formal.", 1, 4.0),
}


def measure_front_rows(model: Path, names: Sequence[str], prompts: int = 100) -> Iterator[Row]:
    """A row for each of ``names`` that has :data:`WORDS`, as they come."""

    def cell(name: str, added: Sequence[Rows | None]) -> Cell:
        return answered(
            name, prompts, len(added), lambda texts, seed, way: speaker.replies(texts, seed, front=added[way])
        )

    with Speaker(model) as speaker:
        for name in names:
            words = WORDS[name]
            low, high = (_rows(model, text, words) for text in (words.negative, words.positive))
            yield Row(
                recipe=name,
                layers=(words.layer,),
                strength_low=-words.strength,
                strength_high=words.strength,
                low=cell(name, [low]),
                zero=cell(name, [None]),
                high=cell(name, [high]),
                random_low=cell(name, [_randomised(low, seed) for seed in range(CONTROLS)]),
                random_high=cell(name, [_randomised(high, seed) for seed in range(CONTROLS)]),
            )


def _rows(model: Path, text: str, words: FrontWords) -> Rows:
    """float32[n_positions, n_layer - 1, n_embd]: ``text`` against blanks, at the strength and layer of ``words``."""
    with tempfile.TemporaryDirectory() as folder, Engine() as engine:
        out = Path(folder) / "front.gguf"
        engine.load(Load(0, str(model)))
        *_, made = engine.extract(Extract(1, "", str(out), method="actadd", words=(text, " ")))
        assert isinstance(made, Extracted), made
        vector = load_vector(out)
    found = np.zeros((vector.n_positions, vector.model.n_layer - 1, vector.model.n_embd), dtype=np.float32)
    front = vector.front[words.layer]
    found[: len(front), words.layer - 1] = np.float32(words.strength) * front
    return found


def _randomised(rows: Rows, seed: int) -> Rows:
    return np.stack([random_directions(at, seed + 1000 * number) for number, at in enumerate(rows)])
