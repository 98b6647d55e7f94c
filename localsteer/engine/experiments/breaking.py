"""Why a strong vector breaks a model, made visible: at each layer, how the addition compares with what is there and
what is left of the unsteered state after the normalisation that every block begins with; at the end, how the next-token
distribution departs and how undecided it becomes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from localsteer.engine.experiment_protocol import BreakingExperiment, Value
from localsteer.engine.experiments.bench import Bench, Floats
from localsteer.engine.positions import tokens_of
from localsteer.errors import DialError
from localsteer.evaluation.cost import log_softmax
from localsteer.evaluation.neutral import EVERYDAY, neutral_prompts
from localsteer.evaluation.own_replies import own_replies
from localsteer.llama.reply_reader import ReplyReader
from localsteer.llama.residuals import ResidualTap, Rows
from localsteer.messages import Message
from localsteer.steering.contrast import Prompt
from localsteer.steering.contrast_files import read_contrast_file
from localsteer.steering.dials import Dial, added

_REPLIES = 8
_TOKENS = 32


def run(bench: Bench, command: BreakingExperiment) -> Mapping[str, Value]:
    """Tables ``layers`` and ``output``; see :class:`BreakingExperiment`. Raises VectorError, DialError, Stopped."""
    bench.layers(())
    vector = bench.load(command.vector_path)
    strengths = [strength for strength in command.strengths if strength]
    if not strengths:
        raise DialError("Name at least one strength other than 0.")
    prompts: tuple[Prompt, ...] = tuple((Message("user", text),) for text in EVERYDAY)
    if command.recipe_path:
        prompts = neutral_prompts(read_contrast_file(Path(command.recipe_path)))
    asked = [tokens_of(bench.model, prompt) for prompt in prompts]
    asked = [asked[number % len(asked)] for number in range(_REPLIES)]
    own = own_replies(
        bench.model,
        [prompt.tokens for prompt in asked],
        [prompt.reply for prompt in asked],
        n_tokens=_TOKENS,
        seed=command.seed,
        n_threads=bench.n_threads,
        should_stop=bench.should_stop,
    )
    watch = _Watch(bench.model.n_layer, bench.model.n_embd)
    pace = bench.pace("reading")
    with ReplyReader(
        bench.model,
        [prompt.tokens for prompt in asked],
        own,
        [prompt.reply for prompt in asked],
        tap=watch.tap,
        n_threads=bench.n_threads,
        should_stop=bench.should_stop,
    ) as reader:
        plain = _read(reader, watch, own, None)
        for done, strength in enumerate(strengths, start=1):
            data = added(Dial(vector, strength), bench.model.n_layer, bench.model.n_embd)
            _say(bench, strength, data, plain, _read(reader, watch, own, data))
            pace(done, len(strengths))
    return {"vector": vector.name, "layers": ",".join(map(str, vector.default_layers)), "replies": len(own)}


class _Watch:
    """Keeps the hidden states of all layers of what is decoded while it is on."""

    def __init__(self, n_layer: int, n_embd: int) -> None:
        # The last layer's rows are those of the outputs only; what follows it is the output itself.
        self.layers = range(1, n_layer - 1)
        self.tap = ResidualTap(n_embd, self.layers, read=self._keep)
        self._kept: dict[int, list[Rows]] = {}

    def begin(self) -> None:
        self._kept = {layer: [] for layer in self.layers}

    def states(self, n_rows: int) -> dict[int, Floats]:
        """float32[n_rows, n_embd] by layer: the last rows that came by, what came before being the prompts."""
        return {layer: np.concatenate(rows)[-n_rows:] for layer, rows in self._kept.items()}

    def _keep(self, layer: int, rows: Rows) -> None:
        self._kept[layer].append(rows.copy())


class _Seen:
    def __init__(self, states: dict[int, Floats], logs: list[npt.NDArray[np.float32]], losses: list[float]) -> None:
        self.states = states
        self.logs = logs
        self.losses = losses


def _read(reader: ReplyReader, watch: _Watch, replies: Sequence[Sequence[int]], data: Floats | None) -> _Seen:
    watch.begin()
    logs, losses = [], []
    for text, place, logits in reader.read(None if data is None else data.reshape(-1)):
        found = log_softmax(logits)
        logs.append(found.copy())
        losses.append(-float(found[replies[text][place]]))
    return _Seen(watch.states(len(logs)), logs, losses)


def _say(bench: Bench, strength: float, data: Floats, plain: _Seen, steered: _Seen) -> None:
    for layer, own in plain.states.items():
        now = steered.states[layer]
        sizes = np.linalg.norm(own, axis=1), np.linalg.norm(now, axis=1)
        cosine = (own * now).sum(axis=1) / np.maximum(sizes[0] * sizes[1], 1e-12)
        bench.row(
            "layers",
            strength=strength,
            layer=layer,
            added_norm=float(np.linalg.norm(data[layer - 1])),
            residual_norm=float(np.mean(sizes[0])),
            steered_norm=float(np.mean(sizes[1])),
            cosine=float(np.mean(cosine)),
        )
    pairs = list(zip(plain.logs, steered.logs, strict=True))
    divergence = [max(0.0, float(np.exp(now) @ (now - own))) for own, now in pairs]
    bench.row(
        "output",
        strength=strength,
        entropy_unsteered=bench.mean([_entropy(own) for own, _ in pairs]),
        entropy=bench.mean([_entropy(now) for _, now in pairs]),
        kl=bench.mean(divergence),
        kl_95=float(np.quantile(divergence, 0.95)),
        perplexity_ratio=float(np.exp(min(700.0, float(np.mean(steered.losses) - np.mean(plain.losses))))),
    )


def _entropy(logs: npt.NDArray[np.float32]) -> float:
    """Of a distribution given by its logarithms, in nats."""
    return -float(np.exp(logs) @ logs)
