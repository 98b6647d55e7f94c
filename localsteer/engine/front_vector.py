"""One pair of texts becomes a vector with a direction for each position (ActAdd, arXiv 2308.10248)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from localsteer.engine.desk import Desk
from localsteer.engine.pace import Pace
from localsteer.errors import RecipeError
from localsteer.llama.model import Model
from localsteer.llama.prompt_trie import HiddenStates, read_hidden_states
from localsteer.steering.contrast import ContrastSet
from localsteer.steering.making import make_front_vector
from localsteer.steering.vector import SteeringVector


def read_front_vector(
    desk: Desk,
    contrast: ContrastSet,
    default_layers: tuple[int, ...] | None,
    progress: Pace,
    should_stop: Callable[[], bool],
) -> tuple[HiddenStates, SteeringVector]:
    """Hidden states at every position of the texts of ``contrast``, and the vector they make.

    Raises RecipeError for anything but one pair of plain texts, and Stopped.
    """
    pair = contrast.pairs[0]
    if len(contrast.pairs) > 1 or not (isinstance(pair.positive, str) and isinstance(pair.negative, str)):
        raise RecipeError(f'ActAdd takes one pair of plain texts; "{contrast.name}" holds something else.')
    model = desk.model
    start = list(model.start_tokens)
    sides = _padded(model, [model.tokenize(text) for text in (pair.positive, pair.negative)])
    places = [(len(start) + at, len(start) + at + 1) for at in range(len(sides[0]))]
    states = read_hidden_states(
        model,
        [[*start, *side] for side in sides for _ in places],
        [place for _ in sides for place in places],
        layers=range(1, model.n_layer),
        n_threads=desk.context.n_threads,
        progress=progress,
        should_stop=should_stop,
    )
    vector = make_front_vector(
        contrast,
        states.states[: len(places)],
        states.states[len(places) :],
        layers=states.layers,
        residual_norms=states.residual_norms,
        model=desk.mixer.stamp,
        default_layers=default_layers,
    )
    return states, vector


def _padded(model: Model, sides: Sequence[Sequence[int]]) -> list[list[int]]:
    """Both texts' tokens, the shorter one followed by spaces."""
    space = model.tokenize(" ")[-1]
    longest = max(map(len, sides))
    return [[*side, *[space] * (longest - len(side))] for side in sides]
