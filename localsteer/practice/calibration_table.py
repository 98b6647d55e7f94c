"""Whether safe ranges are what they claim: their ends tried on text that was not measured when they were found."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from localsteer.engine.engine import Engine
from localsteer.engine.positions import tokens_of
from localsteer.engine.protocol import Extract, Extracted, Load
from localsteer.evaluation.calibrate import Bounds, strength_of_addition
from localsteer.evaluation.cost import Cost, CostMeter
from localsteer.evaluation.own_replies import own_replies
from localsteer.llama.model import Model
from localsteer.messages import Message
from localsteer.practice.speaking import Speaker
from localsteer.practice.steering_table import answer, neutral_prompts, steer
from localsteer.steering.dials import Dial, added
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import load_vector

FRESH_SEED = 4711
TOKENS = 50


@dataclass(frozen=True, slots=True)
class End:
    """One end of a safe range: its cost on fresh text, how long the addition is against the hidden states there, how
    much of the bounds that takes up, and the share of well-formed replies there.
    """

    strength: float
    cost: Cost
    addition: float
    used: float
    well_formed: float


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    recipe: str
    seconds: float
    low: End
    high: End

    @property
    def holds(self) -> bool:
        """Whether both ends cost within a fifth of what they may, and leave at least 90 % of replies well-formed."""
        ends = (self.low, self.high)
        return all(0.8 <= end.used <= 1.2 for end in ends) and min(end.well_formed for end in ends) >= 0.9


def measure_calibration(
    model: Path, recipes: list[Path], prompts: int = 100, *, thorough: bool = True, texts: int = 192
) -> Iterator[CalibrationRow]:
    """A row for each recipe, as they come. ``texts``: how many fresh replies the cost is measured on."""
    for recipe in recipes:
        with tempfile.TemporaryDirectory() as folder, Engine() as engine:
            engine.load(Load(0, str(model)))
            out = Path(folder) / f"{recipe.stem}.gguf"
            *_, made = engine.extract(Extract(1, str(recipe), str(out), thorough=thorough))
            assert isinstance(made, Extracted), made
            vector = load_vector(out)
        known = vector.calibration
        assert known is not None
        with Model(model) as loaded:
            costs, whole = _costs(loaded, vector, texts, (known.safe_low, known.safe_high))
        with Speaker(model) as speaker:
            ends = [
                End(
                    strength,
                    cost,
                    abs(strength) / whole,
                    max(Bounds().used(cost), abs(strength) / whole / Bounds().addition),
                    answer(speaker, vector.name, [steer(vector, strength)], prompts).well_formed,
                )
                for strength, cost in zip((known.safe_low, known.safe_high), costs, strict=True)
            ]
        yield CalibrationRow(vector.name, made.seconds, ends[0], ends[1])


def _costs(
    model: Model, vector: SteeringVector, texts: int, strengths: tuple[float, float]
) -> tuple[list[Cost], float]:
    """What the strengths cost on the model's own replies to messages of the grammar, drawn with another seed; and the
    strength at which the addition is as long as the hidden states of these replies.
    """
    asked = [
        tokens_of(model, (Message("user", text),)) for _, text in neutral_prompts(vector.name, texts, seed=FRESH_SEED)
    ]
    prompts, begins = [found.tokens for found in asked], [found.reply for found in asked]
    replies = own_replies(model, prompts, begins, n_tokens=TOKENS, seed=FRESH_SEED)
    directions = added(Dial(vector, 1.0), model.n_layer, model.n_embd)
    with CostMeter(model, prompts, replies, begins) as meter:
        costs = [meter.at(np.float32(strength) * directions) for strength in strengths]
        whole = strength_of_addition(directions, meter.residual_norms)
    return costs, whole


CALIBRATION_HEADER = (
    "| recipe | safe range | perplexity ratio − / + | KL 95 − / + | addition − / + | bound used − / + | "
    "well-formed − / + | holds |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
)


def calibration_row(row: CalibrationRow) -> str:
    """One line of the table."""
    low, high = row.low, row.high
    return (
        f"| {row.recipe} | {low.strength:+.2f} to {high.strength:+.2f}"
        f" | {low.cost.perplexity_ratio:.2f} / {high.cost.perplexity_ratio:.2f}"
        f" | {low.cost.kl_95:.2f} / {high.cost.kl_95:.2f} | {low.addition:.2f} / {high.addition:.2f}"
        f" | {low.used:.0%} / {high.used:.0%}"
        f" | {low.well_formed:.0%} / {high.well_formed:.0%} | {'yes' if row.holds else 'no'} |"
    )
