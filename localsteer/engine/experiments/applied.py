"""One setting of a vector, ready to be added: to all of a reply, or position by position at the front of a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from localsteer.engine.experiments.bench import Bench, Floats
from localsteer.engine.front_vector import read_front_vector
from localsteer.engine.positions import Tokens
from localsteer.errors import DialError
from localsteer.evaluation.controls import random_directions
from localsteer.evaluation.losses import mean_losses
from localsteer.llama.batch import generate_many
from localsteer.llama.front import Front
from localsteer.llama.reply_reader import ReplyReader
from localsteer.steering.contrast import contrast_of_words
from localsteer.steering.vector import SteeringVector

_TEMPERATURE = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """``reply``: float32[n_layer - 1, n_embd], added to replies; ``front``: float32[n_positions, n_layer - 1, n_embd],
    added from the front of the last user message on. None for nothing.
    """

    reply: Floats | None = None
    front: Floats | None = None


UNSTEERED = Applied()


def vector_to_try(bench: Bench, path: str, words: tuple[str, str] | None) -> SteeringVector:
    """The vector in a file, else the one that two texts make (ActAdd). Raises VectorError, RecipeError."""
    if path:
        return bench.load(path)
    if words is None:
        raise DialError('Name a vector, or two texts with --words "Love/Hate".')
    return read_front_vector(bench.desk, contrast_of_words(*words), None, bench.pace("reading"), bench.should_stop)[1]


def applied(bench: Bench, vector: SteeringVector, layer: int, strength: float) -> Applied:
    """``vector`` at one layer: at the front of the prompt where it knows positions, else in the reply."""
    if layer not in vector.directions:
        raise DialError(f'The vector "{vector.name}" has no direction for layer {layer}.')
    if strength == 0:
        return UNSTEERED
    if not vector.front:
        return Applied(reply=bench.at_layer(np.float32(strength) * vector.directions[layer], layer))
    rows = np.zeros((vector.n_positions, bench.model.n_layer - 1, bench.model.n_embd), dtype=np.float32)
    rows[: len(vector.front[layer]), layer - 1] = np.float32(strength) * vector.front[layer]
    return Applied(front=rows)


def randomised(setting: Applied, seed: int) -> Applied:
    """A random one of the same norms, at the same places."""
    if setting.front is not None:
        return Applied(
            front=np.stack([random_directions(rows, seed + 1000 * at) for at, rows in enumerate(setting.front)])
        )
    return UNSTEERED if setting.reply is None else Applied(reply=random_directions(setting.reply, seed))


def losses(
    bench: Bench, prompts: Sequence[Tokens], replies: Sequence[Sequence[int]], setting: Applied, *, raw: bool
) -> npt.NDArray[np.float64]:
    """float64[n_texts]: for each reply the mean negative log-likelihood of its tokens, in nats."""
    with ReplyReader(
        bench.model,
        [prompt.tokens for prompt in prompts],
        replies,
        [prompt.reply for prompt in prompts],
        front=_front(prompts, setting, whole=raw),
        n_threads=bench.n_threads,
        should_stop=bench.should_stop,
    ) as reader:
        return mean_losses(reader, replies, setting.reply)


def complete(bench: Bench, prompts: Sequence[Tokens], setting: Applied, n_tokens: int) -> list[list[int]]:
    """The reply to each prompt, without its end token."""
    written = generate_many(
        bench.model,
        [prompt.tokens for prompt in prompts],
        steered_from=[prompt.reply for prompt in prompts],
        directions=setting.reply,
        strengths=[1.0] * len(prompts),
        n_tokens=n_tokens,
        front=_front(prompts, setting, whole=False),
        temperature=_TEMPERATURE,
        seed=bench.seed,
        n_threads=bench.n_threads,
        should_stop=bench.should_stop,
    )
    return [[token for token in reply if not bench.model.is_end(token)] for reply in written]


def _front(prompts: Sequence[Tokens], setting: Applied, *, whole: bool) -> Front | None:
    """What is added at the front of every prompt; no further than the shortest message goes, unless the ``whole`` text
    counts.
    """
    if setting.front is None:
        return None
    begins = {prompt.front for prompt in prompts}
    if len(begins) > 1:
        raise ValueError("the messages begin at different positions")
    begin = begins.pop()
    longest = len(setting.front) if whole else min(prompt.reply - begin for prompt in prompts)
    return Front(begin, setting.front[: max(0, longest)])
