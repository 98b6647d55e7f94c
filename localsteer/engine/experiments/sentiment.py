"""From negative to positive, as in the experiments of ActAdd (Turner et al., arXiv 2308.10248): how many completions
turn, how fluent they stay, and how much they still have to do with the prompt.

Sentiment is counted by words, so that no second model is needed: a completion is positive where it has more positive
words than negative ones. Fluency is the perplexity of the completions to the unsteered model, against that of its own;
relevance the cosine between the mean hidden states of prompt and completion at the middle layer, the mean over all
completions taken away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from localsteer.engine.experiment_protocol import SentimentExperiment, Value
from localsteer.engine.experiments.applied import (
    UNSTEERED,
    applied,
    complete,
    losses,
    randomised,
    vector_to_try,
)
from localsteer.engine.experiments.bench import Bench, Floats
from localsteer.engine.experiments.texts import mentions, read_texts
from localsteer.engine.positions import Tokens, tokens_of
from localsteer.errors import DialError
from localsteer.evaluation.sentiment_words import NEGATIVE_WORDS, POSITIVE_WORDS
from localsteer.llama.prompt_trie import read_hidden_states
from localsteer.messages import Message

_MOST_PROMPTS = 60
_TOKENS = 50


def run(bench: Bench, command: SentimentExperiment) -> Mapping[str, Value]:
    """Table ``sentiment``; see :class:`SentimentExperiment`. Raises RecipeError, VectorError, DialError, Stopped."""
    vector = vector_to_try(bench, command.vector_path, command.words)
    layers = [layer for layer in command.layers or vector.default_layers if layer in vector.directions]
    bench.layers(layers)
    if not layers:
        raise DialError(f'The vector "{vector.name}" has no direction for any of those layers.')
    texts = read_texts(Path(command.prompts_path))[:_MOST_PROMPTS]
    prompts = [_prompt(bench, text.text, raw=command.raw) for text in texts]
    own = complete(bench, prompts, UNSTEERED, _TOKENS)
    reading = _Reading(bench, command, prompts, own)
    reading.say("no vector", 0, 0.0, own)
    pace = bench.pace("writing completions")
    settings = [(layer, strength) for layer in layers for strength in command.strengths if strength]
    for done, (layer, strength) in enumerate(settings, start=1):
        setting = applied(bench, vector, layer, strength)
        reading.say(vector.name, layer, strength, complete(bench, prompts, setting, _TOKENS))
        pace(done, len(settings))
    strongest = settings[-1:]
    for layer, strength in strongest:
        for number in range(command.controls):
            setting = randomised(applied(bench, vector, layer, strength), bench.seed + number)
            reading.say("random", layer, strength, complete(bench, prompts, setting, _TOKENS))
    return {
        "vector": vector.name,
        "scope": "prompt-start" if vector.front else "reply",
        "prompts": len(prompts),
        "tokens": _TOKENS,
    }


class _Reading:
    """Reads completions: sentiment, fluency, relevance."""

    def __init__(
        self, bench: Bench, command: SentimentExperiment, prompts: Sequence[Tokens], own: Sequence[Sequence[int]]
    ) -> None:
        self._bench = bench
        self._command = command
        self._prompts = prompts
        self._own = self._mean_loss(own)

    def say(self, name: str, layer: int, strength: float, written: Sequence[Sequence[int]]) -> None:
        bench = self._bench
        signs = [self._sign(bench.model.text(list(reply))) for reply in written]
        bench.row(
            "sentiment",
            vector=name,
            layer=layer,
            strength=strength,
            positive=bench.mean([float(sign > 0) for sign in signs]),
            negative=bench.mean([float(sign < 0) for sign in signs]),
            perplexity_ratio=math.exp(min(700.0, self._mean_loss(written) - self._own)),
            relevance=self._relevance(written),
        )

    def _sign(self, text: str) -> int:
        positive = mentions(text, self._command.positive_words or POSITIVE_WORDS)
        return positive - mentions(text, self._command.negative_words or NEGATIVE_WORDS)

    def _mean_loss(self, written: Sequence[Sequence[int]]) -> float:
        kept = [number for number, reply in enumerate(written) if reply]
        if not kept:
            return math.nan
        found = losses(
            self._bench, [self._prompts[n] for n in kept], [written[n] for n in kept], UNSTEERED, raw=self._command.raw
        )
        return float(found.mean())

    def _relevance(self, written: Sequence[Sequence[int]]) -> float | None:
        """The mean cosine of prompt and completion, against that of prompts with the completions of others."""
        kept = [number for number, reply in enumerate(written) if reply]
        if len(kept) < 2:
            return None
        bench = self._bench
        texts = [[*self._prompts[n].tokens, *written[n]] for n in kept]
        cuts = [len(self._prompts[n].tokens) for n in kept]
        read = read_hidden_states(
            bench.model,
            texts * 2,
            [(self._prompts[n].front, self._prompts[n].reply) for n in kept]
            + [(cut, len(text)) for cut, text in zip(cuts, texts, strict=True)],
            layers=[(bench.model.n_layer - 1) // 2],
            n_threads=bench.n_threads,
            should_stop=bench.should_stop,
        ).states[:, 0]
        asked, answered = _centred(read[: len(kept)]), _centred(read[len(kept) :])
        return float(np.mean(np.sum(asked * answered, axis=1)))


def _centred(states: Floats) -> Floats:
    """Unit rows, their mean taken away."""
    found = states - states.mean(axis=0)
    scaled: Floats = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    return scaled


def _prompt(bench: Bench, text: str, *, raw: bool) -> Tokens:
    return tokens_of(bench.model, text if raw else (Message("user", text),))
