"""Contrastive Activation Addition (Panickssery et al., arXiv 2312.06681): two-choice questions, both letters appended
in turn, read at the letter; the mean difference added after the user's message, at one layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from localsteer.engine.experiment_protocol import LetterExperiment, LetterSet, Value
from localsteer.engine.experiments.bench import Bench, Floats
from localsteer.engine.experiments.questions import questions_of
from localsteer.engine.positions import span_of
from localsteer.errors import RecipeError
from localsteer.evaluation.bootstrap import Mean
from localsteer.evaluation.knowledge import KNOWLEDGE
from localsteer.evaluation.letters import LetterMeter, Question
from localsteer.llama.prompt_trie import read_hidden_states
from localsteer.steering.contrast import ContrastPair
from localsteer.steering.contrast_files import read_contrast_file
from localsteer.steering.layers import held_out
from localsteer.steering.methods.mean_difference import mean_difference

_MOST_TO_CHOOSE = 60
_FEWEST = 5

Rates = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Parts:
    learnt: tuple[ContrastPair, ...]
    tried: tuple[ContrastPair, ...]


def run(bench: Bench, command: LetterExperiment) -> Mapping[str, Value]:
    """Tables ``layers`` and ``letters``; see :class:`LetterExperiment`. Raises RecipeError, DialError, Stopped."""
    layers = bench.layers(command.layers)
    sets = [(one, _parts(one)) for one in command.sets]
    knowledge = _knowledge(bench, command.knowledge_path)
    # Asked first of all, so that a set that cannot be asked costs no work on the others.
    asked = [questions_of(bench.model, one.name, parts.tried) for one, parts in sets]
    with LetterMeter(bench.model, knowledge, n_threads=bench.n_threads, should_stop=bench.should_stop) as facts:
        for number, (one, parts) in enumerate(sets):
            _set(bench, command, one, parts, asked[number], layers, facts)
    return {
        "multiplier": command.multiplier,
        "controls": command.controls,
        "knowledge_questions": len(knowledge),
        "knowledge": command.knowledge_path or "in the box",
    }


def _set(
    bench: Bench,
    command: LetterExperiment,
    one: LetterSet,
    parts: _Parts,
    questions: Sequence[Question],
    layers: Sequence[int],
    facts: LetterMeter,
) -> None:
    directions = _directions(bench, parts.learnt, layers)
    strength = np.float32(command.multiplier)
    pace = bench.pace(f"asking about {one.name}")
    total = 2 * len(layers) + 2 * command.controls + 4
    done = 0

    def step(count: int = 1) -> None:
        nonlocal done
        done += count
        pace(done, total)

    chosen_on = _spread(questions_of(bench.model, one.name, parts.learnt, mixed=False), _MOST_TO_CHOOSE)
    moved: dict[int, float] = {}
    with LetterMeter(bench.model, chosen_on, n_threads=bench.n_threads, should_stop=bench.should_stop) as meter:
        for layer in layers:
            data = bench.at_layer(directions[layer], layer)
            low, high = (float(np.nanmean(meter.at(np.float32(sign) * strength * data))) for sign in (-1, 1))
            moved[layer] = high - low
            bench.row("layers", set=one.name, layer=layer, at_minus=low, at_plus=high, moved=moved[layer])
            step(2)
    best = max(moved, key=lambda layer: moved[layer])
    data = strength * bench.at_layer(directions[best], best)
    with LetterMeter(bench.model, questions, n_threads=bench.n_threads, should_stop=bench.should_stop) as meter:
        at = {sign: meter.at(np.float32(sign) * data if sign else None) for sign in (-1, 0, 1)}
        step()
        changes: dict[int, list[float]] = {-1: [], 1: []}
        for control in bench.controls(data, command.controls):
            for sign, found in changes.items():
                found.append(float(np.mean(meter.at(np.float32(sign) * control) - at[0])))
            step(2)
    known = {sign: facts.at(np.float32(sign) * data if sign else None) for sign in (-1, 0, 1)}
    step(2)
    prompted = _prompted(bench, one, parts.tried)
    step()
    bench.row(
        "letters",
        set=one.name,
        layer=best,
        questions=len(questions),
        at_minus=bench.mean(at[-1]),
        at_zero=bench.mean(at[0]),
        at_plus=bench.mean(at[1]),
        random_minus=bench.mean(changes[-1]) if changes[-1] else None,
        random_plus=bench.mean(changes[1]) if changes[1] else None,
        random_low=min(changes[-1] + changes[1], default=0.0),
        random_high=max(changes[-1] + changes[1], default=0.0),
        prompted_minus=prompted[1],
        prompted_plus=prompted[0],
        knowledge_minus=_right(bench, known[-1]),
        knowledge_zero=_right(bench, known[0]),
        knowledge_plus=_right(bench, known[1]),
    )


def _parts(one: LetterSet) -> _Parts:
    """What is learnt from and what is tried. Raises RecipeError."""
    learnt = read_contrast_file(Path(one.train_path)).pairs
    if one.test_path:
        return _Parts(learnt, read_contrast_file(Path(one.test_path)).pairs)
    if len(learnt) < _FEWEST:
        raise RecipeError(
            f'"{one.name}" has {len(learnt)} questions; at least {_FEWEST} are needed to try it on some of them.'
        )
    kept = held_out(len(learnt))
    return _Parts(
        tuple(pair for pair, out in zip(learnt, kept, strict=True) if not out),
        tuple(pair for pair, out in zip(learnt, kept, strict=True) if out),
    )


def _knowledge(bench: Bench, path: str) -> tuple[Question, ...]:
    pairs = read_contrast_file(Path(path)).pairs if path else KNOWLEDGE
    return questions_of(bench.model, "the knowledge check", pairs)


def _directions(bench: Bench, pairs: Sequence[ContrastPair], layers: Sequence[int]) -> dict[int, Floats]:
    """The mean difference at the answer letter, by layer."""
    spans = [
        span_of(bench.model, prompt, pair.position)
        for side in (0, 1)
        for pair in pairs
        for prompt in ((pair.positive, pair.negative)[side],)
    ]
    read = read_hidden_states(
        bench.model,
        [found.tokens for found, _ in spans],
        [span for _, span in spans],
        layers=layers,
        n_threads=bench.n_threads,
        progress=bench.pace("reading"),
        should_stop=bench.should_stop,
    ).states
    half = len(pairs)
    return {layer: mean_difference(read[:half, row], read[half:, row]) for row, layer in enumerate(layers)}


def _prompted(bench: Bench, one: LetterSet, pairs: Sequence[ContrastPair]) -> tuple[Mean | None, Mean | None]:
    """The unsteered model's rates when it is plainly asked for either pole."""
    if len(one.prompts) != 2:
        return None, None
    found = []
    for system in one.prompts:
        questions = questions_of(bench.model, one.name, pairs, system=system)
        with LetterMeter(bench.model, questions, n_threads=bench.n_threads, should_stop=bench.should_stop) as meter:
            found.append(bench.mean(meter.at(None)))
    return found[0], found[1]


def _right(bench: Bench, rates: Rates) -> Mean:
    """Share of the questions answered rightly."""
    return bench.mean((rates > 0.5).astype(np.float64))


def _spread(questions: Sequence[Question], most: int) -> Sequence[Question]:
    if len(questions) <= most:
        return questions
    return [questions[number * len(questions) // most] for number in range(most)]
