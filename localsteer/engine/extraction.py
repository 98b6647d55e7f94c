"""A vector is made: contrast set, tokens, hidden states, directions, recommended strengths, file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from localsteer.engine.calibrating import best_layers, calibrated
from localsteer.engine.contrasts import read_contrasts
from localsteer.engine.desk import Desk, Say
from localsteer.engine.front_vector import read_front_vector
from localsteer.engine.mixing import check_steerable
from localsteer.engine.pace import Pace
from localsteer.engine.positions import Tokens, span_of
from localsteer.engine.protocol import Extract, Extracted, LayerReport, Notice
from localsteer.engine.steerable_layers import check_layers
from localsteer.errors import RecipeError, Stopped
from localsteer.llama.prompt_trie import HiddenStates, read_hidden_states
from localsteer.steering.contrast import ContrastSet, contrast_of_words
from localsteer.steering.letters import lopsided_letters
from localsteer.steering.making import make_vector
from localsteer.steering.methods import ACTADD, find_method
from localsteer.steering.vector import SteeringVector
from localsteer.steering.vector_file import save_vector


class Extraction:
    """One extraction. Once ``stopped`` says so, Stopped is raised and nothing has been written."""

    def __init__(self, desk: Desk, command: Extract, stopped: Callable[[], bool], say: Say) -> None:
        self._desk = desk
        self._model = desk.model
        self._command = command
        self._stopped = stopped
        self._say = say

    def run(self) -> None:
        """Say ExtractProgress and at last Extracted. Raises LocalsteerError, or Stopped."""
        began = time.perf_counter()
        contrast = self._contrast()
        if self._command.method == ACTADD:
            states, vector = read_front_vector(
                self._desk, contrast, self._command.layers, self._pace("reading"), self._stopped
            )
        else:
            states = self._read(contrast)
            vector = self._vector(contrast, states)
        if self._command.calibrate and not vector.front:
            vector = self._calibrated(contrast, vector)
        if self._stopped():
            raise Stopped
        writing = self._pace("writing")
        writing(0, 1)
        save_vector(vector, Path(self._command.out_path))
        writing(1, 1)
        self._say(_report(self._command, contrast, states, vector, time.perf_counter() - began))

    def _contrast(self) -> ContrastSet:
        """The contrast set, when all else that was asked for can be had."""
        check_steerable(steerable=self._model.steerable)
        if self._command.method != ACTADD:
            find_method(self._command.method)
        check_layers(self._command.layers or (), self._model.name, self._model.n_layer)
        if self._command.words is not None:
            return contrast_of_words(*self._command.words)
        return read_contrasts(self._command)

    def _read(self, contrast: ContrastSet) -> HiddenStates:
        """Hidden states of all prompts, all positive ones before all negative ones. Pairs that are the same up to where
        they are read are left out.
        """
        pace = self._pace("reading")
        pace(0, 1)
        sides = [
            [span_of(self._model, prompt, pair.position) for prompt in (pair.positive, pair.negative)]
            for pair in contrast.pairs
        ]
        telling = [pair for pair in sides if _up_to_reading(pair[0]) != _up_to_reading(pair[1])]
        self._say_what_is_left_out(contrast, len(telling))
        readings = [*(positive for positive, _ in telling), *(negative for _, negative in telling)]
        return read_hidden_states(
            self._model,
            [found.tokens for found, _ in readings],
            [span for _, span in readings],
            layers=range(1, self._model.n_layer),
            n_threads=self._desk.context.n_threads,
            progress=pace,
            should_stop=self._stopped,
        )

    def _say_what_is_left_out(self, contrast: ContrastSet, n_telling: int) -> None:
        """Raises RecipeError where nothing is left."""
        name, n_alike = contrast.name, len(contrast.pairs) - n_telling
        if not n_telling:
            raise RecipeError(
                f'Both poles of "{name}" look the same to {self._model.name} where they are read; let them differ '
                "before that place."
            )
        if contrast.left_out:
            self._notice(
                f'{contrast.left_out} of {contrast.left_out + len(contrast.pairs)} pairs of "{name}" are the same on '
                "both sides and are left out."
            )
        if n_alike:
            self._notice(
                f'{n_alike} of {len(contrast.pairs)} pairs of "{name}" look the same to {self._model.name} where they '
                "are read and are left out."
            )
        if (warning := lopsided_letters(contrast)) is not None:
            self._notice(warning)

    def _notice(self, text: str) -> None:
        self._say(Notice(self._command.request, text))

    def _vector(self, contrast: ContrastSet, states: HiddenStates) -> SteeringVector:
        n_pairs = len(states.states) // 2
        return make_vector(
            contrast,
            states.states[:n_pairs],
            states.states[n_pairs:],
            layers=states.layers,
            residual_norms=states.residual_norms,
            model=self._desk.mixer.stamp,
            method=self._command.method,
            default_layers=self._command.layers,
        )

    def _calibrated(self, contrast: ContrastSet, vector: SteeringVector) -> SteeringVector:
        if self._command.thorough and self._command.layers is None:
            layers = best_layers(self._desk, contrast, vector, self._pace, self._stopped)
            vector = vector.with_default_layers(layers)
        return calibrated(self._desk, contrast, vector, self._pace, self._stopped, thorough=self._command.thorough)

    def _pace(self, stage: str) -> Pace:
        return Pace(self._command.request, stage, self._say)


def _up_to_reading(side: tuple[Tokens, tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, int]]:
    """All that the hidden state of a side depends on."""
    found, (begin, end) = side
    return found.tokens[:end], (begin, end)


def _report(
    command: Extract, contrast: ContrastSet, states: HiddenStates, vector: SteeringVector, seconds: float
) -> Extracted:
    return Extracted(
        request=command.request,
        recipe=contrast.name,
        model=vector.model.name,
        method=vector.method,
        out=command.out_path,
        prompts=len(states.states),
        tokens_evaluated=states.tokens_evaluated,
        tokens_one_by_one=states.tokens_one_by_one,
        seconds=seconds,
        default_layers=vector.default_layers,
        strength_low=vector.strength_low,
        strength_high=vector.strength_high,
        safe_low=None if vector.calibration is None else vector.calibration.safe_low,
        safe_high=None if vector.calibration is None else vector.calibration.safe_high,
        layers=tuple(
            LayerReport(layer, measured.norm, measured.residual_norm or 0.0, measured.auc)
            for layer, measured in vector.layers.items()
        ),
    )
