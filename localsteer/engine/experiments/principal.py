"""Directions without labels: the principal components of the hidden states of any texts, each a dial to be tried, with
what can be told of its meaning: the texts at its two ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from localsteer.engine.experiment_protocol import PrincipalExperiment, Value
from localsteer.engine.experiments.bench import Bench, Floats
from localsteer.engine.experiments.texts import Text, read_texts
from localsteer.engine.positions import span_of, tokens_of
from localsteer.errors import ModelError, RecipeError
from localsteer.lens.promoted import promoted_tokens
from localsteer.llama.prompt_trie import read_hidden_states
from localsteer.messages import Message
from localsteer.steering.methods.principal import principal_directions
from localsteer.steering.vector import LayerStatistics, SteeringVector
from localsteer.steering.vector_file import save_vector

_FEWEST = 8
_SHOWN = 3
_LONGEST = 160
_TOKENS_SHOWN = 10
METHOD = "principal component"


def run(bench: Bench, command: PrincipalExperiment) -> Mapping[str, Value]:
    """Tables ``components``, ``tokens`` and ``ends``; see :class:`PrincipalExperiment`. Raises RecipeError, DialError,
    StorageError, Stopped.
    """
    middle = (bench.model.n_layer - 1) // 2 or 1
    layers = bench.layers(())
    (layer,) = bench.layers((command.layer or middle,))
    texts = read_texts(Path(command.texts_path))
    if len(texts) < _FEWEST:
        raise RecipeError(f"{command.texts_path} holds {len(texts)} texts; at least {_FEWEST} are needed.")
    states, norms = _read(bench, texts, layers, raw=command.raw)
    row = layers.index(layer)
    found = principal_directions(states[:, row], command.components)
    name = Path(command.texts_path).stem
    for number, (share, scores) in enumerate(zip(found.shares, found.scores.T, strict=True), start=1):
        vector = _vector(bench, f"{name}-{number}", states, layers, layer, scores, norms)
        written = ""
        if command.out_folder:
            out = Path(command.out_folder) / f"{vector.name}.gguf"
            bench.check_stop()
            save_vector(vector, out)
            written = str(out)
        bench.row(
            "components",
            component=number,
            dial=vector.name,
            variance_share=float(share),
            spread=float(np.std(scores)),
            norm=vector.layers[layer].norm,
            written_to=written,
        )
        _say_tokens(bench, number, vector.directions[layer])
        order = np.argsort(scores)
        for end, places in (("negative", order[:_SHOWN]), ("positive", order[::-1][:_SHOWN])):
            for place in places:
                bench.row("ends", component=number, end=end, score=float(scores[place]), text=_short(texts[int(place)]))
    return {"layer": layer, "texts": len(texts)}


def _say_tokens(bench: Bench, component: int, direction: Floats) -> None:
    """What the direction promotes and suppresses through the output matrix; nothing where that cannot be read."""
    try:
        found = promoted_tokens(bench.model.path, direction, _TOKENS_SHOWN)
    except ModelError:
        return
    for end, tokens in (("positive", found.promoted), ("negative", found.suppressed)):
        bench.row("tokens", component=component, end=end, tokens=" ".join(token.text for token in tokens))


def _read(bench: Bench, texts: Sequence[Text], layers: Sequence[int], *, raw: bool) -> tuple[Floats, Sequence[float]]:
    """float32[n_texts, n_layers, n_embd], the mean over each text's tokens; and the residual norm of each layer.

    A text with a prompt is read as the reply to it, any other as what a user says.
    """
    spans = []
    for text in texts:
        if raw:
            found, (_, end) = span_of(bench.model, text.text, "last")
            spans.append((found.tokens, (min(len(bench.model.start_tokens), end - 1), end)))
        elif text.prompt:
            prompt = (Message("user", text.prompt), Message("assistant", text.text))
            found, span = span_of(bench.model, prompt, "reply")
            spans.append((found.tokens, span))
        else:
            found = tokens_of(bench.model, (Message("user", text.text),))
            spans.append((found.tokens, (found.front, found.reply)))
    read = read_hidden_states(
        bench.model,
        [tokens for tokens, _ in spans],
        [span for _, span in spans],
        layers=layers,
        n_threads=bench.n_threads,
        progress=bench.pace("reading"),
        should_stop=bench.should_stop,
    )
    return read.states, [float(norm) for norm in read.residual_norms]


def _vector(
    bench: Bench,
    name: str,
    states: Floats,
    layers: Sequence[int],
    layer: int,
    scores: Floats,
    norms: Sequence[float],
) -> SteeringVector:
    """The component as a vector: at each layer the direction along which the hidden states go with its scores.

    Its length is what lies between texts one standard deviation on either side, so that strength 1 is a difference
    that occurs.
    """
    weights = (scores - scores.mean()) / max(float(np.std(scores)), 1e-9)
    directions = {
        one: (2 * (weights[:, None] * (states[:, row] - states[:, row].mean(axis=0))).mean(axis=0)).astype(np.float32)
        for row, one in enumerate(layers)
    }
    return SteeringVector(
        name=name,
        positive_pole="+",
        negative_pole="−",
        directions=directions,
        model=bench.stamp,
        method=METHOD,
        layers={one: LayerStatistics(0.0, norm) for one, norm in zip(layers, norms, strict=True)},
        default_layers=(layer,),
    )


def _short(text: Text) -> str:
    line = " ".join(text.text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
