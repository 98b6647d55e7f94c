"""A topic vector, as in the experiments of ActAdd (Turner et al., arXiv 2308.10248): it should make sentences of its
topic likelier and leave others alone, and make the model talk about it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from localsteer.engine.experiment_protocol import TopicExperiment, Value
from localsteer.engine.experiments.applied import (
    UNSTEERED,
    Applied,
    applied,
    complete,
    losses,
    randomised,
    vector_to_try,
)
from localsteer.engine.experiments.bench import Bench
from localsteer.engine.experiments.texts import Text, mentions, openings, prompts_of, read_texts, tokens_after
from localsteer.engine.positions import Tokens
from localsteer.errors import DialError, RecipeError
from localsteer.evaluation.bootstrap import Mean

_MOST_TEXTS = 48
_TOKENS = 60
_UNCHANGED = 0.01
"""By how much the perplexity of other sentences may change for a setting to count as one that leaves them alone."""


class _Texts:
    """Texts of one kind, with their losses under no vector."""

    def __init__(self, bench: Bench, path: str, *, raw: bool) -> None:
        texts = read_texts(Path(path))
        texts = texts if len(texts) <= _MOST_TEXTS else _spread(texts)
        prompts = prompts_of(bench.model, texts, raw=raw)
        replies = [
            tokens_after(bench.model, text, prompt, raw=raw) for text, prompt in zip(texts, prompts, strict=True)
        ]
        kept = [number for number, reply in enumerate(replies) if reply]
        if not kept:
            raise RecipeError(f"The texts in {path} are too short to be measured; write sentences.")
        self._bench = bench
        self._raw = raw
        self.texts = [texts[number] for number in kept]
        self._prompts = [prompts[number] for number in kept]
        self._replies = [replies[number] for number in kept]
        self._own = self._losses(UNSTEERED)

    def ratio(self, setting: Applied) -> Mean:
        """The perplexity under ``setting`` to that under none: the geometric mean over texts."""
        return _exp(self._bench.mean(self._losses(setting) - self._own))

    def _losses(self, setting: Applied) -> npt.NDArray[np.float64]:
        return losses(self._bench, self._prompts, self._replies, setting, raw=self._raw)


def run(bench: Bench, command: TopicExperiment) -> Mapping[str, Value]:
    """Tables ``perplexity`` and ``completions``; see :class:`TopicExperiment`. Raises RecipeError, VectorError,
    DialError, Stopped.
    """
    if not command.topic_words:
        raise DialError("Say what counts as the topic, like --topic-words wedding,bride.")
    vector = vector_to_try(bench, command.vector_path, command.words)
    layers = [layer for layer in bench.layers(command.layers) if layer in vector.directions]
    topic = _Texts(bench, command.topic_path, raw=command.raw)
    others = _Texts(bench, command.others_path, raw=command.raw)
    settings = [(layer, strength) for layer in layers for strength in command.strengths if strength]
    pace = bench.pace("reading texts")
    ratios: dict[tuple[int, float], tuple[Mean, Mean]] = {}
    for done, (layer, strength) in enumerate(settings, start=1):
        setting = applied(bench, vector, layer, strength)
        ratios[layer, strength] = topic.ratio(setting), others.ratio(setting)
        bench.row(
            "perplexity",
            layer=layer,
            strength=strength,
            topic_ratio=ratios[layer, strength][0],
            others_ratio=ratios[layer, strength][1],
        )
        pace(done, len(settings))
    asked = openings(bench.model, others.texts, command.completions, raw=command.raw)
    _completions(bench, command, asked, [(UNSTEERED, "no vector", 0, 0.0)])
    for layer, strength in _best(ratios):
        setting = applied(bench, vector, layer, strength)
        tried = [(setting, vector.name, layer, strength)]
        tried += [(randomised(setting, bench.seed + n), "random", layer, strength) for n in range(command.controls)]
        _completions(bench, command, asked, tried)
    return {
        "vector": vector.name,
        "scope": "prompt-start" if vector.front else "reply",
        "topic_texts": len(topic.texts),
        "other_texts": len(others.texts),
        "completions": command.completions,
        "tokens": _TOKENS,
    }


def _completions(
    bench: Bench,
    command: TopicExperiment,
    asked: Sequence[Tokens],
    tried: Sequence[tuple[Applied, str, int, float]],
) -> None:
    pace = bench.pace("writing completions")
    for done, (setting, name, layer, strength) in enumerate(tried, start=1):
        written = complete(bench, asked, setting, _TOKENS)
        about = [float(mentions(bench.model.text(reply), command.topic_words) > 0) for reply in written]
        bench.row("completions", vector=name, layer=layer, strength=strength, about_topic=bench.mean(about))
        pace(done, len(tried))


def _best(ratios: Mapping[tuple[int, float], tuple[Mean, Mean]]) -> list[tuple[int, float]]:
    """The setting that helps its topic most while it leaves other sentences alone; the one that helps most of all."""
    alone = [at for at, (_, others) in ratios.items() if abs(others.value - 1) < _UNCHANGED]
    found = [min(group, key=lambda at: ratios[at][0].value) for group in (alone, list(ratios)) if group]
    return list(dict.fromkeys(found))


def _exp(mean: Mean) -> Mean:
    return Mean(*(math.exp(min(700.0, value)) for value in (mean.value, mean.low, mean.high)))


def _spread(texts: Sequence[Text]) -> tuple[Text, ...]:
    return tuple(texts[number * len(texts) // _MOST_TEXTS] for number in range(_MOST_TEXTS))
