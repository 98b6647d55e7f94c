"""What is said between the app and the engine process about experiments: the papers' own, on the loaded model.

Part of :mod:`localsteer.engine.protocol`, on whose terms it is: small frozen dataclasses of plain Python values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class LetterSet:
    """Two-choice questions about one behaviour. ``train_path``: the file that the direction is learnt from;
    ``test_path``: the one it is tried on, "" for every fifth question of the first. ``prompts``: the system prompts
    that plainly ask for the behaviour and for its opposite, () where there are none.
    """

    name: str
    train_path: str
    test_path: str = ""
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterExperiment:
    """Contrastive Activation Addition (arXiv 2312.06681) on each of ``sets``. ``layers``: to be tried, () for all.
    ``knowledge_path``: two-choice questions of fact, "" for those in the box.
    """

    request: int
    sets: tuple[LetterSet, ...]
    layers: tuple[int, ...] = ()
    knowledge_path: str = ""
    multiplier: float = 1.0
    controls: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TopicExperiment:
    """What a topic vector does to the perplexity of sentences of the topic and of others, and to how often the topic
    is talked about (arXiv 2308.10248). ``vector_path``, or ``words``: two texts to be contrasted. ``topic_path`` and
    ``others_path``: files of texts. ``topic_words``: what counts as the topic.
    """

    request: int
    topic_path: str
    others_path: str
    topic_words: tuple[str, ...]
    vector_path: str = ""
    words: tuple[str, str] | None = None
    layers: tuple[int, ...] = ()
    strengths: tuple[float, ...] = (0.5, 1.0, 2.0)
    completions: int = 60
    raw: bool = False
    controls: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class SentimentExperiment:
    """From negative to positive (arXiv 2308.10248): how many completions turn, how fluent and relevant they stay.

    ``prompts_path``: texts that end in something negative. ``positive_words`` and ``negative_words``: what counts as
    either, () for the lists in the box.
    """

    request: int
    prompts_path: str
    vector_path: str = ""
    words: tuple[str, str] | None = None
    positive_words: tuple[str, ...] = ()
    negative_words: tuple[str, ...] = ()
    layers: tuple[int, ...] = ()
    strengths: tuple[float, ...] = (0.5, 1.0, 2.0)
    raw: bool = False
    controls: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class SeveralExperiment:
    """Some vectors at once (arXiv 2403.05767): merged into one, added together at one layer, each at its own layer;
    each beside what it does alone. ``recipe_paths``: the contrasts that each of ``vector_paths`` is measured on.
    """

    request: int
    vector_paths: tuple[str, ...]
    recipe_paths: tuple[str, ...]
    strength: float = 1.0
    layers: tuple[int, ...] = ()
    controls: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class PrincipalExperiment:
    """Principal directions of the hidden states of any texts, without labels. Each is written as a vector file into
    ``out_folder``, if one is named. ``layer`` 0: the middle one.
    """

    request: int
    texts_path: str
    out_folder: str = ""
    components: int = 5
    layer: int = 0
    raw: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class BreakingExperiment:
    """Why a strong vector breaks a model: what happens at each layer as the strength grows."""

    request: int
    vector_path: str
    recipe_path: str = ""
    strengths: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
    seed: int = 0


Experiment: TypeAlias = (
    LetterExperiment
    | TopicExperiment
    | SentimentExperiment
    | SeveralExperiment
    | PrincipalExperiment
    | BreakingExperiment
)


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of the table called ``table``; rows of one table have the same keys in the same order. A key ``x`` whose
    95 % confidence interval is known comes with ``x_low`` and ``x_high``.
    """

    request: int
    table: str
    values: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class ExperimentDone:
    """All rows are said. ``facts``: what else is needed to repeat it, and what is to be said in a sentence or two."""

    request: int
    model: str
    model_id: str
    seconds: float
    facts: tuple[tuple[str, Value], ...] = ()
